// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// A layer to other hosts, of which the test plays the IPCP.
struct Network {
    let ipcp: ProcessID
    let session: ConnectionID
    /// Numbers of the requests that it brings.
    private var nextArrival: UInt64 = 1
    static let terms = FlowTerms(packetLifetime: TimeSpan(milliseconds: 77), avoidsCongestion: true)

    init(_ rig: inout Rig, on management: ConnectionID, type: IPCPType = .udp4) throws {
        ipcp = ProcessID(300 + Int32(rig.manager.children.ipcps.count))
        guard let name = IPCPName("net-\(ipcp)"), let layer = LayerName("net") else { throw Failure.invalid }
        rig.manage(.createIPCP(name, type), on: management)
        rig.handle(.ipcpSpawned(name, ipcp, program: Array("/sbin/ipcpd".utf8)))
        session = rig.connect(.session, pid: ipcp.rawValue, uid: 500)
        rig.handle(.ipcpReplied(ipcp, .initialised(.current, type)))
        let parameters = LayerConfiguration.Parameters.udp4(
            DatagramParameters(own: DatagramAddress(family: .ipv4, high: 0, low: 0x7f00_0001, port: 3_435)))
        rig.manage(
            .bootstrapIPCP(ipcp, LayerConfiguration(layer: layer, hash: .md5, parameters: parameters)), on: management)
        for request in rig.manager.children.transactions.keys {
            rig.handle(.ipcpReplied(ipcp, .bootstrapped(request, messageBytes: 8_976, Network.terms)))
        }
    }

    /// Answers all questions for names.
    @discardableResult
    func answer(_ rig: inout Rig, knows: Bool) -> [ManagerAction] {
        var done: [ManagerAction] = []
        for (request, transaction) in rig.manager.children.transactions where transaction.ipcp == ipcp {
            let reply: IPCPReply = knows ? .succeeded(request) : .failed(request, .name, reason: [])
            done += rig.handle(.ipcpReplied(ipcp, reply))
        }
        return done
    }

    @discardableResult
    func say(_ reply: IPCPReply, _ rig: inout Rig) -> [ManagerAction] { rig.handle(.ipcpReplied(ipcp, reply)) }

    /// Another host asks for a name.
    @discardableResult
    mutating func arrive(
        _ name: String, from host: String = "10.0.0.2", _ rig: inout Rig, quality: QualityOfService = .raw,
        saying payload: [UInt8] = []
    ) -> [ManagerAction] {
        nextArrival += 1
        let client = AuthenticationClient(
            id: rig.chance.bytes(16), now: WallTime(nanoseconds: 0), payload: payload)
        return say(
            .arrived(
                RequestID(nextArrival), hash: [UInt8](name.utf8.prefix(4)), quality, authentication: client.request,
                from: Array("\(host):3435".utf8)),
            &rig)
    }
}

extension [ManagerAction] {
    /// What IPCPs are asked.
    var requests: [IPCPRequest] { compactMap { if case .request(let request, _) = $0 { request } else { nil } } }
    /// The ends that IPCPs are given, with what goes along.
    var provided: [(offer: FlowOffer, authentication: [UInt8])] {
        requests.compactMap {
            switch $0 {
            case .allocate(_, let offer, _, let authentication, _, _): (offer, authentication)
            case .accept(_, let offer, let authentication, _, _): (offer, authentication)
            default: nil
            }
        }
    }
    var rejections: [Failure] { requests.compactMap { if case .reject(_, let failure) = $0 { failure } else { nil } } }
}

/// What the irmd of another host would say to a request.
func answer(to request: [UInt8], saying payload: [UInt8] = []) throws -> [UInt8] {
    var server = AuthenticationServer()
    return try server.answer(request, payload: payload, now: WallTime(nanoseconds: 0), digest: PlainDigest())
}

@Suite struct RemoteFlowTests {
    private var rig = Rig()
    private var network: Network
    private let management: ConnectionID

    init() throws {
        management = rig.connect(.management, pid: 2, uid: 500)
        network = try Network(&rig, on: management)
        rig.clear()
    }

    private mutating func check() { rig.manager.checkInvariants() }

    /// Up to the request that the IPCP has got.
    private mutating func ask(_ client: Attached, timeout: TimeSpan? = nil) throws -> (FlowOffer, [UInt8]) {
        let (offer, authentication) = try #require(rig.allocate(client.call, "far", timeout: timeout).provided.first)
        check()
        return (offer, authentication)
    }

