// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// An end lets go of a flow, in whatever way, and the other learns it.
extension ResourceManager {
    enum Release: Sendable {
        /// The process said so; it has told the other end through their link.
        case deallocated
        case died
        /// The end was never its process's, or its time is up.
        case withdrawn
    }

    mutating func deallocate(_ id: FlowID, by process: ProcessID) {
        // A flow that is not the process's any more was taken from it before this message arrived, or is of what it was before
        // `exec`.
        guard processes[process]?.flows.contains(id) == true, let flow = flows[id], let end = flow.end(of: process)
        else { return }
        // Two connections have no common order: the end may be given back before we read that it was taken.
        if case .offered(_, let connection, _) = flow[end].hold { taken(id, on: connection) }
        guard case .held = flow[end].hold else { return }
        release(id, end, .deallocated)
    }

    mutating func release(_ id: FlowID, _ end: End, _ cause: Release) {
        guard let flow = flows[id] else { return }
        let hold = flow[end].hold
        if case .released = hold { return }
        let process = processes[flow[end].process]
        let isItsProcess = process?.flows.contains(id) == true
        if flow.isAsked { endAsking(id) }
        let call = callConnection(of: flow, end)
        flow[end].hold = .released(cause)
        if end == .first { flow.allocation = nil }
        if isItsProcess, let process, flow.end(of: process.id) == nil { process.flows.remove(id) }
        if let call, case .attached(id, end) = connections[call]?.call { free(call) }
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
                tellDown(id, end.other)
            }
        }
        if isItsProcess, case .offered(_, _, let descriptors) = hold {
            settleOffer(to: flow[end].process, descriptors: descriptors)
        }
    }

    /// The client has seen nothing of the flow yet: the next acceptor may do better.
    mutating func giveToNext(_ flow: Flow, _ end: End) {
        finish(flow.id)
        if end == .second, let allocation = flow.allocation { seek(allocation) }
    }

    /// The call connection through which the end is to be given.
    private func callConnection(of flow: Flow, _ end: End) -> ConnectionID? {
        switch (flow[end].hold, end) {
        case (.offered(_, let connection, _), _): connection
        case (.waiting, .second): flow.accept.connection
        case (.waiting, .first): flow.allocation?.connection
        case (.held, _), (.released, _): nil
        }
    }

    private mutating func reportRelease(_ flow: Flow, _ end: End, _ cause: Release) {
        guard cause != .withdrawn else { return }
        if case .released = flow[end.other].hold {
            report(.flow(.deallocated(flow.id, flow[end].process)))
        } else {
            report(.flow(.partlyDeallocated(flow.id, flow[end].process)))
        }
    }

    private mutating func markGone(_ flow: Flow, _ end: End) {
        guard links.contains(flow.place.link) else { return }
        outgoing.append(.markGone(flow.place.link, flow.place.slot, end, linkEnd: flow.linkEnd(end)))
    }

    /// Nobody has the flow any more.
    private mutating func finish(_ id: FlowID) {
        guard let flow = flows.removeValue(forKey: id) else { return }
        if links.giveBack(flow.place.slot, of: flow.place.link) {
            outgoing.append(.resetSlot(flow.place.link, flow.place.slot))
            if let (first, second) = links.processes(of: flow.place.link) {
                retireLink(of: first)
                retireLink(of: second)
            }
        }
        if flow.hasSegment { outgoing.append(.releaseSegment(id)) }
        flowNumbers.giveBack(id)
        quotas.removeFlow(of: flow.owner, flow.queueBytes, isRemote: flow.remote != nil)
        if let layer = flow.localLayer, children[layer.ipcp] != nil {
            children.remove(id, from: layer.ipcp)
            outgoing.append(.request(.flowEnded(id), layer.ipcp))
        }
        for party in [flow.client, flow.server] { processes[party.process]?.flows.remove(id) }
        guard case .waiting = flow.server.hold,
            case .attached(flow.id, .second) = connections[flow.accept.connection]?.call,
            let server = processes[flow.server.process], server.calls.contains(flow.accept.connection)
        else { return }
        restore(flow.accept, of: server.id)
        for name in waiting.isEmpty ? [] : naming.names(servedBy: server.id) { match(name) }
    }

    /// A process that has too many links without flows closes the oldest. The process at its other end sees that.
    private mutating func retireLink(of process: ProcessID) {
        guard let (link, end) = links.surplus(of: process), let session = processes[process]?.session else { return }
        releaseLink(link)
        send(.retireLink(link, end), on: session)
    }

    /// The accept that a flow was meant for has seen nothing of it and goes on. That of an IPCP was for this flow alone.
    mutating func restore(_ accept: Acceptors.Accept, of server: ProcessID) {
        guard connections[accept.connection]?.isOfChannel == false else { return free(accept.connection) }
        acceptors.add(accept, of: server)
        connections[accept.connection]?.call = .accepting(accept.request, deadline: accept.deadline)
        if let deadline = accept.deadline { arm(accept.connection, at: deadline) }
    }

    /// An operator ends a flow.
    mutating func destroyFlow(_ id: FlowID, by user: UserID, for requester: Requester) {
        guard let flow = flows[id] else {
            return fail(requester, .noEntry, "there is no flow \(id)")
        }
        guard !flow.isDown else { return succeed(requester, .unchanged) }
        report(.flow(.destroyed(id, user)))
        bringDown(id, "an operator has destroyed the flow")
        succeed(requester)
    }

    /// The layer that the flow belongs to is gone, or an operator ends it: both ends lose it.
    mutating func bringDown(_ id: FlowID, _ reason: String) {
        guard let flow = flows[id] else { return }
        flow.isDown = true
        if let allocation = flow.allocation {
            refuse(allocation, .ipcp, reason)
            return release(id, .first, .withdrawn)
        }
        for end in [End.first, .second] {
            switch flow[end].hold {
            case .held:
                markGone(flow, end.other)
                tellDown(id, end)
            case .offered: markGone(flow, end.other)
            case .waiting, .released: break
            }
        }
    }
}
