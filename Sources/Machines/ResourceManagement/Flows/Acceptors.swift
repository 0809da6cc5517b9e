// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// The `flow_accept` calls that wait, and which of them gets the next flow. spec: irmd §5
///
/// An accept serves every name that its process is bound to, so it stands here once, under its process, and a request
/// chooses among the processes of its name: accepting costs the same with one name and with thousands. A name with many
/// processes, as a server has that forks workers, gets a queue of its own with the first request that would have to choose
/// among them. A process is in few queues, so that accepting stays cheap.
struct Acceptors: Sendable {
    struct Accept: Hashable, Sendable {
        let call: CallID
        let process: ProcessID
        let request: RequestID
        let deadline: Instant?
        /// Ascends in the order of arrival.
        fileprivate let arrival: UInt64
    }

    private var waiting: [ProcessID: ArrivalOrder<Accept>] = [:]
    private var arrivalOf: [CallID: UInt64] = [:]
    private var arrivals: UInt64 = 0
    private var queues: [ServiceName: Queue] = [:]
    private var queuesOf: [ProcessID: [ServiceName]] = [:]
    private let manyProcesses: Int
    private static let queuesOfProcess = 8

    /// The accepts of all processes of a name.
    private struct Queue: Sendable {
        var accepts = ArrivalOrder<Accept>()
        var processes: Set<ProcessID>
    }

    /// `manyProcesses`: among more, a request does not choose one by one.
    init(manyProcesses: Int = 16) { self.manyProcesses = manyProcesses }

    /// An accept that has just arrived, to be added or to be given a flow at once.
    mutating func arrival(
        of request: RequestID, on call: CallID, of process: ProcessID, deadline: Instant?
    ) -> Accept {
        arrivals += 1
        return Accept(call: call, process: process, request: request, deadline: deadline, arrival: arrivals)
    }

    /// A new one, or one that was taken for a flow of which nothing came: to its old place.
    mutating func add(_ accept: Accept) {
        waiting[accept.process, default: ArrivalOrder()].insert(accept, arrival: accept.arrival)
        arrivalOf[accept.call] = accept.arrival
        for name in queuesOf[accept.process] ?? [] {
            queues[name]?.accepts.insert(accept, arrival: accept.arrival)
        }
    }

    mutating func remove(_ call: CallID, of process: ProcessID) {
        guard let arrival = arrivalOf.removeValue(forKey: call) else { return }
        guard let place = waiting.index(forKey: process) else { return }
        waiting.values[place].remove(arrival: arrival)
        if waiting.values[place].isEmpty { waiting.remove(at: place) }
        for name in queuesOf[process] ?? [] { queues[name]?.accepts.remove(arrival: arrival) }
    }

    /// The process is gone.
    mutating func removeAll(of process: ProcessID) {
        let accepts = waiting.removeValue(forKey: process)?.inOrder ?? []
        for accept in accepts { arrivalOf[accept.call] = nil }
        for name in queuesOf.removeValue(forKey: process) ?? [] {
            for accept in accepts { queues[name]?.accepts.remove(arrival: accept.arrival) }
            queues[name]?.processes.remove(process)
        }
    }

    /// A process has attached that serves these names. It accepts nothing yet.
    mutating func attach(_ process: ProcessID, serving names: OrderedSet<ServiceName>) {
        // Through the shorter of the two.
        let queued = names.count < queues.count ? names.filter { queues[$0] != nil } : names.intersection(queues.keys)
        for name in queued {
            guard queuesOf[process, default: []].count < Acceptors.queuesOfProcess else {
                closeQueue(of: name)
                continue
            }
            queues[name]?.processes.insert(process)
            queuesOf[process, default: []].append(name)
        }
    }

    /// Other processes serve the name now: what was known of them is forgotten.
    mutating func closeQueue(of name: ServiceName) {
        for process in queues.removeValue(forKey: name)?.processes ?? [] {
            queuesOf[process]?.removeAll { $0 == name }
            if queuesOf[process]?.isEmpty == true { queuesOf[process] = nil }
        }
    }

    private mutating func openQueue(of name: ServiceName, _ processes: Set<ProcessID>) {
        guard processes.allSatisfy({ queuesOf[$0, default: []].count < Acceptors.queuesOfProcess }) else { return }
        var queue = Queue(processes: processes)
        for process in processes {
            queuesOf[process, default: []].append(name)
            for accept in waiting[process]?.inOrder ?? [] { queue.accepts.insert(accept, arrival: accept.arrival) }
        }
        queues[name] = queue
    }

    func isWaiting(_ process: ProcessID) -> Bool { waiting[process] != nil }

    func count(of processes: Set<ProcessID>) -> Int {
        processes.reduce(0) { $0 + (waiting[$1]?.count ?? 0) }
    }

    /// Takes the accept whose turn it is: round-robin the longest waiting, spillover the most recent. `processes`: of the
    /// name.
    mutating func take(
        for name: ServiceName, among processes: Set<ProcessID>, _ balancing: LoadBalancing
    ) -> Accept? {
        if queues[name] == nil, min(waiting.count, processes.count) > manyProcesses { openQueue(of: name, processes) }
        let accept =
            if let queue = queues[name] {
                balancing == .roundRobin ? queue.accepts.first : queue.accepts.last
            } else {
                choose(among: processes, balancing)
            }
        guard let accept else { return nil }
        remove(accept.call, of: accept.process)
        return accept
    }

    private func choose(among processes: Set<ProcessID>, _ balancing: LoadBalancing) -> Accept? {
        var best: Accept?
        func consider(_ process: ProcessID) {
            switch balancing {
            case .roundRobin:
                guard let accept = waiting[process]?.first, accept.arrival < best?.arrival ?? .max else { return }
                best = accept
            case .spillover:
                guard let accept = waiting[process]?.last, accept.arrival > best?.arrival ?? 0 else { return }
                best = accept
            }
        }
        // Through the shorter of the two: a name may have a thousand processes of which one waits, or the reverse.
        if waiting.count < processes.count {
            for process in waiting.keys where processes.contains(process) { consider(process) }
        } else {
            for process in processes { consider(process) }
        }
        return best
    }
}
