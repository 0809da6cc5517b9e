// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A flow from the meeting of an allocation with an acceptor until both ends have taken it: first the server, so that
/// a client that has a flow has a server too.
extension ResourceManager {
    mutating func begin(_ allocation: Allocation, _ accept: Acceptors.Accept, _ remote: RemoteEnd? = nil) {
        let remote = remote ?? self.remote(of: allocation)
        let layer = layer(of: allocation.name, remote)
        guard let flow = book.open(allocation, accept, remote, layer: layer, now: now) else {
            restore(accept)
            return refuse(
                allocation, .badDescriptor, "this user has too many flows, or too many bytes in their queues")
        }
        beginAsking(flow)
        arm(allocation.call, at: allocation.deadline)
        if let layer = flow.localLayer {
            children.add(flow.id, to: layer.ipcp)
            outgoing.append(.request(.flowRequested(flow.id, hash: layer.hash), layer.ipcp))
        }
        outgoing.append(.createFlowMemory(flow.id, flow.place, provider: flow.remote?.end))
    }

    mutating func releaseLink(_ link: LinkID) {
        book.removeLink(link)
        outgoing.append(.releaseLink(link))
    }

    private func layer(of name: ServiceName, _ remote: RemoteEnd?) -> Flow.Layer? {
        guard let remote else {
            return naming[name]?.localLayer.map { local in
                Flow.Layer(ipcp: local.ipcp, name: local.registration.layer, hash: local.registration.hash)
            }
        }
        return children[remote.ipcp]?.layer.map { Flow.Layer(ipcp: remote.ipcp, name: $0.name, hash: remote.hash) }
    }

    mutating func flowMemoryCreated(_ id: FlowID) {
        guard let flow = book.flows[id] else { return outgoing.append(.releaseSegment(id)) }
        flow.hasSegment = true
        offer(id, to: .second)
    }

    mutating func flowMemoryFailed(_ id: FlowID, _ failure: Failure) {
        guard let flow = book.flows[id] else { return }
        if flow.place.linkIsNew, book.links.contains(flow.place.link) {
            releaseLink(flow.place.link)
        }
        guard let allocation = flow.allocation else { return release(id, .first, .withdrawn) }
        refuse(allocation, failure, "no memory for the flow: \(failure)")
        release(id, .first, .withdrawn)
    }

    /// Sends the end to its process, now or when the process has taken enough of what it was sent before.
    mutating func offer(_ id: FlowID, to end: End) {
        switch book.offer(id, to: end) {
        case .settled: break
        case .withoutServer(let flow): giveToNext(flow, end.other)
        case .made(let offer): send(offer)
        }
    }

    private mutating func send(_ offer: FlowBook.Offer) {
        let flow = offer.flow
        if offer.end == .second { report(.flow(.requestArrived(flow.name))) }
        if let remote = flow.remote, remote.end == offer.end {
            let patience = (flow.allocation?.deadline ?? now).since(now)
            let message = remote.message(with: offer.message, offer.request, patience: patience, of: flow.owner)
            outgoing.append(.request(message, remote.ipcp))
        } else if let connection = book.calls[offer.call]?.connection {
            outgoing.append(.offer(offer.message, offer.request, connection))
        }
    }

    /// The process has what it was sent, or does not want it.
    mutating func settleOffer(to process: ProcessID, descriptors: Int) {
        book.settleOffer(to: process, descriptors: descriptors)
        while let next = book.nextDelayed(of: process) { offer(next.flow, to: next.end) }
    }

    mutating func taken(_ id: FlowID, on call: CallID) {
        guard let (flow, end, descriptors) = book.offered(id, on: call) else { return }
        free(call)
        if flow.remote?.end == end { endAsking(flow) }
        flow[end].hold = .held
        delivered(flow, end, descriptors)
        report(.flow(.allocated(id)))
        switch end {
        case .first: established(flow)
        case .second:
            if case .released(let cause) = flow.client.hold {
                if cause != .deallocated { tellDown(flow, .second) }
            } else {
                offer(id, to: .first)
            }
        }
        settleOffer(to: flow[end].process, descriptors: descriptors)
    }

    /// The process has the descriptors that came with an offer.
    mutating func delivered(_ flow: Flow, _ end: End, _ descriptors: Int) {
        if book.delivered(flow, end, descriptors) {
            outgoing.append(.releaseLinkSocket(flow.place.link, flow.linkEnd(end)))
        }
    }

    private mutating func established(_ flow: Flow) {
        flow.isEstablished = true
        flow.hasSegment = false
        flowsAllocated += 1
        outgoing.append(.releaseSegment(flow.id))
        if let layer = flow.localLayer, children[layer.ipcp] != nil {
            outgoing.append(.request(.flowAllocated(flow.id), layer.ipcp))
        }
        // Whoever let go in the ordinary way has said so in the link, which the client has mapped by now.
        if case .released(let cause) = flow.server.hold, cause != .deallocated { tellDown(flow, .first) }
    }

    mutating func refused(_ id: FlowID, _ failure: Failure, on call: CallID) {
        guard case .attached(id, let end) = book.calls[call]?.stage, let flow = book.flows[id] else { return }
        report(.flow(.acceptorRefused(flow[end].process, flow.name, failure)))
        free(call)
        if end == .second { flow.allocation?.refusals += 1 }
        release(id, end, .withdrawn)
    }

    /// Tells an end that has the flow that the other is gone.
    mutating func tellDown(_ flow: Flow, _ end: End) {
        let process = flow[end].process
        guard book.has(process, flow.id), let session = attachments.processes[process]?.session else { return }
        send(.flowDown(flow.id), on: session)
    }
}
