// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

@Suite struct DatagramIPCPTests {
    private let peerText = Array(LayerRig.peer.description.utf8)

    private let raw = QualityOfService.raw

    @Test("it is bootstrapped when its socket is open, and says how long messages may be")
    func bootstrap() throws {
        var layer = DatagramLayer(.ipv4, seed: 1)
        var actions: [DatagramAction] = []
        let configuration = try LayerRig.configuration()
        layer.handle(
            .request(.bootstrap(RequestID(1), configuration)), now: Instant(nanoseconds: 0), into: &actions)
        #expect(actions == [.report(.bootstrapping), .lower(.open(LayerRig.own))])
        actions = []
        layer.handle(.lower(.opened), now: Instant(nanoseconds: 0), into: &actions)
        #expect(
            actions.prefix(4) == [
                .report(.bootstrapped(configuration)), .report(.layerType(.udp4)), .report(.layerHash(.md5)),
                .reply(.bootstrapped(RequestID(1), messageBytes: 8_976, DatagramLayer.terms)),
            ])
        actions = []
        layer.handle(
            .request(.bootstrap(RequestID(2), configuration)), now: Instant(nanoseconds: 0), into: &actions)
        #expect(LayerRig.failure(in: actions) == .ipcpState)
    }

    @Test("a port that is in use is said so, and another one can be tried")
    func notOpened() throws {
        var layer = DatagramLayer(.ipv6, seed: 1)
        let loopback = DatagramAddress(family: .ipv6, high: 0, low: 1, port: 3_435)
        func handle(_ event: DatagramEvent) -> [DatagramAction] {
            var actions: [DatagramAction] = []
            layer.handle(event, now: Instant(nanoseconds: 0), into: &actions)
            return actions
        }
        var configuration = try LayerRig.configuration()
        #expect(LayerRig.failure(in: handle(.request(.bootstrap(RequestID(1), configuration)))) == .ipcpType)
        configuration.parameters = .udp6(DatagramParameters(own: loopback))
        #expect(LayerRig.failure(in: handle(.request(.bootstrap(RequestID(1), configuration)))) == nil)
        #expect(LayerRig.failure(in: handle(.request(.bootstrap(RequestID(2), configuration)))) == .busy)
        let actions = handle(.lower(.notOpened(.addressInUse)))
        #expect(LayerRig.failure(in: actions) == .addressInUse)
        #expect(actions.contains(.report(.bootstrapFailed(.addressInUse))))
        configuration.parameters = .udp6(DatagramParameters(own: loopback.with(port: 3_436)))
        _ = handle(.request(.bootstrap(RequestID(3), configuration)))
        #expect(
            handle(.lower(.opened)).contains(
                .reply(.bootstrapped(RequestID(3), messageBytes: 8_948, DatagramLayer.terms))))
    }

    @Test("a link-local address needs a scope, and is told so who has none to give, as C programs")
    func linkLocal() throws {
        var layer = DatagramLayer(.ipv6, seed: 1)
        func reason(_ scope: UInt32, _ failure: Failure?) throws -> String? {
            let own = DatagramAddress(family: .ipv6, high: 0xfe80 << 48, low: 1, port: 3_435, scope: scope)
            let configuration = LayerConfiguration(
                layer: try #require(LayerName("layer")), hash: .md5,
                parameters: .udp6(DatagramParameters(own: own)))
            var actions: [DatagramAction] = []
            layer.handle(
                .request(.bootstrap(RequestID(1), configuration)), now: Instant(nanoseconds: 0), into: &actions)
            if let failure { layer.handle(.lower(.notOpened(failure)), now: Instant(nanoseconds: 0), into: &actions) }
            guard case .reply(.failed(_, _, let reason)) = actions.last else { return nil }
            return String(decoding: reason, as: UTF8.self)
        }
        #expect(try reason(0, nil) == "fe80::1 is link-local, and needs an interface, as in fe80::1%eth0")
        #expect(try reason(7, .noDevice) == "there is no network interface 7")
        #expect(try reason(7, .addressNotAvailable) == "fe80::1%7 is not an address of this host")
        #expect(try reason(7, nil) == nil)
    }

    @Test("parameters without an address, a port or MD5 are refused")
    func parameters() throws {
        var layer = DatagramLayer(.ipv4, seed: 1)
        for change in 0..<4 {
            var configuration = try LayerRig.configuration(port: change == 0 ? 0 : 1)
            if change == 1 { configuration.hash = .sha3x256 }
            var parameters = DatagramParameters(own: LayerRig.own)
            if change == 2 { parameters.server = LayerRig.peer.with(port: 0) }
            if change == 3 { parameters.own = DatagramAddress(family: .ipv4, high: 0, low: 0, port: 1) }
            if change > 1 { configuration.parameters = .udp4(parameters) }
            var actions: [DatagramAction] = []
            layer.handle(
                .request(.bootstrap(RequestID(1), configuration)), now: Instant(nanoseconds: 0), into: &actions)
            #expect(LayerRig.failure(in: actions) == .invalid)
        }
    }

    @Test("before it is bootstrapped it has no names and no flows")
    func initialised() throws {
        var layer = DatagramLayer(.ipv4, seed: 1)
        var actions: [DatagramAction] = []
        let now = Instant(nanoseconds: 0)
        layer.handle(.request(.register(RequestID(1), hash: LayerRig.hash)), now: now, into: &actions)
        #expect(LayerRig.failure(in: actions) == .ipcpState)
        actions = []
        let request = IPCPRequest.allocate(
            RequestID(1), LayerRig.offer(5), hash: LayerRig.hash, authentication: [], patience: TimeSpan(seconds: 1))
        layer.handle(.offered(FlowPort(64), request), now: now, into: &actions)
        #expect(LayerRig.refusal(in: actions, after: 64) == .ipcpState)
        actions = []
        layer.handle(.lower(.datagram(LayerRig.wish(3).encoded(), from: LayerRig.peer)), now: now, into: &actions)
        #expect(actions.isEmpty)
    }

    @Test("a request leaves when the directory has answered, and its reply makes the flow")
    func allocation() throws {
        var rig = try LayerRig()
        let actions = rig.allocate(5, port: 64)
        let request = try #require(LayerRig.request(in: actions))
        #expect(request.hash == LayerRig.hash && request.authentication == [7, 7] && request.quality == raw)
        #expect((1..<0x8000_0000).contains(request.requester.rawValue))
        // Packets of either side are held back until then.
        guard case .drop = rig.layer.departing(10, on: FlowPort(64), now: rig.now) else {
            Issue.record("a packet for nobody")
            return
        }
        let reply = DatagramManagement.reply(
            .init(requester: request.requester, responder: EndpointID(77), response: 0, authentication: [1, 2]))
        #expect(rig.arrive(reply, from: LayerRig.address(3)).isEmpty)
        #expect(rig.arrive(reply, from: LayerRig.address(2, port: 1)).isEmpty)
        #expect(rig.arrive(reply) == [.reply(.taken(FlowID(5), authentication: [1, 2], with: peerText))])
        #expect(rig.arrive(reply).isEmpty)
        #expect(rig.counter("dropped: unexpected reply") == 3)
        guard
            case .prepend(PacketHeader(networkOrder: 77), to: LayerRig.peer) = rig.layer.departing(
                10, on: FlowPort(64), now: rig.now)
        else {
            Issue.record("the packet does not go to the peer")
            return
        }
        #expect(rig.pass(milliseconds: 100_000).isEmpty)
    }

    @Test("a request that has its answer, or has failed, wakes nobody any more")
    func answered() throws {
        var rig = try LayerRig()
        _ = try rig.establish(5, port: 64)
        let request = try #require(LayerRig.request(in: rig.allocate(6, port: 65)))
        _ = rig.arrive(
            .reply(.init(requester: request.requester, responder: EndpointID(3), response: -1_007, authentication: [])))
        _ = rig.allocate(7, port: 66)
        _ = rig.handle(.ended(FlowPort(66)))
        #expect(rig.layer.deadline == nil)
    }

    @Test("a refusal of the other host is the application's error")
    func refusals() throws {
        var rig = try LayerRig()
        for (response, failure) in [
            (-1_007, .name), (-1_009, .authentication), (3, .inputOutput), (.min, .inputOutput),
        ]
            as [(Int32, Failure)]
        {
            let request = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
            let actions = rig.arrive(
                .reply(
                    .init(
                        requester: request.requester, responder: .management, response: response, authentication: [])))
            #expect(LayerRig.refusal(in: actions, after: 64) == failure)
        }
        #expect(rig.layer.load == .init())
    }

    @Test(
        "EAUTH for a repetition waits for the answer to the first request, is said then, and makes the host a stranger")
    func doubt() throws {
        var rig = try LayerRig()
        _ = try rig.serve(1, port: 60, 9)
        func reply(_ request: DatagramManagement.FlowRequest, _ response: Int32) -> DatagramManagement {
            .reply(
                .init(
                    requester: request.requester, responder: EndpointID(3), response: response, authentication: []))
        }
        let first = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        #expect(rig.pass(milliseconds: 500).count == 1)
        #expect(rig.arrive(reply(first, -1_009)).isEmpty)
        #expect(rig.arrive(reply(first, 0)) == [.reply(.taken(FlowID(5), authentication: [], with: peerText))])
        #expect(rig.layer.load.known == 0)
        _ = try rig.serve(2, port: 61, 10)
        let second = try #require(LayerRig.request(in: rig.allocate(6, port: 65)))
        _ = rig.pass(milliseconds: 500)
        #expect(rig.arrive(reply(second, -1_009)).isEmpty)
        let actions = rig.pass(milliseconds: 3_000)
        #expect(LayerRig.refusal(in: actions) == .authentication && actions.count == 2)
        _ = rig.allocate(7, port: 66)
        #expect(rig.pass(milliseconds: 2_999).isEmpty)
    }

    @Test("a flow without loss in any order is refused, here and for others")
    func flowControl() throws {
        var rig = try LayerRig()
        var lossless = raw
        lossless.loss = 0
        let actions = rig.allocate(5, port: 64, quality: lossless)
        #expect(LayerRig.refusal(in: actions, after: 64) == .notSupported)
        let arrived = rig.arrive(LayerRig.wish(3, quality: lossless))
        #expect(LayerRig.reply(in: arrived)?.response == -95 && arrived.count == 1)
        #expect(rig.layer.load == .init())
    }

    @Test("a name that nobody knows, and a patience that ends before anybody says so")
    func unresolved() throws {
        var rig = try LayerRig()
        func allocate(_ number: UInt64, port: Int32) -> [DatagramAction] {
            rig.handle(
                .offered(
                    FlowPort(port),
                    .allocate(
                        RequestID(number), LayerRig.offer(1), hash: LayerRig.hash, authentication: [],
                        patience: TimeSpan(seconds: 1))))
        }
        guard case .lower(.resolve(let id, _))? = allocate(1, port: 64).first else {
            Issue.record("nobody is asked")
            return
        }
        #expect(LayerRig.refusal(in: rig.handle(.lower(.resolved(id, .unknown)))) == .name)
        let number = UInt64(2)
        rig.now = rig.now + TimeSpan(seconds: 100)
        guard case .lower(.resolve(let second, _))? = allocate(number, port: 64).first else {
            Issue.record("nobody is asked")
            return
        }
        #expect(LayerRig.refusal(in: rig.pass(milliseconds: 1_000)) == .timedOut)
        #expect(rig.handle(.lower(.resolved(second, .address(LayerRig.peer.bytes, validity: nil)))).isEmpty)
        #expect(rig.layer.load == .init())
    }

    @Test("a flow that ends before its reply has come is answered once, and so is one that irmd gives up")
    func givenUp() throws {
        var rig = try LayerRig()
        _ = rig.allocate(5, port: 64)
        let actions = rig.handle(.ended(FlowPort(64)))
        #expect(LayerRig.refusal(in: actions, after: 64) == .flowDown)
        _ = rig.allocate(6, port: 64)
        #expect(LayerRig.refusal(in: rig.ask(.flowEnded(FlowID(6)))) == .interrupted)
        #expect(rig.pass(milliseconds: 100_000).isEmpty)
        #expect(rig.layer.load == .init())
    }

    @Test("the status has address, flows, peers and counters")
    func status() throws {
        var rig = try LayerRig()
        let endpoint = try rig.establish(5, port: 64)
        _ = rig.layer.arriving(
            PacketHeader(networkOrder: endpoint.rawValue), length: 104, from: LayerRig.peer, now: rig.now)
        _ = rig.layer.departing(50, on: FlowPort(64), now: rig.now)
        rig.layer.failed(.queueFull, packets: 3)
        guard case .reply(.described(RequestID(4), let status))? = rig.ask(.describe(RequestID(4))).first else {
            Issue.record("no status")
            return
        }
        #expect(status.address == Array("10.0.0.1".utf8) && status.port == 3_435 && status.flows == 1)
        #expect(status.peers == [Array("10.0.0.2".utf8)])
        #expect(rig.counter("packets arrived") == 1 && rig.counter("bytes arrived") == 100)
        #expect(rig.counter("packets departed") == 1 && rig.counter("bytes departed") == 50)
        #expect(rig.counter("lost: queue full") == 3)
        #expect(IPCPReply.described(RequestID(4), status).encoded().count < Limits.localMessageBytes)
    }
}
