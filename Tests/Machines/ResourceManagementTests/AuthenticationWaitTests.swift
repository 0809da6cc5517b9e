// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// A step of an authentication takes long, and what it is for ends meanwhile.
@Suite struct AuthenticationWaitTests {
    private var rig = Rig()
    private var network: Network
    private let management: ConnectionID
    private let client: Attached

    init() throws {
        management = rig.connect(.management, pid: 2, uid: 500)
        network = try Network(&rig, on: management)
        client = Attached(&rig, pid: 10)
        rig.authenticatesLater = true
        rig.clear()
    }

    private func check() { rig.manager.checkInvariants() }

    @Test mutating func nothingIsAskedBeforeTheRequestIsMade() throws {
        #expect(rig.allocate(client.call, "far").provided.isEmpty)
        check()
        #expect(rig.authenticate().provided.count == 1)
        check()
    }

    @Test mutating func theClientHasNoMorePatience() {
        rig.allocate(client.call, "far", timeout: TimeSpan(seconds: 1))
        #expect(rig.advance(TimeSpan(seconds: 1)).failures(on: client.call) == [.timedOut])
        check()
        #expect(rig.authenticate().provided.isEmpty)
        #expect(rig.manager.authentications.isEmpty)
        check()
    }

    @Test(arguments: [true, false])
    mutating func theClientIsGone(dies: Bool) {
        rig.allocate(client.call, "far")
        rig.handle(dies ? .died(client.pid) : .disconnected(client.call))
        check()
        #expect(rig.authenticate().provided.isEmpty)
        check()
    }

    @Test mutating func theIPCPIsGone() {
        rig.allocate(client.call, "far")
        rig.handle(.childExited(network.ipcp, .exited(1)))
        #expect(rig.authenticate().failures(on: client.call) == [.ipcp])
        check()
    }

    @Test mutating func theAnswerOfTheOtherHostIsChecked() throws {
        rig.allocate(client.call, "far")
        let (offer, request) = try #require(rig.authenticate().provided.first)
        network.say(.mapped(offer.flow), &rig)
        var other = Authenticator(PlainDigest(), seed: 1)
        let outcome = other.perform(.answer(request: request, payload: []), now: WallTime(nanoseconds: 0))
        guard case .answered(let response) = outcome else { throw Failure.invalid }
        #expect(network.say(.taken(offer.flow, authentication: response, with: []), &rig).offers.isEmpty)
        // A second answer is not looked at, whatever it says.
        network.say(.taken(offer.flow, authentication: [], with: []), &rig)
        #expect(rig.authentications.count == 1)
        check()
        #expect(rig.authenticate().offers.map(\.connection) == [client.call])
        check()
    }

    @Test mutating func theFlowEndsWhileTheAnswerIsChecked() throws {
        rig.allocate(client.call, "far", timeout: TimeSpan(seconds: 1))
        let (offer, _) = try #require(rig.authenticate().provided.first)
        network.say(.mapped(offer.flow), &rig)
        network.say(.taken(offer.flow, authentication: [], with: []), &rig)
        #expect(rig.advance(TimeSpan(seconds: 1)).failures(on: client.call) == [.timedOut])
        rig.handle(.childExited(network.ipcp, .exited(1)))
        rig.handle(.died(network.ipcp))
        check()
        #expect(rig.authenticate().offers.isEmpty)
        #expect(rig.manager.book.flows.isEmpty)
        check()
    }

    @Test mutating func aRequestOfAnotherHostWaits() throws {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        #expect(network.arrive("here", &rig).offers.isEmpty)
        check()
        #expect(rig.authenticate().offers.map(\.connection) == [server.call])
        check()
    }

    @Test mutating func theNameIsDestroyedBeforeTheRequestIsAnswered() {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        network.arrive("here", &rig)
        rig.manage(.destroyName(service("here")), on: management)
        #expect(rig.authenticate().rejections == [.name])
        #expect(rig.manager.book.account(of: network.ipcp)?.calls.isEmpty == true)
        check()
    }

    @Test mutating func requestsOfOtherHostsThatAreNotAnsweredEnd() {
        let server = Attached(&rig, pid: 20)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        network.arrive("here", &rig)
        #expect(rig.advance(Limits.allocationTimeout).rejections == [.timedOut])
        #expect(rig.authenticate().rejections.isEmpty)
        check()
        // One name has no more than its share, also of those that are not authentic yet.
        var rejected = 0
        for _ in 0..<Limits.arrivedRequests { rejected += network.arrive("here", &rig).rejections.count }
        #expect(rejected > 0)
        check()
        rig.handle(.died(network.ipcp))
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.authenticate().requests.isEmpty)
        #expect(rig.manager.authentications.isEmpty)
        check()
    }
}
