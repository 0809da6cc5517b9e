// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import FlowProtocol
import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// What irmd says to the irmd of another host beside the authentication, and what the ends of the flow learn of it.
@Suite struct FlowNegotiationTests {
    private var rig = Rig()
    private var network: Network
    private let management: ConnectionID

    init() throws {
        management = rig.connect(.management, pid: 2, uid: 500)
        network = try Network(&rig, on: management)
        rig.clear()
    }

    /// What the server's end says of itself.
    private static let theirs = EndProperties(
        acknowledgementDelayMilliseconds: 7, firstSequence: SequenceNumber(99), credit: 64, firstRoomBytes: 65_536,
        longestMessageBytes: 1, largestPacketBytes: 64)

    /// This host asks for a flow, and the other says this in its answer. What the client is offered, and what the IPCP is told.
    private mutating func ask(
        _ quality: QualityOfService, _ answering: ([UInt8]) throws -> [UInt8]
    ) throws -> [ManagerAction] {
        let client = Attached(&rig, pid: 10 + Int32(rig.nextConnection))
        let (offer, request) = try #require(rig.allocate(client.call, "far", quality).provided.first)
        network.say(.mapped(offer.flow), &rig)
        let payload = try answering(AuthenticationServer.payload(of: request))
        let done = network.say(
            .taken(offer.flow, authentication: try answer(to: request, saying: payload), with: []), &rig)
        rig.manager.checkInvariants()
        return done
    }

