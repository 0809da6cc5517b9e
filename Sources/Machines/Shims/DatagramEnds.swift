// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The end of flows. A peer of this system is told, so that its process need not wait until it misses packets; the prototype
/// would not understand it. spec: udp-layer §4.4
extension DatagramLayer {
    /// The process has let go of the flow, or died, and all that it wrote was sent.
    mutating func end(_ port: FlowPort, now: Instant, into actions: inout [DatagramAction]) {
        guard let endpoint = endpoints.endpoint(of: port) else { return }
        guard requests[endpoint] == nil else {
            return fail(endpoint, .flowDown, "the process has deallocated the flow", into: &actions)
        }
        let peer = endpoints.peer(of: port)
        let isOurs = endpoints.isOurs(endpoint)
        release(endpoint, port, into: &actions)
        guard let peer, isOurs || known.contains(peer.address, now: now) else { return }
        let message = DatagramManagement.gone(.init(recipient: peer.endpoint, sender: endpoint)).encoded()
        say(Goodbyes.Goodbye(message, to: peer.address), now: now, into: &actions)
    }

    /// The driver lets go of the end, and so does the table.
    private mutating func release(_ endpoint: EndpointID, _ port: FlowPort, into actions: inout [DatagramAction]) {
        if let flow = endpoints.flow(of: endpoint), requesters[flow] == endpoint { requesters[flow] = nil }
        endpoints.remove(endpoint)
        actions += [.report(.flowReleased(descriptor(port), type)), .release(port)]
    }

    private mutating func say(_ goodbye: Goodbyes.Goodbye, now: Instant, into actions: inout [DatagramAction]) {
        goodbyes.sent(goodbye, now: now)
        actions.append(.lower(.send(goodbye.message, to: goodbye.peer)))
    }

    mutating func sayAgain(now: Instant, into actions: inout [DatagramAction]) {
        while let goodbye = goodbyes.next(now: now) { say(goodbye, now: now, into: &actions) }
    }

    /// The IPCP ends, and all flows with it: each peer is told once.
    mutating func endAll(into actions: inout [DatagramAction]) {
        for (endpoint, peer) in endpoints.ours {
            let message = DatagramManagement.gone(.init(recipient: peer.endpoint, sender: endpoint)).encoded()
            actions.append(.lower(.send(message, to: peer.address)))
        }
    }

    /// The peer of a flow says that its end has gone. The process reads what came before it, and then that the flow is down.
    /// Nobody but the peer knows both endpoints.
    mutating func arrived(
        _ gone: DatagramManagement.FlowGone, from source: DatagramAddress, into actions: inout [DatagramAction]
    ) {
        switch endpoints.find(gone.recipient, from: source) {
        case .flow(let port):
            guard endpoints.peer(of: port)?.endpoint == gone.sender else { return counters.dropped(.foreignGoodbye) }
            release(gone.recipient, port, into: &actions)
        // It comes more than once, and this end may have gone first.
        case .unknown: counters.dropped(.lateGoodbye)
        case .otherSource, .early: counters.dropped(.foreignGoodbye)
        }
    }

    /// A host has accepted a flow that nobody here waits for any more. If it is of this system it is told, or its process would
    /// have a flow without a peer.
    mutating func decline(
        _ reply: DatagramManagement.FlowReply, from source: DatagramAddress, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        guard reply.response == 0, known.contains(source, now: now), !endpoints.contains(reply.requester) else {
            return
        }
        let gone = DatagramManagement.gone(.init(recipient: reply.responder, sender: reply.requester))
        actions.append(.lower(.send(gone.encoded(), to: source)))
    }
}
