// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// An end lets go of a flow, in whatever way, and the other learns it.
extension ResourceManager {
    mutating func deallocate(_ id: FlowID, by process: ProcessID) {
        // A flow that is not the process's any more was taken from it before this message arrived, or is of what it was before
        // `exec`.
        guard book.has(process, id), let flow = book.flows[id], let end = flow.end(of: process) else { return }
        // Two connections have no common order: the end may be given back before we read that it was taken.
        if case .offered(_, let call, _) = flow[end].hold { taken(id, on: call) }
        guard case .held = flow[end].hold else { return }
        release(id, end, .deallocated)
    }

    mutating func release(_ id: FlowID, _ end: End, _ cause: Flow.Release) {
        guard let flow = book.flows[id] else { return }
        let process = flow[end].process
        let hold = flow[end].hold
        if case .released = hold { return }
        let isItsProcess = book.has(process, id)
        if flow.isAsked { endAsking(flow) }
        let call = book.call(of: flow, end)
        book.release(flow, end, cause)
        if let call, case .attached(id, end) = book.calls[call]?.stage { free(call) }
        if case .held = hold { reportRelease(flow, end, cause) }
        switch flow[end.other].hold {
        // The server has had the flow, and may have written into it: the client, whose turn has not come, gets it too.
        case .waiting where end == .second && cause == .deallocated: break
        case .waiting: giveToNext(flow, end)
        case .released: finish(id)
        case .offered: if cause != .deallocated { markGone(flow, end) }
        case .held:
            if cause != .deallocated {
                markGone(flow, end)
                tellDown(flow, end.other)
            }
        }
        if isItsProcess, case .offered(_, _, let descriptors) = hold {
            settleOffer(to: process, descriptors: descriptors)
        }
    }

    /// The client has seen nothing of the flow yet: the next acceptor may do better.
    mutating func giveToNext(_ flow: Flow, _ end: End) {
        finish(flow.id)
        if end == .second, let allocation = flow.allocation { seek(allocation) }
    }

    private mutating func reportRelease(_ flow: Flow, _ end: End, _ cause: Flow.Release) {
        guard cause != .withdrawn else { return }
        if case .released = flow[end.other].hold {
            report(.flow(.deallocated(flow.id, flow[end].process)))
        } else {
            report(.flow(.partlyDeallocated(flow.id, flow[end].process)))
        }
    }

    private mutating func markGone(_ flow: Flow, _ end: End) {
        guard book.links.contains(flow.place.link) else { return }
        outgoing.append(.markGone(flow.place.link, flow.place.slot, end, linkEnd: flow.linkEnd(end)))
    }

    /// Nobody has the flow any more.
    private mutating func finish(_ id: FlowID) {
        guard let (flow, isSlotFree) = book.close(id) else { return }
        if isSlotFree {
            outgoing.append(.resetSlot(flow.place.link, flow.place.slot))
            if let (first, second) = book.links.processes(of: flow.place.link) {
                retireLink(of: first)
                retireLink(of: second)
            }
        }
        if flow.hasSegment { outgoing.append(.releaseSegment(id)) }
        if let layer = flow.localLayer, children[layer.ipcp] != nil {
            children.remove(id, from: layer.ipcp)
            outgoing.append(.request(.flowEnded(id), layer.ipcp))
        }
        let server = flow.server.process
        guard case .waiting = flow.server.hold, case .attached(id, .second) = book.calls[flow.accept.call]?.stage,
            book.isOpen(flow.accept.call, of: server)
        else { return }
        restore(flow.accept)
        for name in book.waiting.isEmpty ? [] : naming.names(servedBy: server) { match(name) }
    }

    /// A process that has too many links without flows closes the oldest. The process at its other end sees that.
    private mutating func retireLink(of process: ProcessID) {
        guard let (link, end) = book.surplusLink(of: process),
            let session = attachments.processes[process]?.session
        else { return }
        releaseLink(link)
        send(.retireLink(link, end), on: session)
    }

    /// The accept that a flow was meant for has seen nothing of it and goes on. That of an IPCP was for this flow alone.
    mutating func restore(_ accept: Acceptors.Accept) {
        guard book.calls[accept.call]?.connection != nil else { return free(accept.call) }
        book.wait(accept)
        if let deadline = accept.deadline { arm(accept.call, at: deadline) }
    }

    /// An operator ends a flow.
    mutating func destroyFlow(_ id: FlowID, by user: UserID, for requester: Requester) {
        guard let flow = book.flows[id] else {
            return fail(requester, .noEntry, "there is no flow \(id)")
        }
        guard !flow.isDown else { return succeed(requester, .unchanged) }
        report(.flow(.destroyed(id, user)))
        bringDown(id, "an operator has destroyed the flow")
        succeed(requester)
    }

    /// The layer that the flow belongs to is gone, or an operator ends it: both ends lose it.
    mutating func bringDown(_ id: FlowID, _ reason: String) {
        guard let flow = book.flows[id] else { return }
        flow.isDown = true
        if let allocation = flow.allocation {
            refuse(allocation, .ipcp, reason)
            return release(id, .first, .withdrawn)
        }
        for end in [End.first, .second] {
            switch flow[end].hold {
            case .held:
                markGone(flow, end.other)
                tellDown(flow, end)
            case .offered: markGone(flow, end.other)
            case .waiting, .released: break
            }
        }
    }
}
