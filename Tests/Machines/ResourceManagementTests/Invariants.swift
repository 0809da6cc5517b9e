// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

extension ResourceManager {
    /// What must be true between any two events.
    func checkInvariants(_ comment: Comment = "") {
        #expect(timers.count <= connections.count + children.transactions.count + children.ipcps.count + 1, comment)
        for (id, connection) in connections where !isLeft(id, connection) {
            switch connection.call {
            case .attached(let flow, let end)?:
                guard let flow = flows[flow] else {
                    Issue.record("connection \(id) waits for a flow that is gone. \(comment)")
                    continue
                }
                switch flow[end].hold {
                case .waiting, .offered: break
                case .held, .released: Issue.record("connection \(id) waits for an end that is settled. \(comment)")
                }
            case .allocating(let allocation)?:
                #expect(waiting.all(for: allocation.name).contains { $0.connection == id }, comment)
            case .accepting?:
                #expect(acceptors.isWaiting(connection.credentials.process), comment)
            case .searching?: #expect(!connection.isOfChannel, comment)
            case .idle?: #expect(!connection.isOfChannel, comment)
            case nil: break
            }
        }
        for id in waitingArrivals.connections {
            guard let call = connections[id]?.call, case .allocating(let allocation) = call else {
                Issue.record("\(id) is counted as waiting, but does not wait. \(comment)")
                continue
            }
            #expect(allocation.origin != nil && allocation.serverDeadline != nil, comment)
        }
        for (id, process) in processes { check(id, process, comment) }
        for (id, flow) in flows { check(id, flow, comment) }
        for name in waiting.names {
            for connection in waiting.all(for: name).map(\.connection) {
                guard case .allocating = connections[connection]?.call else {
                    Issue.record("\(connection) is in the queue of \(name), but does not wait. \(comment)")
                    continue
                }
            }
        }
    }

    private func check(_ id: ProcessID, _ process: AttachedProcess, _ comment: Comment) {
        var descriptors = 0
        for flow in process.flows {
            guard let flow = flows[flow] else {
                Issue.record("process \(id) has a flow that is gone. \(comment)")
                continue
            }
            for end in [End.first, .second] where flow[end].process == id {
                if case .offered(_, _, let count) = flow[end].hold { descriptors += count }
            }
            #expect(flow.end(of: id) != nil, comment)
        }
        #expect(process.undelivered == descriptors, comment)
        #expect(process.undelivered <= Limits.undeliveredDescriptors, comment)
        #expect(watched.contains(id), comment)
        for name in naming.names(servedBy: id) { #expect(naming[name]?.processes.contains(id) == true, comment) }
        for call in process.calls { #expect(connections[call] != nil, comment) }
    }

    private func check(_ id: FlowID, _ flow: Flow, _ comment: Comment) {
        var living = 0
        for end in [End.first, .second] {
            switch flow[end].hold {
            case .waiting: living += 1
            case .offered, .held:
                living += 1
                let isHeld = processes[flow[end].process]?.flows.contains(id) == true
                #expect(isHeld || isInEstate(id), comment)
            case .released: continue
            }
            // The link ends with the first process that dies.
            if case .released = flow[end.other].hold { continue }
            #expect(links.contains(flow.place.link), comment)
        }
        #expect(living > 0, comment)
    }

    private func isInEstate(_ flow: FlowID) -> Bool {
        errands.contains { if case .estate(let estate) = $0 { estate.flows.contains(flow) } else { false } }
    }

    /// Nobody is there: nothing may be left of anybody.
    func checkEmpty(_ comment: Comment = "") {
        #expect(processes.isEmpty, comment)
        #expect(flows.isEmpty, comment)
        #expect(links.count == 0, comment)
        #expect(waiting.isEmpty, comment)
        #expect(watched.isEmpty, comment)
        #expect(connections.isEmpty, comment)
        #expect(timers.count == 0, comment)
    }
}
