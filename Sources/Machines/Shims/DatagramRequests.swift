// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The flow that a process of this host wants.
struct FlowWish: Sendable {
    let flow: FlowID
    let user: UserID
    let port: FlowPort
    let hash: [UInt8]
    let quality: QualityOfService
    var authentication: [UInt8]
    /// When the caller's patience ends.
    let deadline: Instant
}

/// A request that has no answer yet.
struct DepartedRequest: Sendable {
    var wish: FlowWish
    /// The question to the directory, while it lasts.
    let asker: RequestID
    var phase = Phase.searching
    /// When it goes on.
    var timer: TimerQueue<EndpointID>.Timer?
    /// The endpoints that the other host was asked with before; it may still answer to them.
    var formers: [EndpointID] = []

    enum Phase: Sendable {
        /// The directory has not said where the name is.
        case searching
        case asking(Transmission)
        /// Nobody has answered, and irmd is asked for what the other host can be asked with next.
        case renewing(Transmission)
        /// A reply has said what may be about a repetition of the request; a better one may come until then.
        case doubting(Failure, until: Instant)

        /// How often the request was sent, while an answer can end it.
        var transmissions: Int? {
            switch self {
            case .asking(let transmission), .renewing(let transmission): transmission.count
            case .searching, .doubting: nil
            }
        }
    }

    /// What is sent to a host of this system again and again, the same; to another host once.
    struct Transmission: Sendable {
        let datagram: [UInt8]
        /// Until the next time.
        var interval: TimeSpan
        var count = 0
    }

    init(_ wish: FlowWish, asker: RequestID) {
        self.wish = wish
        self.asker = asker
    }

    var deadline: Instant { if case .doubting(_, let until) = phase { until } else { wish.deadline } }
}

extension QualityOfService {
    /// Without loss in any order, which neither a layer of datagrams nor FRCP offers. spec: flow-qos §1
    var isLosslessWithoutOrder: Bool { loss == 0 && !inOrder }
}

/// The requester. spec: udp-layer §4.1
extension DatagramLayer {
    mutating func allocate(
        _ wish: FlowWish, for asker: RequestID, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard endpoints.canTake(wish.port) else {
            // It is not ours to let go of: there is a flow on it.
            return actions.append(refusal(of: wish.flow, .badDescriptor, "another flow uses port \(wish.port) already"))
        }
        func refuse(_ failure: Failure, _ reason: String) {
            actions += [.discard(wish.port), refusal(of: wish.flow, failure, reason)]
        }
        guard member != nil else { return refuse(.ipcpState, IPCPRefusal.notBootstrapped) }
        guard wish.hash.count == DatagramManagement.hashBytes else {
            return refuse(.invalid, "a hash of this layer has \(DatagramManagement.hashBytes) bytes")
        }
        guard !wish.quality.isLosslessWithoutOrder else {
            return refuse(.notSupported, "a flow between hosts without loss must be in order, too: ask for both")
        }
        let length = DatagramManagement.headerBytes + DatagramManagement.hashBytes + wish.authentication.count
        guard length <= datagramBytes else {
            return refuse(.messageTooLong, "the authentication is longer than a datagram")
        }
        guard askers[asker] == nil else { return refuse(.exists, IPCPRefusal.numberInUse) }
        guard let endpoint = endpoints.add(wish.port, for: wish.user, as: wish.flow) else {
            return refuse(.tableFull, DatagramLayer.tooManyFlows)
        }
        requests[endpoint] = DepartedRequest(wish, asker: asker)
        requesters[wish.flow] = endpoint
        askers[asker] = .flow(endpoint)
        wake(endpoint, at: wish.deadline)
        actions.append(.report(.allocatingFlow(hash: wish.hash, descriptor(wish.port), type)))
        member?.directory.look(up: wish.hash, for: asker, of: wish.user, now: now, into: &actions)
    }

    /// The directory knows where: recorded first, so that the fastest reply finds everything in place.
    mutating func ask(
        _ address: DatagramAddress, for endpoint: EndpointID, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard requests[endpoint] != nil else { return }
        endpoints.ask(address, for: endpoint)
        let interval = known.contains(address, now: now) ? Limits.requestInterval : Limits.strangerInterval
        begin(endpoint, to: address, interval, now: now, into: &actions)
    }

