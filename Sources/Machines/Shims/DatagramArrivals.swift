// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The responder. Requests do not wait for each other; each is answered once by irmd, and its repetitions with the same
/// bytes. spec: udp-layer §4.2
extension DatagramLayer {
    mutating func arrived(
        _ request: DatagramManagement.FlowRequest, fingerprint: Fingerprint, from source: DatagramAddress, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        // Not from ourselves: what would be sent back would come to us again.
        guard let own = member?.parameters.own, source != own, (try? source.reached(from: own)) != nil else {
            return counters.dropped(.impossibleSource)
        }
        let key = ArrivedRequests.Key(source: source, requester: request.requester)
        switch arrivals.known(key, fingerprint) {
        case .pending: return counters.dropped(.repeatedRequest)
        case .answered(let reply): return actions.append(.lower(.send(reply, to: source)))
        case .no: break
        }
        // Never degraded in silence. It needs no memory: a repetition gets the same answer.
        guard !request.quality.isLosslessWithoutOrder else {
            let reply = encoded(.notSupported, to: key)
            return actions.append(.lower(.send(reply, to: source)))
        }
        guard let id = arrivals.add(key, request.hash, fingerprint, now: now) else { return counters.dropped(.crowded) }
        actions.append(
            .reply(
                .arrived(
                    id, hash: request.hash, request.quality, authentication: request.authentication,
                    from: Array(source.description.utf8))))
    }

    mutating func accept(
        _ id: RequestID, _ flow: FlowID, of user: UserID, on port: FlowPort, _ authentication: [UInt8], isOurs: Bool,
        now: Instant, into actions: inout [DatagramAction]
    ) {
        guard endpoints.canTake(port) else {
            // It is not ours to let go of: there is a flow on it.
            reject(id, .badDescriptor, now: now, into: &actions)
            return actions.append(refusal(of: flow, .badDescriptor, "another flow uses port \(port) already"))
        }
        func refuse(_ failure: Failure, _ reason: String) {
            actions += [.discard(port), refusal(of: flow, failure, reason)]
        }
        guard let request = arrivals.asker(of: id) else {
            return refuse(.timedOut, "the other host does not wait for this answer any more")
        }
        let key = request.key
        // Who asks may have another's address: nobody is sent much more than was received.
        let bytes = DatagramManagement.headerBytes + authentication.count
        guard bytes <= Limits.answerBytes, bytes * 10 <= request.bytes * Limits.answerGrowthTenths else {
            reject(id, .messageTooLong, now: now, into: &actions)
            return refuse(.messageTooLong, "the authentication is too long for an answer to a stranger")
        }
        guard let endpoint = endpoints.add(port, for: user, askedBy: key.source) else {
            reject(id, .tableFull, now: now, into: &actions)
            return refuse(.tableFull, DatagramLayer.tooManyFlows)
        }
        endpoints.establish(endpoint, with: EndpointTable.Peer(endpoint: key.requester, address: key.source))
        if isOurs {
            endpoints.recognise(endpoint)
            known.note(key.source, now: now)
        }
        let reply = DatagramManagement.reply(
            .init(requester: key.requester, responder: endpoint, response: 0, authentication: authentication)
        ).encoded()
        arrivals.answer(id, reply, accepts: true, now: now)
        actions += [
            .report(.flowEstablished(descriptor(port), type)), .lower(.send(reply, to: key.source)),
            .reply(.taken(flow, authentication: [], with: Array(key.source.description.utf8))),
        ]
    }

    mutating func reject(
        _ id: RequestID, _ failure: Failure, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard let key = arrivals.asker(of: id)?.key else { return }
        let reply = encoded(failure, to: key)
        arrivals.answer(id, reply, accepts: false, now: now)
        actions.append(.lower(.send(reply, to: key.source)))
    }

    /// A refusal has no authentication, and no endpoint: nothing is held for it. spec: udp-layer §3.4
    private func encoded(_ failure: Failure, to key: ArrivedRequests.Key) -> [UInt8] {
        DatagramManagement.reply(
            .init(
                requester: key.requester, responder: .management, response: -max(failure.errno, 1), authentication: [])
        ).encoded()
    }
}
