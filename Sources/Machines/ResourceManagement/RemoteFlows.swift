// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import FlowProtocol
import LocalProtocol
import Vocabulary

/// Flows to and from other hosts: one end is a process's here, the other an IPCP's, which carries the packets. For the
/// broker such a flow is like any other: an IPCP that asks for one is a client, one that is asked is a server that
/// accepts, each with a call over the IPCP's channel (`Call.Way.channel`).
extension ResourceManager {
    /// A request over the channel of an IPCP; nil if it is not attached. `name`: what another host asks for.
    private mutating func openCall(of ipcp: ProcessID, for name: ServiceName? = nil) -> CallID? {
        guard let process = attachments.processes[ipcp] else { return nil }
        if let name, !children.beginArrival(at: ipcp, for: name) { return nil }
        return book.openCall(.channel(ipcp), of: process.credentials, for: name)
    }

    // From here.

    /// The layer of the IPCP knows the name: the other host is asked through it.
    mutating func beginRemote(_ allocation: Allocation, with ipcp: ProcessID) {
        guard let record = children[ipcp], record.layer != nil, let reach = record.reach else {
            return refuseWithoutIPCP(allocation)
        }
        let own = ownProperties(for: allocation.quality, over: reach)
        let negotiation = Negotiation.Request(allocation.quality, own: own)
        authenticate(
            .begin(payload: negotiation.data), for: .request(allocation.call, with: ipcp, negotiation), of: allocation)
    }

    /// What an end of this host says of itself on a flow with FRCP.
    private mutating func ownProperties(for quality: QualityOfService, over reach: LayerReach) -> EndProperties? {
        guard quality.inOrder else { return nil }
        return .ours(firstSequence: secrets.next(), packetBytes: reach.messageBytes)
    }

    /// The IPCP gets the flow's second end, and asks the other host.
    mutating func askOtherHost(
        _ allocation: Allocation, with ipcp: ProcessID, _ client: AuthenticationClient,
        _ negotiation: Negotiation.Request
    ) {
        guard let record = children[ipcp], let layer = record.layer, let reach = record.reach,
            let call = openCall(of: ipcp)
        else { return refuseWithoutIPCP(allocation) }
        let user = user(of: allocation)
        guard children.mayAsk(ipcp, for: user, isExempt: isExempt(user)) else {
            free(call)
            return refuse(allocation, .tableFull, "uid \(user) waits for as many flows of the layer as one user may")
        }
        let remote = RemoteEnd(
            ipcp: ipcp, end: .second, reach: reach,
            hash: hashing.digest(of: allocation.name, with: layer.hash), authentication: client.request,
            inquiry: RemoteEnd.Inquiry(clients: [client], negotiation: negotiation))
        let request = children.nextRequest()
        begin(allocation, book.accept(request, on: call, of: ipcp, deadline: nil), remote)
    }

    private mutating func refuseWithoutIPCP(_ allocation: Allocation) {
        refuse(allocation, .ipcp, "the IPCP that knows \(allocation.name) is gone")
    }

    /// A flow that another host is asked for.
    mutating func beginAsking(_ flow: Flow) {
        guard let remote = flow.remote, remote.end == .second else { return }
        flow.isAsked = children.beginAsking(remote.ipcp, for: flow.owner, isExempt: isExempt(flow.owner))
    }

    /// The other host has answered, or nobody waits for the answer.
    mutating func endAsking(_ flow: Flow) {
        guard flow.isAsked, let remote = flow.remote else { return }
        flow.isAsked = false
        children.endAsking(remote.ipcp, for: flow.owner)
    }

    /// The other host has not answered, and may not be asked with the same bytes again. It is told the same of this end.
    mutating func remoteUnanswered(_ id: FlowID, by ipcp: ProcessID) {
        guard let flow = unansweredFlow(id), flow.remote?.ipcp == ipcp, let inquiry = flow.remote?.inquiry else {
            return
        }
        _ = authenticate(.begin(payload: inquiry.negotiation.data), for: .repetition(id))
    }

    mutating func askAgain(_ id: FlowID, _ client: AuthenticationClient) {
        guard let flow = unansweredFlow(id), let ipcp = flow.remote?.ipcp else { return }
        flow.remote?.inquiry?.clients.append(client)
        outgoing.append(.request(.askAgain(id, authentication: client.request), ipcp))
    }