    private mutating func begin(
        _ endpoint: EndpointID, to address: DatagramAddress, _ interval: TimeSpan, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        guard let wish = requests[endpoint]?.wish else { return }
        let request = DatagramManagement.request(
            .init(requester: endpoint, hash: wish.hash, quality: wish.quality, authentication: wish.authentication))
        transmit(
            DepartedRequest.Transmission(datagram: request.encoded(), interval: interval), of: endpoint, to: address,
            now: now, into: &actions)
    }

    /// A host that may be of the prototype has not answered. The same bytes would take a second server there, and fail it; so
    /// would another request with the same authentication. spec: udp-layer §4.1
    private mutating func renew(
        _ endpoint: EndpointID, _ transmission: DepartedRequest.Transmission, into actions: inout [DatagramAction]
    ) {
        guard let request = requests[endpoint] else { return }
        requests[endpoint]?.phase = .renewing(transmission)
        wake(endpoint, at: request.deadline)
        actions.append(.reply(.unanswered(request.wish.flow)))
    }

    /// irmd says what the other host can be asked with. The flow gets another endpoint, too; the one before stays until one of
    /// them is accepted, because a server may only be late.
    mutating func askAgain(
        _ flow: FlowID, _ authentication: [UInt8], now: Instant, into actions: inout [DatagramAction]
    ) {
        guard let former = requesters[flow], var request = requests[former],
            case .renewing(let transmission) = request.phase, let address = endpoints.address(of: former)
        else { return }
        let length = DatagramManagement.headerBytes + DatagramManagement.hashBytes + authentication.count
        guard length <= datagramBytes else {
            return fail(former, .messageTooLong, "the authentication is longer than a datagram", into: &actions)
        }
        if let timer = request.timer { timers.cancel(timer) }
        request.timer = nil
        request.wish.authentication = authentication
        request.formers.append(former)
        let endpoint = endpoints.renew(former)
        for former in request.formers { formers[former] = endpoint }
        requests[former] = nil
        requests[endpoint] = request
        requesters[flow] = endpoint
        let interval = max(transmission.interval, Limits.strangerInterval)
        begin(endpoint, to: address, interval, now: now, into: &actions)
    }

    /// irmd has found that the host that has accepted the flow is one of this system.
    mutating func recognise(_ flow: FlowID, now: Instant) {
        guard let endpoint = requesters[flow], requests[endpoint] == nil,
            let address = endpoints.address(of: endpoint)
        else { return }
        endpoints.recognise(endpoint)
        known.note(address, now: now)
    }

    private mutating func transmit(
        _ transmission: DepartedRequest.Transmission, of endpoint: EndpointID, to address: DatagramAddress,
        now: Instant, into actions: inout [DatagramAction]
    ) {
        wake(endpoint, at: now + transmission.interval)
        var next = transmission
        next.interval = TimeSpan(nanoseconds: transmission.interval.nanoseconds * 2)
        next.count += 1
        requests[endpoint]?.phase = .asking(next)
        actions.append(.lower(.send(transmission.datagram, to: address)))
    }

    private mutating func wake(_ endpoint: EndpointID, at instant: Instant) {
        guard let request = requests[endpoint] else { return }
        if let timer = request.timer { timers.cancel(timer) }
        requests[endpoint]?.timer = timers.set(endpoint, at: min(instant, request.deadline))
    }

    /// It has its answer, or gets none.
    private mutating func finish(_ endpoint: EndpointID) -> DepartedRequest? {
        guard let request = requests.removeValue(forKey: endpoint) else { return nil }
        if let timer = request.timer { timers.cancel(timer) }
        for former in request.formers { formers[former] = nil }
        return request
    }