    /// Another host asks for a flow, saying this. What the server is offered, and what the IPCP answers.
    private mutating func serve(
        _ quality: QualityOfService, saying payload: [UInt8]
    ) throws -> (FlowAgreement, response: [UInt8], isOurs: Bool) {
        let server = Attached(&rig, pid: 10 + Int32(rig.nextConnection))
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        let offered = network.arrive("here", &rig, quality: quality, saying: payload).offers.first
        let offer = try #require(offered).offer
        let requests = rig.take(offer.flow, server.call).requests
        rig.manager.checkInvariants()
        guard case .accept(_, let given, let authentication, _, let isOurs)? = requests.first else {
            throw Failure.invalid
        }
        // The IPCP needs not know what the ends agreed on.
        #expect(given.terms == .empty)
        #expect(offer.terms.packetLifetime == Network.terms.packetLifetime && offer.terms.avoidsCongestion)
        return (try #require(FlowAgreement(items: offer.terms.items)), authentication, isOurs)
    }

    private func data(of response: [UInt8]) -> [UInt8] {
        // A response without digest has one of 48 bytes behind its data.
        Array(response.dropFirst(36).dropLast(48))
    }

    private func agreement(_ actions: [ManagerAction]) throws -> FlowAgreement {
        let given = try #require(actions.offers.first)
        return try #require(FlowAgreement(items: given.offer.terms.items))
    }

    private func recognises(_ actions: [ManagerAction]) -> Bool {
        actions.requests.contains { if case .recognised = $0 { true } else { false } }
    }

    @Test("a client and a server of this system agree on profile 1, each with numbers of its own")
    mutating func profile1() throws {
        var request: [UInt8] = []
        let done = try ask(.data) {
            request = $0
            return try Negotiation.Response(to: $0, .data, own: Self.theirs).data
        }
        guard case .profile1(let own, Self.theirs) = try agreement(done) else { throw Failure.invalid }
        #expect(own.largestPacketBytes == 8_976 && own.profile == 1 && recognises(done))
        #expect(request == Negotiation.Request(.data, own: own).data)
        let (agreed, response, isOurs) = try serve(.data, saying: request)
        guard case .profile1(let server, own) = agreed else { throw Failure.invalid }
        #expect(isOurs && data(of: response) == [0x4f, 0x37, 0x53, 0x31, 1, 24] + server.value)
        #expect(server.firstSequence != own.firstSequence && server.largestPacketBytes == 8_976)
    }

    @Test("raw flows say that both hosts are of this system, and agree on nothing")
    mutating func raw() throws {
        var request: [UInt8] = []
        let done = try ask(.raw) {
            request = $0
            return try Negotiation.Response(to: $0, .raw, own: nil).data
        }
        #expect(recognises(done) && !request.isEmpty)
        #expect(try agreement(done) == .raw)
        let (agreed, response, isOurs) = try serve(.raw, saying: request)
        #expect(agreed == .raw && isOurs && data(of: response) == [0x4f, 0x37, 0x53, 0x31])
    }

    @Test("with a host of the prototype, which says nothing, flows are raw, and it is not taken for ours")
    mutating func prototype() throws {
        let done = try ask(.raw) { _ in [] }
        #expect(try agreement(done) == .raw)
        #expect(!recognises(done))
        let (agreed, response, isOurs) = try serve(.raw, saying: [])
        #expect(agreed == .raw && !isOurs && data(of: response).isEmpty && response.count == 84)
    }

    @Test("a flow in order with a host of the prototype has profile 0")
    mutating func profile0() throws {
        let done = try ask(.bestEffort) { _ in [] }
        #expect(try agreement(done) == .profile0 && !recognises(done))
        let (agreed, response, isOurs) = try serve(.data, saying: [])
        #expect(agreed == .profile0 && !isOurs && data(of: response).isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("a server that says of its end what cannot be has accepted nothing")
    mutating func impossible() throws {
        var wrong = Self.theirs
        wrong.credit = 63
        let done = try ask(.data) { _ in [0x4f, 0x37, 0x53, 0x31, 1, 24] + wrong.value }
        #expect(done.failures == [.encryption] && done.offers.isEmpty && !recognises(done))
        #expect(done.provided.isEmpty)
    }

    @Test("a request that was changed on its way is refused, and its place is free")
    mutating func contradiction() throws {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        let payload = Negotiation.Request(.data, own: Self.theirs).data
        let done = network.arrive("here", &rig, quality: .raw, saying: payload)
        #expect(done.rejections == [.authentication] && done.offers.isEmpty)
        #expect(rig.manager.book.account(of: network.ipcp)?.calls.isEmpty == true)
        rig.manager.checkInvariants()
    }

    @Test("a host that does not answer is asked anew; it may answer either request", arguments: [0, 1])
    mutating func again(chosen: Int) throws {
        let client = Attached(&rig, pid: 10)
        let (offer, first) = try #require(rig.allocate(client.call, "far", .raw).provided.first)
        network.say(.mapped(offer.flow), &rig)
        guard case .askAgain(offer.flow, let second)? = network.say(.unanswered(offer.flow), &rig).requests.first else {
            throw Failure.invalid
        }
        #expect(first.prefix(16) != second.prefix(16))
        #expect(AuthenticationServer.payload(of: first) == AuthenticationServer.payload(of: second))
        let response = try answer(to: [first, second][chosen])
        let done = network.say(.taken(offer.flow, authentication: response, with: []), &rig)
        #expect(try agreement(done) == .raw)
        #expect(network.say(.unanswered(offer.flow), &rig).isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("a request is made anew for nobody who has gone, or who has an answer that is being checked")
    mutating func tooLate() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, request) = try #require(
            rig.allocate(client.call, "far", .raw, timeout: TimeSpan(seconds: 1)).provided.first)
        network.say(.mapped(offer.flow), &rig)
        rig.authenticatesLater = true
        network.say(.unanswered(offer.flow), &rig)
        network.say(.taken(offer.flow, authentication: try answer(to: request), with: []), &rig)
        #expect(network.say(.unanswered(offer.flow), &rig).isEmpty)
        #expect(rig.authenticate().offers.count == 1)
        let other = Attached(&rig, pid: 11)
        rig.allocate(other.call, "far", .data, timeout: TimeSpan(seconds: 1))
        let given = try #require(rig.authenticate().provided.first).offer
        network.say(.unanswered(given.flow), &rig)
        rig.advance(TimeSpan(seconds: 1))
        #expect(rig.authenticate().requests.isEmpty && rig.manager.authentications.isEmpty)
        #expect(network.say(.unanswered(given.flow), &rig).requests.isEmpty)
        #expect(network.say(.unanswered(FlowID(999)), &rig).isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("no first number of a flow tells the next one")
    mutating func sequences() {
        var numbers = SecretNumbers(seed: 1)
        var others = SecretNumbers(seed: 2)
        let drawn = (0..<1_000).map { _ in numbers.next() }
        #expect(Set(drawn).count == 1_000 && drawn != (0..<1_000).map { _ in others.next() })
    }
}
