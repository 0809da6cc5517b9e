// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

extension ResourceManager {
    /// What must be true between any two events.
    func checkInvariants(_ comment: Comment = "") {
        #expect(
            timers.count <= connections.count + book.calls.count + children.transactions.count + children.ipcps.count
                + inspections.waiting.count + 1, comment)
        for (process, questions) in inspections.questions {
            #expect(attachments.processes[process] != nil, comment)
            #expect((1...Limits.unansweredQuestions).contains(questions.count), comment)
        }
        for inspection in inspections.waiting.values {
            #expect(inspection.client == nil || inspection.server == nil, comment)
        }
        for (id, call) in book.calls where book.isOpen(id, of: call.process) { check(id, call, comment) }
        for (id, connection) in connections where !attachments.isLeft(id, connection) {
            if let call = connection.call { #expect(book.calls[call]?.connection == id, comment) }
        }
        for id in book.waitingArrivals.calls {
            guard case .allocating(let allocation) = book.calls[id]?.stage else {
                Issue.record("\(id) is counted as waiting, but does not wait. \(comment)")
                continue
            }
            #expect(allocation.origin != nil && allocation.serverDeadline != nil, comment)
        }
        for (id, process) in attachments.processes { check(id, process, comment) }
        for (id, flow) in book.flows { check(id, flow, comment) }
        for name in book.waiting.names {
            for call in book.waiting.all(for: name).map(\.call) {
                guard case .allocating = book.calls[call]?.stage else {
                    Issue.record("\(call) is in the queue of \(name), but does not wait. \(comment)")
                    continue
                }
            }
        }
    }

    private var connections: [ConnectionID: Connection] { attachments.connections }

    /// What the call over this connection has asked for.
    func stage(on connection: ConnectionID) -> Call.Stage? {
        connections[connection]?.call.flatMap { book.calls[$0]?.stage }
    }

    private func check(_ id: CallID, _ call: Call, _ comment: Comment) {
        switch call.stage {
        case .attached(let flow, let end):
            guard let flow = book.flows[flow] else {
                Issue.record("call \(id) waits for a flow that is gone. \(comment)")
                return
            }
            switch flow[end].hold {
            case .waiting, .offered: break
            case .held, .released: Issue.record("call \(id) waits for an end that is settled. \(comment)")
            }
        case .allocating(let allocation):
            #expect(book.waiting.all(for: allocation.name).contains { $0.call == id }, comment)
        case .authenticating(let authentication, _): #expect(authentications[authentication] != nil, comment)
        case .accepting: #expect(book.acceptors.isWaiting(call.process), comment)
        case .searching, .idle: #expect(call.connection != nil, comment)
        }
    }

    private func check(_ id: ProcessID, _ process: AttachedProcess, _ comment: Comment) {
        guard let account = book.account(of: id) else {
            Issue.record("process \(id) has no account. \(comment)")
            return
        }
        var descriptors = 0
        for flow in account.flows {
            guard let flow = book.flows[flow] else {
                Issue.record("process \(id) has a flow that is gone. \(comment)")
                continue
            }
            for end in [End.first, .second] where flow[end].process == id {
                if case .offered(_, _, let count) = flow[end].hold { descriptors += count }
            }
            #expect(flow.end(of: id) != nil, comment)
        }
        #expect(account.undelivered == descriptors, comment)
        #expect(account.undelivered <= Limits.undeliveredDescriptors, comment)
        #expect(attachments.watched.contains(id), comment)
        for name in naming.names(servedBy: id) { #expect(naming[name]?.processes.contains(id) == true, comment) }
        for call in process.calls { #expect(connections[call] != nil, comment) }
        for call in account.calls { #expect(book.calls[call] != nil, comment) }
    }

    private func check(_ id: FlowID, _ flow: Flow, _ comment: Comment) {
        var living = 0
        for end in [End.first, .second] {
            switch flow[end].hold {
            case .waiting: living += 1
            case .offered, .held:
                living += 1
                #expect(book.has(flow[end].process, id) || isInEstate(id), comment)
            case .released: continue
            }
            // The link ends with the first process that dies.
            if case .released = flow[end.other].hold { continue }
            #expect(book.links.contains(flow.place.link), comment)
        }
        #expect(living > 0, comment)
    }

    private func isInEstate(_ flow: FlowID) -> Bool {
        errands.contains { if case .estate(let estate) = $0 { estate.flows.contains(flow) } else { false } }
    }

    /// Nobody is there: nothing may be left of anybody.
    func checkEmpty(_ comment: Comment = "") {
        #expect(attachments.processes.isEmpty, comment)
        #expect(book.flows.isEmpty, comment)
        #expect(book.calls.isEmpty, comment)
        #expect(book.links.count == 0, comment)
        #expect(book.waiting.isEmpty, comment)
        #expect(attachments.watched.isEmpty, comment)
        #expect(connections.isEmpty, comment)
        #expect(timers.count == 0, comment)
        #expect(inspections.waiting.isEmpty && inspections.questions.isEmpty, comment)
    }
}