    /// The timer of the request came up.
    mutating func proceed(_ endpoint: EndpointID, now: Instant, into actions: inout [DatagramAction]) {
        guard let request = requests[endpoint] else { return }
        requests[endpoint]?.timer = nil
        let isOver = request.deadline <= now
        switch request.phase {
        case .searching where !isOver, .renewing where !isOver: wake(endpoint, at: request.deadline)
        case .asking(let transmission) where !isOver:
            guard let address = endpoints.address(of: endpoint) else { return wake(endpoint, at: request.deadline) }
            if known.contains(address, now: now) {
                transmit(transmission, of: endpoint, to: address, now: now, into: &actions)
            } else {
                renew(endpoint, transmission, into: &actions)
            }
        case .doubting(_, let until) where !isOver: wake(endpoint, at: until)
        case .searching: timedOut(endpoint, "the layer did not find the name in time", into: &actions)
        case .asking, .renewing: timedOut(endpoint, "the other host has not answered in time", into: &actions)
        case .doubting(let failure, _):
            let reason = "the other host has seen this request before, and its first answer was lost: try again"
            fail(endpoint, failure, reason, into: &actions)
        }
    }

    private mutating func timedOut(
        _ endpoint: EndpointID, _ reason: String, into actions: inout [DatagramAction]
    ) {
        // Whoever asks next shall not be sent to the same place without a look.
        if let hash = requests[endpoint]?.wish.hash { member?.directory.forget(hash) }
        fail(endpoint, .timedOut, reason, into: &actions)
    }

    mutating func arrived(
        _ reply: DatagramManagement.FlowReply, from source: DatagramAddress, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        let endpoint =
            endpoints.contains(reply.requester) ? reply.requester : formers[reply.requester] ?? reply.requester
        // Of a flow that is established or has failed, or from elsewhere.
        guard let request = requests[endpoint], endpoints.isAsked(endpoint, of: source) else {
            counters.dropped(.unexpectedReply)
            return decline(reply, from: source, now: now, into: &actions)
        }
        guard reply.response != 0 else {
            _ = finish(endpoint)
            if endpoint != reply.requester { endpoints.rename(endpoint, to: reply.requester) }
            requesters[request.wish.flow] = reply.requester
            endpoints.establish(
                reply.requester, with: EndpointTable.Peer(endpoint: reply.responder, address: source))
            actions += [
                .report(.flowEstablished(descriptor(request.wish.port), type)),
                .reply(
                    .taken(
                        request.wish.flow, authentication: reply.authentication,
                        with: Array(source.description.utf8))),
            ]
            return
        }
        let failure = Failure(result: Int(reply.response))
        // The last request decides: what is wrong with one before may be that it was there twice.
        guard endpoint == reply.requester, let count = request.phase.transmissions else {
            return counters.dropped(.unexpectedReply)
        }
        // The prototype takes a repetition for a replay. The answer to the first request may have been lost, or be just
        // behind this one. spec: udp-layer §4.2
        if failure == .authentication, count > 1 {
            known.forget(source)
            let until = min(now + Limits.doubtTime, request.wish.deadline)
            requests[reply.requester]?.phase = .doubting(failure, until: until)
            return wake(reply.requester, at: until)
        }
        fail(reply.requester, failure, "the other host has refused: \(failure)", into: &actions)
    }

    /// There will be no flow; everything of it goes.
    mutating func fail(
        _ endpoint: EndpointID, _ failure: Failure, _ reason: String, into actions: inout [DatagramAction]
    ) {
        guard let request = finish(endpoint) else { return }
        // Of no use any more; unless the number stands for another question by now.
        if askers[request.asker] == .flow(endpoint) { askers[request.asker] = nil }
        if requesters[request.wish.flow] == endpoint { requesters[request.wish.flow] = nil }
        endpoints.remove(endpoint)
        actions += [
            .report(.flowRefused(descriptor(request.wish.port), failure, type)), .discard(request.wish.port),
            refusal(of: request.wish.flow, failure, reason),
        ]
    }

    /// irmd gives up a request.
    mutating func end(_ flow: FlowID, into actions: inout [DatagramAction]) {
        guard let endpoint = requesters[flow] else { return }
        fail(endpoint, .interrupted, "irmd has given the request up", into: &actions)
    }

    func refusal(of flow: FlowID, _ failure: Failure, _ reason: String) -> DatagramAction {
        .reply(.refused(flow, failure, reason: Array(reason.utf8)))
    }

    func descriptor(_ port: FlowPort) -> FlowDescriptor { FlowDescriptor(port.rawValue) }
}
