// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A flow from the meeting of an allocation with an acceptor until both ends have taken it: first the server, so that
/// a client that has a flow has a server too.
extension ResourceManager {
    mutating func begin(
        _ allocation: Allocation, _ accept: Acceptors.Accept, of server: ProcessID, _ remote: Remote? = nil
    ) {
        guard let flow = makeFlow(allocation, accept, of: server, remote ?? self.remote(of: allocation)) else {
            restore(accept, of: server)
            return refuse(
                allocation, .badDescriptor, "there are too many flows, or too many bytes in their queues, of this user")
        }
        flows[flow.id] = flow
        beginAsking(flow)
        waitingArrivals.remove(allocation.connection)
        connections[allocation.connection]?.call = .attached(flow.id, .first)
        connections[accept.connection]?.call = .attached(flow.id, .second)
        processes[allocation.process]?.flows.insert(flow.id)
        processes[server]?.flows.insert(flow.id)
        arm(allocation.connection, at: allocation.deadline)
        if let layer = flow.localLayer {
            children.add(flow.id, to: layer.ipcp)
            outgoing.append(.request(.flowRequested(flow.id, hash: layer.hash), layer.ipcp))
        }
        outgoing.append(.createFlowMemory(flow.id, flow.place, provider: flow.remote?.end))
    }

    /// Nil at a limit; then nothing is taken.
    private mutating func makeFlow(
        _ allocation: Allocation, _ accept: Acceptors.Accept, of server: ProcessID, _ remote: Remote?
    ) -> Flow? {
        guard let clientProcess = processes[allocation.process], let serverProcess = processes[server],
            case let client = party(clientProcess, on: allocation.connection),
            case let acceptor = party(serverProcess, on: accept.connection),
            case let owner = remote?.end == .first ? acceptor.user : client.user,
            let queueBytes = quotas.addFlow(of: owner, isRemote: remote != nil)
        else { return nil }
        guard let id = flowNumbers.take() else {
            quotas.removeFlow(of: owner, queueBytes, isRemote: remote != nil)
            return nil
        }
        guard let place = place(client.process, server, of: owner) else {
            quotas.removeFlow(of: owner, queueBytes, isRemote: remote != nil)
            flowNumbers.giveBack(id)
            return nil
        }
        return Flow(
            id: id, name: allocation.name, quality: allocation.quality, queueBytes: queueBytes, place: place,
            layer: layer(of: allocation.name, remote), remote: remote, begun: now,
            host: allocation.origin?.address ?? [], client: client, server: acceptor,
            accept: accept, allocation: allocation)
    }

    private func party(_ process: AttachedProcess, on call: ConnectionID) -> Flow.Party {
        Flow.Party(process, as: connections[call]?.credentials ?? process.credentials)
    }

    private mutating func place(_ client: ProcessID, _ server: ProcessID, of owner: UserID) -> LinkPlace? {
        let isNew = !links.contains(client: client, server: server)
        guard !isNew || quotas.addLink(of: owner) else { return nil }
        return links.place(client: client, server: server, owner: owner)
    }

    mutating func releaseLink(_ link: LinkID) {
        if let owner = links.owner(of: link) { quotas.removeLink(of: owner) }
        links.remove(link)
        outgoing.append(.releaseLink(link))
    }

    private func layer(of name: ServiceName, _ remote: Remote?) -> Flow.Layer? {
        guard let remote else {
            return naming[name]?.localLayer.map { local in
                Flow.Layer(ipcp: local.ipcp, name: local.registration.layer, hash: local.registration.hash)
            }
        }
        return children[remote.ipcp]?.layer.map { Flow.Layer(ipcp: remote.ipcp, name: $0.name, hash: remote.hash) }
    }

    mutating func flowMemoryCreated(_ id: FlowID) {
        guard let flow = flows[id] else { return outgoing.append(.releaseSegment(id)) }
        flow.hasSegment = true
        offer(id, to: .second)
    }

    mutating func flowMemoryFailed(_ id: FlowID, _ failure: Failure) {
        guard let flow = flows[id] else { return }
        if flow.place.linkIsNew, links.contains(flow.place.link) {
            releaseLink(flow.place.link)
        }
        guard let allocation = flow.allocation else { return release(id, .first, .withdrawn) }
        refuse(allocation, failure, "no memory for the flow: \(failure)")
        release(id, .first, .withdrawn)
    }