    /// There is nothing to ask the other host with.
    mutating func giveUpAsking(_ id: FlowID, _ trouble: AuthenticationTrouble) {
        guard let allocation = unansweredFlow(id)?.allocation else { return }
        release(id, .first, .withdrawn)
        refuse(allocation, trouble.failure, trouble.text)
    }

    /// The flow, if its client still waits for the other host's answer.
    private func unansweredFlow(_ id: FlowID) -> Flow? {
        guard let flow = book.flows[id], !flow.isChecked, flow.allocation != nil, flow.remote?.inquiry != nil,
            case .offered = flow.server.hold
        else { return nil }
        return flow
    }

    /// The other host has accepted, and is the one that was asked. `payload`: what it says of its end.
    mutating func otherHostIsAuthentic(_ id: FlowID, _ payload: [UInt8]) {
        guard let (flow, call) = checkedOffer(id), let remote = flow.remote, let inquiry = remote.inquiry else {
            return
        }
        do throws(Failure) {
            let negotiated = try inquiry.negotiation.result(of: payload)
            flow.remote?.negotiated = negotiated
            if negotiated.isOurs { outgoing.append(.request(.recognised(id), remote.ipcp)) }
        } catch {
            return otherHostIsNotAuthentic(id, .impossibleProperties)
        }
        taken(flow.id, on: call)
    }

    mutating func otherHostIsNotAuthentic(_ id: FlowID, _ trouble: AuthenticationTrouble) {
        guard let (flow, call) = checkedOffer(id) else { return }
        // The IPCP has the flow: until it lets go, nobody else gets its place.
        let allocation = flow.allocation
        flow.allocation = nil
        release(flow.id, .first, .withdrawn)
        taken(flow.id, on: call)
        guard let allocation else { return }
        tryAgain(allocation, with: flow, trouble.failure, trouble.text)
    }

    /// The flow whose answer was checked, unless one of its ends was let go of meanwhile.
    private func checkedOffer(_ id: FlowID) -> (Flow, CallID)? {
        guard let flow = book.flows[id], flow.isChecked, let remote = flow.remote else { return nil }
        return remoteOffer(id, to: remote.ipcp)
    }

    private mutating func remoteRefused(_ flow: Flow, _ failure: Failure, _ reason: String) {
        guard let remote = flow.remote else { return }
        let allocation = flow.allocation
        if remote.end == .second { flow.allocation = nil }
        release(flow.id, remote.end, .withdrawn)
        guard let allocation, remote.end == .second else { return }
        tryAgain(allocation, with: flow, failure, reason)
    }

    /// Tries with another flow, if that may help; else the allocation is refused.
    private mutating func tryAgain(
        _ allocation: Allocation, with flow: Flow, _ failure: Failure, _ reason: String
    ) {
        guard let remote = flow.remote, failure == .authentication, !allocation.isSecondAttempt else {
            guard failure == .name, let record = naming[allocation.name], allocation.deadline > now else {
                return refuse(allocation, failure, reason)
            }
            // Its layer does not know the name. Somebody may have come to serve it here meanwhile, or may still come.
            if isServed(record, for: allocation.process) { return seek(allocation) }
            return waitForServer(allocation) ? () : refuse(allocation, failure, reason)
        }
        // Perhaps the other host has seen the request twice, and takes the second for an attack: the prototype does.
        var second = allocation
        second.isSecondAttempt = true
        beginRemote(second, with: remote.ipcp)
    }

    // From other hosts.

