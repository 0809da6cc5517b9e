// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import IPCP
import LocalProtocol
import Vocabulary
import Wire

/// The machine of a UDP layer, which is all hosts with one port and one directory: who asks for which flow, and which
/// packets belong to it. Flows are asked for until they are answered or the caller's patience ends. When a flow ends, a peer
/// that is of this system is told. FRCP is the business of the ends. spec: udp-layer
///
/// An `allocate` or `accept` without the memory of its flow (`DatagramEvent.request` instead of `offered`) is one whose memory
/// the driver could not map; it is answered with a failure.
package struct DatagramLayer: Sendable {
    /// How far a bootstrap is.
    private enum Step: Sendable {
        /// Waits for a look at the key, until the deadline.
        case trying(deadline: Instant)
        /// Waits for the hosts file, so that the first who asks finds its names, until the deadline.
        case reading(deadline: Instant)
        /// Waits for the socket.
        case opening(HostsFile?)
    }

    /// What a layer is made of, and who waits for it.
    private struct Founding: Sendable {
        let id: RequestID
        let configuration: LayerConfiguration
        let parameters: DatagramParameters
        let rights: FileRights
        var step: Step
    }

    /// What there is of the layer once this IPCP is a member.
    struct Membership: Sendable {
        let parameters: DatagramParameters
        var directory: Directory
    }

    /// Who waits for an answer of the directory.
    enum Asker: Hashable, Sendable {
        case query
        case flow(EndpointID)
    }

    /// All that is known of flows, for tests that look for what is left behind.
    struct Load: Hashable, Sendable {
        var endpoints = 0
        var requests = 0
        var arrivals = 0
        var answers = 0
        var askers = 0
        var requesters = 0
        var formers = 0
        var known = 0
        var goodbyes = 0
    }

    static let headerBytes = 4

    /// What the layer says of its flows. spec: udp-layer §1
    static let terms = FlowTerms(packetLifetime: TimeSpan(milliseconds: 5_000))

    let family: DatagramAddress.Family
    /// The longest datagram. spec: udp-layer §1
    let datagramBytes: Int
    /// A bootstrap that is under way. Not a case of one state with `member`: Swift changes a value in place only in an
    /// optional, and a directory that is copied for each packet of management would be slow.
    private var founding: Founding?
    var member: Membership?
    var askers: [RequestID: Asker] = [:]
    var endpoints: EndpointTable
    var counters = DatagramCounters()
    var requests: [EndpointID: DepartedRequest] = [:]
    /// The flows that this host has asked for, by what irmd calls them.
    var requesters: [FlowID: EndpointID] = [:]
    /// Endpoints that other hosts were asked with, and those of the same flows that they were asked with last.
    var formers: [EndpointID: EndpointID] = [:]
    var known = KnownHosts()
    var goodbyes = Goodbyes()
    var arrivals = ArrivedRequests()
    /// When requests go on.
    var timers = TimerQueue<EndpointID>()

    package init(_ family: DatagramAddress.Family, seed: UInt64) {
        self.family = family
        datagramBytes = Self.longestDatagram(of: family)
        endpoints = EndpointTable(seed: seed)
    }

    package static func longestDatagram(of family: DatagramAddress.Family) -> Int { family == .ipv4 ? 8_980 : 8_952 }

    package static func type(of family: DatagramAddress.Family) -> IPCPType { family == .ipv4 ? .udp4 : .udp6 }

    var type: IPCPType { Self.type(of: family) }

    var load: Load {
        Load(
            endpoints: endpoints.count, requests: requests.count, arrivals: arrivals.pending,
            answers: arrivals.answered,
            askers: askers.count, requesters: requesters.count, formers: formers.count, known: known.count,
            goodbyes: goodbyes.count)
    }

    /// Asked after every batch of packets.
    package var deadline: Instant? {
        switch founding?.step {
        case .trying(let deadline)?, .reading(let deadline)?: return deadline
        case .opening?, nil: break
        }
        let requests = Instant.earlier(timers.deadline, arrivals.deadline)
        let hosts = Instant.earlier(known.deadline, goodbyes.deadline)
        return Instant.earlier(Instant.earlier(requests, hosts), member?.directory.deadline)
    }

    package mutating func handle(_ event: DatagramEvent, now: Instant, into actions: inout [DatagramAction]) {
        switch event {
        case .request(let request): answer(request, now: now, into: &actions)
        case .offered(let port, let request): take(port, request, now: now, into: &actions)
        case .ended(let port): end(port, now: now, into: &actions)
        case .lower(let event): handle(event, now: now, into: &actions)
        case .timeout: expire(now: now, into: &actions)
        case .ending:
            endAll(into: &actions)
            member?.directory.withdraw(into: &actions)
        }
        for answer in member?.directory.takeAnswers() ?? [] { settle(answer, now: now, into: &actions) }
    }

    private mutating func handle(_ event: DatagramLower.Event, now: Instant, into actions: inout [DatagramAction]) {
        switch event {
        case .datagram(let bytes, let source): receive(bytes, from: source, now: now, into: &actions)
        case .opened: opened(now: now, into: &actions)
        case .notOpened(let failure): notOpened(failure, into: &actions)
        case .resolved(let inquiry, let resolution):
            member?.directory.resolved(inquiry, resolution, now: now, into: &actions)
        case .keyTried(let id, let obstacle): tried(id, obstacle, into: &actions)
        case .hosts(let file): adopt(file, now: now, into: &actions)
        case .noHosts(let obstacle): lackHosts(obstacle, now: now, into: &actions)
        }
    }

    private mutating func answer(_ request: IPCPRequest, now: Instant, into actions: inout [DatagramAction]) {
        switch request {
        case .bootstrap(let id, let configuration, let rights):
            bootstrap(id, configuration, by: rights, now: now, into: &actions)
        case .enroll(let id, _):
            refuse(id, .notSupported, "the members of a UDP layer need not enrol: bootstrap it", into: &actions)
        case .connect(let id, _, _, _), .disconnect(let id, _, _):
            refuse(id, .notSupported, "a UDP layer has no connections", into: &actions)
        case .register(let id, let hash): register(id, hash, into: &actions)
        case .unregister(let id, let hash): unregister(id, hash, into: &actions)
        case .query(let id, let hash, let user): query(id, hash, of: user, now: now, into: &actions)
        case .reject(let id, let failure): reject(id, failure, now: now, into: &actions)
        case .describe(let id): actions.append(.reply(.described(id, status)))
        case .flowEnded(let flow): end(flow, into: &actions)
        case .allocate(_, let offer, _, _, _, _):
            actions.append(.reply(.refused(offer.flow, .outOfMemory, reason: Array(Self.unmapped.utf8))))
        case .accept(let id, let offer, _, _, _):
            reject(id, .outOfMemory, now: now, into: &actions)
            actions.append(.reply(.refused(offer.flow, .outOfMemory, reason: Array(Self.unmapped.utf8))))
        // Of flows inside this host, which no UDP layer has.
        case .flowRequested, .flowAllocated: break
        case .askAgain(let flow, let authentication): askAgain(flow, authentication, now: now, into: &actions)
        case .recognised(let flow): recognise(flow, now: now)
        }
    }

    static let tooManyFlows = "there are too many flows in this layer, or too many of this user"

    private static let unmapped = "the IPCP could not map the memory of the flow"

    private mutating func take(
        _ port: FlowPort, _ request: IPCPRequest, now: Instant, into actions: inout [DatagramAction]
    ) {
        switch request {
        case .allocate(let id, let offer, let hash, let authentication, let patience, let user):
            let wish = FlowWish(
                flow: offer.flow, user: user, port: port, hash: hash, quality: offer.quality,
                authentication: authentication,
                deadline: now + patience)
            allocate(wish, for: id, now: now, into: &actions)
        case .accept(let id, let offer, let authentication, let user, let isOurs):
            accept(id, offer.flow, of: user, on: port, authentication, isOurs: isOurs, now: now, into: &actions)
        // Nothing else has the memory of a flow with it.
        case .bootstrap, .enroll, .connect, .disconnect, .register, .unregister, .query, .reject, .describe,
            .flowRequested, .flowAllocated, .flowEnded, .askAgain, .recognised:
            actions.append(.release(port))
        }
    }

    /// Management: the driver was told that this is control.
    private mutating func receive(
        _ bytes: [UInt8], from source: DatagramAddress, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard member != nil, let message = try? DatagramManagement(decoding: bytes) else {
            return counters.dropped(.malformed)
        }
        switch message {
        case .request(let request):
            arrived(request, fingerprint: Fingerprint(of: bytes), from: source, now: now, into: &actions)
        case .reply(let reply): arrived(reply, from: source, now: now, into: &actions)
        case .gone(let gone): arrived(gone, from: source, into: &actions)
        }
    }

    private mutating func expire(now: Instant, into actions: inout [DatagramAction]) {
        switch founding?.step {
        case .trying(let deadline)? where deadline <= now:
            return tried(founding?.id, .late, into: &actions)
        case .reading(let deadline)? where deadline <= now: return lackHosts(.late, now: now, into: &actions)
        case .trying?, .reading?, .opening?, nil: break
        }
        while let endpoint = timers.next(now: now) { proceed(endpoint, now: now, into: &actions) }
        sayAgain(now: now, into: &actions)
        arrivals.expire(now: now)
        known.expire(now: now)
        member?.directory.expire(now: now, into: &actions)
    }

    // The layer.

    private mutating func bootstrap(
        _ id: RequestID, _ configuration: LayerConfiguration, by rights: FileRights, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        guard member == nil else { return refuse(id, .ipcpState, IPCPRefusal.bootstrapped, into: &actions) }
        guard founding == nil else { return refuse(id, .busy, IPCPRefusal.bootstrapping, into: &actions) }
        guard configuration.parameters.type == type else {
            return refuse(id, .ipcpType, IPCPRefusal.otherType(type), into: &actions)
        }
        if let fault = configuration.fault { return refuse(id, .invalid, fault.description, into: &actions) }
        guard let parameters = configuration.parameters.datagram, parameters.isValid(for: family) else {
            return refuse(id, .invalid, "the layer needs an address of this host and a port", into: &actions)
        }
        if let reason = DatagramLayer.fault(in: parameters) { return refuse(id, .invalid, reason, into: &actions) }
        actions.append(.report(.bootstrapping))
        let deadline = now + Limits.namedFilesTimeout
        let founding = Founding(
            id: id, configuration: configuration, parameters: parameters, rights: rights,
            step: .trying(deadline: deadline))
        self.founding = founding
        guard !parameters.key.isEmpty else { return read(founding, until: deadline, into: &actions) }
        actions.append(.lower(.tryKey(id, parameters.key, by: rights)))
    }

    /// A key that cannot be read now would be missed only when a name is registered, by nobody but the log.
    private mutating func tried(_ id: RequestID?, _ obstacle: FileObstacle?, into actions: inout [DatagramAction]) {
        // The answer may come after the deadline, to another request.
        guard let founding, case .trying(let deadline) = founding.step, founding.id == id else { return }
        guard let obstacle else { return read(founding, until: deadline, into: &actions) }
        self.founding = nil
        lack("key", at: founding.parameters.key, of: founding, obstacle, into: &actions)
    }

    private mutating func read(_ founding: Founding, until deadline: Instant, into actions: inout [DatagramAction]) {
        let parameters = founding.parameters
        guard !parameters.hosts.isEmpty else {
            self.founding?.step = .opening(nil)
            return actions.append(.lower(.open(parameters.own)))
        }
        self.founding?.step = .reading(deadline: deadline)
        actions.append(.lower(.followHosts(parameters.hosts, for: parameters.own, by: founding.rights)))
    }

    private func lack(
        _ kind: String, at path: [UInt8], of founding: Founding, _ obstacle: FileObstacle,
        into actions: inout [DatagramAction]
    ) {
        actions.append(.report(.bootstrapFailed(obstacle.failure)))
        refuse(
            founding.id, obstacle.failure, "cannot read \(kind) file \(printable(path)): \(obstacle)", into: &actions)
    }

    private mutating func adopt(_ file: HostsFile, now: Instant, into actions: inout [DatagramAction]) {
        member?.directory.adopt(file, now: now, into: &actions)
        guard let founding else { return }
        switch founding.step {
        case .trying: break
        case .reading:
            self.founding?.step = .opening(file)
            actions.append(.lower(.open(founding.parameters.own)))
        case .opening: self.founding?.step = .opening(file)
        }
    }

    private mutating func lackHosts(_ obstacle: FileObstacle, now: Instant, into actions: inout [DatagramAction]) {
        member?.directory.lackHosts(obstacle, now: now, into: &actions)
        guard let founding, case .reading = founding.step else { return }
        self.founding = nil
        actions.append(.lower(.leaveHosts))
        lack("hosts", at: founding.parameters.hosts, of: founding, obstacle, into: &actions)
    }

    /// What is wrong with the addresses, as far as they say so themselves.
    private static func fault(in parameters: DatagramParameters) -> String? {
        let own = parameters.own
        for address in [own, parameters.server].compactMap({ $0 }) {
            if let unfitness = address.unfitness { return "\(address.addressText) \(unfitness)" }
            if address.lacksScope { return "\(address.addressText) \(DatagramAddress.Unfitness.lacksScope)" }
        }
        guard let server = parameters.server else { return nil }
        if server.port == 0 { return "a DNS server needs a port" }
        return server == own ? "the DNS server cannot be at the port of the layer itself" : nil
    }

    private mutating func opened(now: Instant, into actions: inout [DatagramAction]) {
        guard let founding, case .opening(let hosts) = founding.step else { return }
        self.founding = nil
        member = Membership(
            parameters: founding.parameters, directory: Directory(founding.parameters, by: founding.rights))
        actions += [
            .report(.bootstrapped(founding.configuration)), .report(.layerType(type)),
            .report(.layerHash(founding.configuration.hash)),
        ]
        if let hosts { member?.directory.adopt(hosts, now: now, into: &actions) }
        actions.append(
            .reply(.bootstrapped(founding.id, messageBytes: UInt32(datagramBytes - Self.headerBytes), Self.terms)))
    }

    private mutating func notOpened(_ failure: Failure, into actions: inout [DatagramAction]) {
        guard let founding, case .opening = founding.step else { return }
        let own = founding.parameters.own
        if !founding.parameters.hosts.isEmpty { actions.append(.lower(.leaveHosts)) }
        self.founding = nil
        let reason =
            switch failure {
            case .addressInUse: "port \(own.port) of \(own.addressText) is in use"
            case .addressNotAvailable: "\(own.addressText) is not an address of this host"
            case .noDevice: "there is no network interface \(own.scope)"
            case .accessDenied: "port \(own.port) is for root alone"
            default: "no socket for port \(own.port) of \(own.addressText): \(failure)"
            }
        actions += [
            .report(.bootstrapFailed(failure)), .report(.refused(reason)),
            .reply(.failed(founding.id, failure, reason: Array(reason.utf8))),
        ]
    }

    private var status: LayerStatus {
        var status = LayerStatus()
        let parameters = member?.parameters
        status.address = parameters.map { Array($0.own.addressText.utf8) } ?? []
        status.port = parameters?.own.port ?? 0
        status.server = parameters?.server.map { Array($0.description.utf8) } ?? []
        status.flows = UInt32(endpoints.count)
        status.peers = Set(endpoints.peers).map { $0.addressText }.sorted().prefix(Limits.listedPeers).map {
            Array($0.utf8)
        }
        status.counters = counters.status
        return status
    }

    func refuse(_ id: RequestID, _ failure: Failure, _ reason: String, into actions: inout [DatagramAction]) {
        actions += [.report(.refused(reason)), .reply(.failed(id, failure, reason: Array(reason.utf8)))]
    }
}