    @Test mutating func aNameOfAnotherHost() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, request) = try ask(client)
        #expect(offer.end == .second && offer.role == .provider && offer.messageBytes == 8_976)
        #expect(offer.terms == .empty)
        #expect(offer.queueBytes == 3 << 20 && offer.arrivingQueueBytes == 1 << 20)
        #expect(network.say(.mapped(offer.flow), &rig).offers.isEmpty)
        check()
        let offers = network.say(
            .taken(offer.flow, authentication: try answer(to: request), with: Array("10.0.0.2:3435".utf8)), &rig
        ).offers
        check()
        let given = try #require(offers.first)
        #expect(given.connection == client.call && given.offer.role == .user && given.offer.messageBytes == 8_976)
        #expect(given.offer.terms == Network.terms)
        rig.take(offer.flow, client.call)
        #expect(rig.manager.book.flows[offer.flow]?.isEstablished == true)
        #expect(rig.manager.book.flows[offer.flow]?.state == .allocated)
        check()
        rig.handle(.received(client.session, .deallocate(offer.flow), .nothing))
        rig.handle(.received(network.session, .deallocate(offer.flow), .nothing))
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func theOtherHostRefuses() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, _) = try ask(client)
        #expect(network.say(.refused(offer.flow, .name, reason: []), &rig).failures(on: client.call) == [.name])
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test("a request that may have arrived twice is made anew, once")
    mutating func secondAttempt() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, request) = try ask(client)
        network.say(.mapped(offer.flow), &rig)
        let again = network.say(.refused(offer.flow, .authentication, reason: []), &rig)
        let (second, other) = try #require(again.provided.first)
        #expect(second.flow != offer.flow && other != request && again.failures.isEmpty)
        check()
        let verdict = network.say(.refused(second.flow, .authentication, reason: []), &rig)
        #expect(verdict.failures(on: client.call) == [.authentication] && verdict.provided.isEmpty)
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func theAnswerIsNotWhatWasAskedFor() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, _) = try ask(client)
        network.say(.mapped(offer.flow), &rig)
        let verdict = network.say(
            .taken(offer.flow, authentication: [1, 2, 3], with: Array("10.0.0.2:3435".utf8)), &rig)
        #expect(verdict.failures(on: client.call).count == 1)
        // The IPCP has the flow, and its place, until it lets go.
        #expect(verdict.contains(.send(.flowDown(offer.flow), network.session)))
        #expect(verdict.contains { if case .markGone(_, _, .first, _) = $0 { true } else { false } })
        #expect(!verdict.contains { if case .resetSlot = $0 { true } else { false } })
        check()
        let done = rig.handle(.received(network.session, .deallocate(offer.flow), .nothing))
        #expect(done.contains { if case .resetSlot = $0 { true } else { false } })
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func nobodyKnowsTheName() throws {
        let other = try Network(&rig, on: management)
        let client = Attached(&rig, pid: 10)
        rig.allocate(client.call, "far")
        #expect(network.answer(&rig, knows: false).failures.isEmpty)
        #expect(other.answer(&rig, knows: false).failures(on: client.call) == [.name])
        rig.manage(.createName(NameSettings(name: service("far"), balancing: .roundRobin)), on: management)
        rig.allocate(client.call, "far")
        #expect(other.answer(&rig, knows: false).failures.isEmpty)
        #expect(network.answer(&rig, knows: false).failures(on: client.call) == [.ipcp])
        check()
    }

    @Test mutating func theFirstLayerInOrderWins() throws {
        let other = try Network(&rig, on: management)
        let client = Attached(&rig, pid: 10)
        rig.allocate(client.call, "far")
        #expect(other.answer(&rig, knows: true).provided.isEmpty)
        let given = network.answer(&rig, knows: true)
        #expect(given.contains { if case .request(.allocate, network.ipcp) = $0 { true } else { false } })
        check()
    }

    @Test mutating func aLayerThatDoesNotAnswerHoldsNobodyUpForEver() throws {
        _ = try Network(&rig, on: management)
        let client = Attached(&rig, pid: 10)
        rig.allocate(client.call, "far", timeout: TimeSpan(milliseconds: 100))
        #expect(rig.advance(TimeSpan(milliseconds: 101)).failures(on: client.call) == [.timedOut])
        // The answer comes too late, and finds the next request.
        rig.allocate(client.call, "far")
        check()
        network.answer(&rig, knows: false)
        check()
    }

    @Test mutating func theClientGivesUp() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, request) = try ask(client, timeout: TimeSpan(milliseconds: 100))
        let gone = rig.advance(TimeSpan(milliseconds: 101))
        #expect(gone.failures(on: client.call) == [.timedOut])
        #expect(gone.contains { if case .markGone = $0 { true } else { false } })
        check()
        network.say(
            .taken(offer.flow, authentication: try answer(to: request), with: Array("10.0.0.2:3435".utf8)), &rig)
        check()
        rig.handle(.received(network.session, .deallocate(offer.flow), .nothing))
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func theIPCPDies() throws {
        let client = Attached(&rig, pid: 10)
        let (offer, request) = try ask(client)
        network.say(
            .taken(offer.flow, authentication: try answer(to: request), with: Array("10.0.0.2:3435".utf8)), &rig)
        rig.take(offer.flow, client.call)
        rig.allocate(client.call, "other")
        let gone = rig.handle(.died(network.ipcp)) + rig.handle(.childExited(network.ipcp, .killed(signal: 9)))
        #expect(gone.failures(on: client.call).count == 1)
        check()
        rig.handle(.received(client.session, .deallocate(offer.flow), .nothing))
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func manyAtOnceWaitForNobody() throws {
        let clients = (0..<40).map { Attached(&rig, pid: 10 + $0) }
        var flows: [FlowID] = []
        for client in clients {
            for (offer, _) in rig.allocate(client.call, "far").provided {
                flows.append(offer.flow)
                for (more, _) in network.say(.mapped(offer.flow), &rig).provided { flows.append(more.flow) }
            }
        }
        #expect(flows.count == clients.count)
        check()
    }

    @Test mutating func anotherHostAsks() throws {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        let offer = try #require(network.arrive("here", &rig).offers.first)
        #expect(offer.connection == server.call && offer.offer.role == .user && offer.offer.end == .second)
        check()
        let (given, response) = try #require(rig.take(offer.offer.flow, server.call).provided.first)
        #expect(given.role == .provider && given.end == .first && !response.isEmpty)
        network.say(.mapped(given.flow), &rig)
        network.say(.taken(given.flow, authentication: [], with: Array("10.0.0.2:3435".utf8)), &rig)
        #expect(rig.manager.book.flows[given.flow]?.isEstablished == true)
        check()
        rig.handle(.died(server.pid))
        rig.handle(.received(network.session, .deallocate(given.flow), .nothing))
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test("a flow that the IPCP cannot be given is refused to the other host, which would wait in vain")
    mutating func notGiven() throws {
        let server = Attached(&rig, pid: 10)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        let offer = try #require(network.arrive("here", &rig).offers.first).offer
        let given = try #require(rig.take(offer.flow, server.call).provided.first)
        let done = network.say(.refused(given.offer.flow, .ipcp, reason: []), &rig)
        #expect(done.rejections == [.ipcp])
        rig.manager.checkInvariants()
        rig.handle(.received(server.session, .deallocate(offer.flow), .nothing))
        #expect(rig.manager.book.flows.isEmpty)
    }

    @Test mutating func arrivalsThatComeToNothing() throws {
        #expect(network.arrive("none", &rig).rejections == [.name])
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        // Nobody accepts in time.
        #expect(network.arrive("here", &rig).rejections.isEmpty)
        check()
        #expect(rig.advance(Limits.allocationTimeout).rejections == [.timedOut])
        check()
        // The server ends.
        network.arrive("here", &rig)
        #expect(rig.handle(.died(server.pid)).rejections == [.ipcp])
        check()
        #expect(
            network.say(.arrived(RequestID(99), hash: [1], .raw, authentication: [], from: []), &rig).rejections == [
                .name
            ])
        #expect(rig.manager.book.account(of: network.ipcp)?.calls.isEmpty == true)
    }

    @Test mutating func whatAnIPCPSaysOfFlowsThatAreNotItsOwn() throws {
        let server = Attached(&rig, pid: 20)
        let client = Attached(&rig, pid: 21)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        let offer = try #require(rig.allocate(client.call, "here").offers.first)
        for reply in [
            IPCPReply.mapped(offer.offer.flow),
            .taken(offer.offer.flow, authentication: [], with: Array("10.0.0.2:3435".utf8)),
            .refused(offer.offer.flow, .name, reason: []), .taken(FlowID(77), authentication: [], with: []),
        ] {
            #expect(network.say(reply, &rig).isEmpty)
        }
        check()
    }

    @Test("a name that is served here is not sought elsewhere, and one from elsewhere not at all")
    mutating func locality() throws {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        let client = Attached(&rig, pid: 21)
        #expect(rig.allocate(client.call, "here").requests.isEmpty)
        rig.manage(.createName(NameSettings(name: service("idle"), balancing: .roundRobin)), on: management)
        #expect(network.arrive("idle", &rig).rejections == [.name])
    }
}
