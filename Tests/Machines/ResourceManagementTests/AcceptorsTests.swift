// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Testing
import Vocabulary

@testable import ResourceManagement

/// Which accept gets a flow, with queues for names of many processes and without.
@Suite struct AcceptorsTests {
    private static let names = ["a", "b", "c"].map(service)

    @Test("a queue gives the same accepts as a choice one by one", arguments: 0..<30)
    func sameChoices(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        var (queued, plain) = (Acceptors(manyProcesses: 1), Acceptors(manyProcesses: .max))
        var served: [ProcessID: Set<ServiceName>] = [:]
        var calls: [(call: CallID, process: ProcessID)] = []
        var taken: [Acceptors.Accept] = []
        var nextCall: UInt64 = 0
        func processes(_ name: ServiceName) -> Set<ProcessID> { Set(served.filter { $0.value.contains(name) }.keys) }
        for step in 0..<500 {
            let process = ProcessID(Int32(2 + pick(8)))
            let name = AcceptorsTests.names[pick(3)]
            switch pick(10) {
            case 0 where served[process] == nil:
                let names = AcceptorsTests.names.filter { _ in pick(2) == 0 }
                served[process] = Set(names)
                queued.attach(process, serving: OrderedSet(names))
            case 1:
                served[process] = nil
                calls.removeAll { $0.process == process }
                taken.removeAll { $0.process == process }
                queued.removeAll(of: process)
                plain.removeAll(of: process)
            case 2 where served[process] != nil:
                if pick(2) == 0 { served[process]?.insert(name) } else { served[process]?.remove(name) }
                queued.closeQueue(of: name)
            case 3 where !calls.isEmpty:
                let (call, process) = calls.remove(at: pick(calls.count))
                queued.remove(call, of: process)
                plain.remove(call, of: process)
            case 4 where !taken.isEmpty:
                // A flow came to nothing: its accept goes back to its place.
                let accept = taken.remove(at: pick(taken.count))
                calls.append((accept.call, accept.process))
                queued.add(accept)
                plain.add(accept)
            case 5, 6:
                let balancing: LoadBalancing = pick(2) == 0 ? .roundRobin : .spillover
                let accept = queued.take(for: name, among: processes(name), balancing)
                #expect(accept == plain.take(for: name, among: processes(name), balancing), "step \(step)")
                if let accept {
                    calls.removeAll { $0.call == accept.call }
                    taken.append(accept)
                }
            default:
                guard served[process] != nil else { continue }
                nextCall += 1
                let (request, call) = (RequestID(nextCall), CallID(nextCall))
                queued.add(queued.arrival(of: request, on: call, of: process, deadline: nil))
                plain.add(plain.arrival(of: request, on: call, of: process, deadline: nil))
                calls.append((call, process))
            }
        }
    }

    @Test func aProcessOfManyNamesIsInFewQueues() {
        var acceptors = Acceptors(manyProcesses: 1)
        let names = (0..<20).map { service("n\($0)") }
        let processes = Set([ProcessID(2), ProcessID(3), ProcessID(4)])
        for process in processes { acceptors.attach(process, serving: OrderedSet(names)) }
        for round in UInt64(0)..<3 {
            for (index, process) in processes.sorted().enumerated() {
                let call = CallID(round * 3 + UInt64(index))
                acceptors.add(
                    acceptors.arrival(of: RequestID(call.rawValue), on: call, of: process, deadline: nil))
            }
        }
        for (index, name) in names.prefix(9).enumerated() {
            #expect(acceptors.take(for: name, among: processes, .roundRobin)?.call == CallID(UInt64(index)))
        }
        #expect(acceptors.take(for: names[19], among: processes, .roundRobin) == nil)
    }
}