    /// Another host asks for a flow.
    mutating func arrived(
        _ request: RequestID, _ hash: [UInt8], _ quality: QualityOfService, _ authentication: [UInt8],
        from address: [UInt8], at ipcp: ProcessID
    ) {
        let address = Array(address.prefix(Limits.hostBytes))
        guard let layer = children[ipcp]?.layer, !isStopping,
            let name = naming.name(of: hash, layer.hash),
            let record = naming[name],
            isServed(record, for: ipcp) || record.settings.wait.nanoseconds > 0
        else { return reject(request, .name, from: address, at: ipcp) }
        // Nobody knows who asks, so it is the name that has a share of what may wait, and no name keeps the others' places.
        guard children.mayArrive(at: ipcp, for: name), let call = openCall(of: ipcp, for: name) else {
            return reject(request, .ipcp, from: address, at: ipcp)
        }
        let response: Negotiation.Response
        do throws(Failure) {
            let own = children[ipcp]?.reach.flatMap { ownProperties(for: quality, over: $0) }
            response = try Negotiation.Response(
                to: AuthenticationServer.payload(of: authentication), quality, own: own)
        } catch {
            report(.flow(.requestNotAuthentic(name, .otherQuality, from: address)))
            free(call)
            return reject(request, error, from: address, at: ipcp)
        }
        let allocation = Allocation(
            request: request, call: call, process: ipcp, name: name, quality: quality,
            deadline: now + Limits.allocationTimeout, arrival: book.nextArrival(),
            origin: Origin(negotiated: response.result, address: address))
        authenticate(
            .answer(request: authentication, payload: response.data), for: .arrival(call), of: allocation)
    }

    /// The request of another host is authentic. `authentication`: goes back to it with the answer.
    mutating func arrived(_ allocation: Allocation, authentication: [UInt8]) {
        var allocation = allocation
        allocation.origin?.authentication = authentication
        book.idle(allocation.call)
        allocate(allocation)
    }

    mutating func reject(_ allocation: Allocation, _ trouble: AuthenticationTrouble) {
        let address = allocation.origin?.address ?? []
        report(.flow(.requestNotAuthentic(allocation.name, trouble, from: address)))
        reject(allocation.request, trouble.failure, from: address, at: allocation.process)
        free(allocation.call)
    }

    private mutating func reject(
        _ request: RequestID, _ failure: Failure, from address: [UInt8], at ipcp: ProcessID
    ) {
        report(.flow(.arrivalRejected(ipcp, failure, from: address)))
        outgoing.append(.request(.reject(request, failure), ipcp))
    }

    /// The IPCP's part in a flow that another host asked for.
    func remote(of allocation: Allocation) -> RemoteEnd? {
        guard let origin = allocation.origin, let reach = children[allocation.process]?.reach else { return nil }
        return RemoteEnd(
            ipcp: allocation.process, end: .first, reach: reach, hash: [], authentication: origin.authentication,
            negotiated: origin.negotiated)
    }

    // What IPCPs say of their flows.

    /// The IPCP has mapped its end, so its descriptors are delivered; that says nothing of the other host.
    mutating func remoteMapped(_ id: FlowID, by ipcp: ProcessID) {
        guard let flow = book.flows[id], let remote = flow.remote, remote.ipcp == ipcp,
            case .offered(let request, let call, let descriptors) = flow[remote.end].hold, descriptors > 0
        else { return }
        delivered(flow, remote.end, descriptors)
        flow[remote.end].hold = .offered(request, call, descriptors: 0)
        settleOffer(to: ipcp, descriptors: descriptors)
    }

    mutating func remoteTaken(
        _ id: FlowID, _ authentication: [UInt8], with address: [UInt8], by ipcp: ProcessID
    ) {
        // A second answer changes nothing of the first.
        guard let (flow, call) = remoteOffer(id, to: ipcp), !flow.isChecked else { return }
        flow.host = Array(address.prefix(Limits.hostBytes))
        guard let clients = flow.remote?.inquiry?.clients, let last = clients.last else { return taken(id, on: call) }
        flow.isChecked = true
        let client = clients.first { $0.isAnswered(by: authentication) } ?? last
        _ = authenticate(.check(client, response: authentication), for: .response(id))
    }

    mutating func remoteRefused(_ id: FlowID, _ failure: Failure, _ reason: [UInt8], by ipcp: ProcessID) {
        guard let (flow, _) = remoteOffer(id, to: ipcp) else { return }
        // The other host is told by its IPCP, which may never have been given the flow.
        if case .offered(let request, _, _) = flow.client.hold, flow.remote?.end == .first {
            outgoing.append(.request(.reject(request, failure), ipcp))
        }
        remoteRefused(flow, failure, printable(sentence: reason))
    }

    private func remoteOffer(_ id: FlowID, to ipcp: ProcessID) -> (Flow, CallID)? {
        guard let flow = book.flows[id], let remote = flow.remote, remote.ipcp == ipcp,
            case .offered(_, let call, _) = flow[remote.end].hold
        else { return nil }
        return (flow, call)
    }
}