    /// Sends the end to its process, now or when the process has taken enough of what it was sent before.
    mutating func offer(_ id: FlowID, to end: End) {
        guard let flow = flows[id], let process = processes[flow[end].process], process.flows.contains(id) else {
            return
        }
        let place = flow.place
        // Its server let go of it while the client had to wait, and has died since.
        guard links.contains(place.link) else { return giveToNext(flow, end.other) }
        let linkEnd = flow.linkEnd(end)
        let linkIsIncluded = links.isMissing(at: linkEnd, of: place.link)
        let descriptors = linkIsIncluded ? 3 : 1
        guard process.undelivered + descriptors <= Limits.undeliveredDescriptors else {
            process.delayed.append(AttachedProcess.DelayedOffer(flow: id, end: end))
            return
        }
        let request: RequestID
        let connection: ConnectionID
        let allocation = flow.allocation
        switch end {
        case .first:
            guard let allocation else { return }
            (request, connection) = (allocation.request, allocation.connection)
            // The verdict is given: from here on the client's deadline is past.
            flow.allocation = nil
        case .second:
            report(.flow(.requestArrived(flow.name)))
            (request, connection) = (flow.accept.request, flow.accept.connection)
        }
        process.undelivered += descriptors
        flow[end].hold = .offered(request, connection, descriptors: descriptors)
        let peer = processes[flow[end.other].process]
        let isExpedited =
            process.features.contains(.expeditedBarrier) && peer?.features.contains(.expeditedBarrier) == true
        var offer = FlowOffer(
            flow: id, end: end, quality: flow.quality, peer: flow[end.other].process,
            parties: flow.parties(for: end), link: place.link, slot: place.slot, linkEnd: linkEnd,
            linkIsIncluded: linkIsIncluded, isExpedited: isExpedited,
            queueBytes: flow.queueBytes(from: end), arrivingQueueBytes: flow.queueBytes(from: end.other))
        guard let remote = flow.remote else { return outgoing.append(.offer(offer, request, connection)) }
        offer.messageBytes = remote.messageBytes
        guard end == remote.end else {
            offer.role = .user
            return outgoing.append(.offer(offer, request, connection))
        }
        offer.role = .provider
        let message = remote.message(with: offer, request, allocation, of: flow.owner, now: now)
        outgoing.append(.request(message, remote.ipcp))
    }

    private mutating func sendDelayed(to process: ProcessID) {
        while let next = processes[process]?.delayed.first {
            if let flow = flows[next.flow], case .waiting = flow[next.end].hold {
                let descriptors = links.isMissing(at: flow.linkEnd(next.end), of: flow.place.link) ? 3 : 1
                let undelivered = processes[process]?.undelivered ?? 0
                guard undelivered + descriptors <= Limits.undeliveredDescriptors else { return }
                processes[process]?.delayed.removeFirst()
                offer(next.flow, to: next.end)
            } else {
                // It was withdrawn while it waited.
                processes[process]?.delayed.removeFirst()
            }
        }
    }

    /// The process has what it was sent, or does not want it.
    mutating func settleOffer(to process: ProcessID, descriptors: Int) {
        processes[process]?.undelivered -= descriptors
        sendDelayed(to: process)
    }

    mutating func taken(_ id: FlowID, on connection: ConnectionID) {
        guard case .attached(id, let end) = connections[connection]?.call,
            let flow = flows[id], case .offered(_, connection, let descriptors) = flow[end].hold
        else { return }
        free(connection)
        if flow.remote?.end == end { endAsking(id) }
        flow[end].hold = .held
        delivered(flow, end, descriptors)
        report(.flow(.allocated(id)))
        switch end {
        case .first: established(id)
        case .second:
            if case .released(let cause) = flow.client.hold {
                if cause != .deallocated { tellDown(id, .second) }
            } else {
                offer(id, to: .first)
            }
        }
        settleOffer(to: flow[end].process, descriptors: descriptors)
    }

    /// The process has the descriptors that came with an offer.
    mutating func delivered(_ flow: Flow, _ end: End, _ descriptors: Int) {
        let linkEnd = flow.linkEnd(end)
        if descriptors > 1, links.delivered(to: linkEnd, of: flow.place.link) {
            outgoing.append(.releaseLinkSocket(flow.place.link, linkEnd))
        }
    }

    private mutating func established(_ id: FlowID) {
        guard let flow = flows[id] else { return }
        flow.isEstablished = true
        flow.hasSegment = false
        flowsAllocated += 1
        outgoing.append(.releaseSegment(id))
        if let layer = flow.localLayer, children[layer.ipcp] != nil {
            outgoing.append(.request(.flowAllocated(id), layer.ipcp))
        }
        // Who let go in the ordinary way has said so in the link, which the client has mapped by now.
        if case .released(let cause) = flow.server.hold, cause != .deallocated { tellDown(id, .first) }
    }

    mutating func refused(_ id: FlowID, _ failure: Failure, on connection: ConnectionID) {
        guard case .attached(id, let end) = connections[connection]?.call, let flow = flows[id] else { return }
        report(.flow(.acceptorRefused(flow[end].process, flow.name, failure)))
        free(connection)
        if end == .second { flow.allocation?.refusals += 1 }
        release(id, end, .withdrawn)
    }

    /// Tells an end that has the flow that the other is gone.
    mutating func tellDown(_ id: FlowID, _ end: End) {
        guard let process = flows[id]?[end].process, let attached = processes[process], attached.flows.contains(id),
            let session = attached.session
        else { return }
        send(.flowDown(id), on: session)
    }
}
