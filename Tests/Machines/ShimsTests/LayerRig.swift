// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// A layer whose irmd, driver and network are the test.
struct LayerRig {
    static let own = address(1)
    static let peer = address(2)
    static let hash = [UInt8](0xA0...0xAF)

    var layer: DatagramLayer
    var now = Instant(nanoseconds: 1_000_000_000)
    var next: UInt64 = 100

    /// Bootstrapped.
    init(seed: UInt64 = 1) throws {
        layer = DatagramLayer(.ipv4, seed: seed)
        _ = ask(.bootstrap(RequestID(1), try LayerRig.configuration()))
        _ = handle(.lower(.opened))
    }

    static func address(_ host: UInt64, port: UInt16 = 3_435) -> DatagramAddress {
        DatagramAddress(family: .ipv4, high: 0, low: 0x0A00_0000 + host, port: port)
    }

    static func configuration(port: UInt16 = 3_435) throws -> LayerConfiguration {
        LayerConfiguration(
            layer: try #require(LayerName("layer")), hash: .md5,
            parameters: .udp4(DatagramParameters(own: own.with(port: port))))
    }

    static func offer(_ flow: UInt32, _ quality: QualityOfService = .raw) -> FlowOffer {
        FlowOffer(
            flow: FlowID(flow), end: .second, quality: quality, peer: ProcessID(1), link: LinkID(1), slot: LinkSlot(1),
            linkEnd: .second, linkIsIncluded: false, isExpedited: false)
    }

    /// Without the lines of the log.
    mutating func handle(_ event: DatagramEvent) -> [DatagramAction] {
        var actions: [DatagramAction] = []
        layer.handle(event, now: now, into: &actions)
        return actions.filter { if case .report = $0 { false } else { true } }
    }

    mutating func ask(_ request: IPCPRequest) -> [DatagramAction] { handle(.request(request)) }

    /// Time goes by; what is due is done.
    mutating func pass(milliseconds: UInt64) -> [DatagramAction] {
        let end = now + TimeSpan(milliseconds: milliseconds)
        var actions: [DatagramAction] = []
        while let deadline = layer.deadline, deadline <= end {
            now = max(now, deadline)
            actions += handle(.timeout)
        }
        now = end
        return actions
    }

    mutating func arrive(_ message: DatagramManagement, from source: DatagramAddress = peer) -> [DatagramAction] {
        let bytes = message.encoded()
        guard case .control = layer.arriving(PacketHeader(networkOrder: 0), length: bytes.count, from: source, now: now)
        else { return [] }
        return handle(.lower(.datagram(bytes, from: source)))
    }

    /// Asks for a flow and answers the question that comes of it; returns what then happens.
    mutating func allocate(
        _ flow: UInt32, port: Int32, quality: QualityOfService = .raw, authentication: [UInt8] = [7, 7],
        patience: UInt64 = 20_000
    ) -> [DatagramAction] {
        next += 1
        let actions = handle(
            .offered(
                FlowPort(port),
                .allocate(
                    RequestID(next), LayerRig.offer(flow, quality), hash: LayerRig.hash,
                    authentication: authentication, patience: TimeSpan(milliseconds: patience))))
        return actions.flatMap { action -> [DatagramAction] in
            guard case .lower(.resolve(let id, _)) = action else { return [action] }
            return handle(.lower(.resolved(id, .address(LayerRig.peer.bytes, validity: TimeSpan(seconds: 60)))))
        }
    }

    /// The request among actions, and where it goes.
    static func request(in actions: [DatagramAction]) -> DatagramManagement.FlowRequest? {
        for case .lower(.send(let bytes, _)) in actions {
            if case .request(let request)? = try? DatagramManagement(decoding: bytes) { return request }
        }
        return nil
    }

    static func reply(in actions: [DatagramAction]) -> DatagramManagement.FlowReply? {
        for case .lower(.send(let bytes, _)) in actions {
            if case .reply(let reply)? = try? DatagramManagement(decoding: bytes) { return reply }
        }
        return nil
    }

    /// Said last, when the port is not used any more: irmd may give its place to another flow at once.
    static func refusal(in actions: [DatagramAction], after port: Int32) -> Failure? {
        let isDiscarded = actions.dropLast().last == .discard(FlowPort(port))
        if isDiscarded, case .reply(.refused(_, let failure, _)) = actions.last { return failure }
        return nil
    }

    static func refusal(in actions: [DatagramAction]) -> Failure? {
        for case .reply(.refused(_, let failure, _)) in actions { return failure }
        return nil
    }

    static func failure(in actions: [DatagramAction]) -> Failure? {
        for case .reply(.failed(_, let failure, _)) in actions { return failure }
        return nil
    }

    /// A flow that this host asked for. Returns its endpoint here; the peer's is 77.
    mutating func establish(_ flow: UInt32, port: Int32) throws -> EndpointID {
        let request = try #require(LayerRig.request(in: allocate(flow, port: port)))
        let actions = arrive(
            .reply(
                .init(requester: request.requester, responder: EndpointID(77), response: 0, authentication: [1])))
        #expect(actions == [.reply(.taken(FlowID(flow), authentication: [1], with: Array(Self.peer.description.utf8)))])
        return request.requester
    }

    /// A request as the peer would send it.
    static func wish(
        _ requester: UInt32, quality: QualityOfService = .raw, authentication: [UInt8] = [5], hash name: UInt8? = nil
    ) -> DatagramManagement {
        let hash = name.map { [UInt8](repeating: $0, count: 16) } ?? LayerRig.hash
        return .request(
            .init(requester: EndpointID(requester), hash: hash, quality: quality, authentication: authentication))
    }

    /// The number under which irmd hears of a request.
    static func arrival(in actions: [DatagramAction]) -> RequestID? {
        for case .reply(.arrived(let id, _, _, _, _)) in actions { return id }
        return nil
    }

    mutating func accept(
        _ id: RequestID, _ flow: UInt32, port: Int32, isOurs: Bool = false
    ) -> [DatagramAction] {
        handle(.offered(FlowPort(port), .accept(id, LayerRig.offer(flow), authentication: [9, 9], isOurs: isOurs)))
    }

    /// A flow that the peer, which is of this system, asked for with this endpoint. Returns its endpoint here.
    mutating func serve(
        _ flow: UInt32, port: Int32, _ requester: UInt32, from source: DatagramAddress = peer
    ) throws -> EndpointID {
        let id = try #require(LayerRig.arrival(in: arrive(LayerRig.wish(requester), from: source)))
        return try #require(LayerRig.reply(in: accept(id, flow, port: port, isOurs: true))).responder
    }

    /// The end of a flow that is said among actions.
    static func gone(in actions: [DatagramAction]) -> DatagramManagement.FlowGone? {
        for case .lower(.send(let bytes, _)) in actions {
            if case .gone(let gone)? = try? DatagramManagement(decoding: bytes) { return gone }
        }
        return nil
    }

    mutating func counter(_ name: String) -> UInt64? {
        for case .reply(.described(_, let status)) in ask(.describe(RequestID(9_999))) {
            return status.counters.first { $0.name == Array(name.utf8) }?.value
        }
        return nil
    }
}
