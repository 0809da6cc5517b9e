// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct TimeoutTests {
    private let second = TimeSpan(seconds: 1)

    @Test("an allocation that nobody accepts fails at its deadline, not before")
    func waiting() {
        var town = Town()
        #expect(town.rig.allocate(town.client.call, "echo", timeout: second).failures.isEmpty)
        #expect(town.rig.manager.deadline == town.rig.now + second)
        #expect(town.rig.advance(TimeSpan(nanoseconds: second.nanoseconds - 1)).failures.isEmpty)
        #expect(town.rig.advance(TimeSpan(nanoseconds: 1)).failures == [.timedOut])
        // Nothing of it is left for an acceptor.
        #expect(town.rig.accept(town.server.call).offers.isEmpty)
        #expect(town.rig.allocate(town.client.call, "echo").offers.count == 1)
    }

    @Test("without a timeout of its own an allocation waits 20 s")
    func standard() {
        var town = Town()
        town.rig.allocate(town.client.call, "echo")
        #expect(town.rig.manager.deadline == town.rig.now + TimeSpan(seconds: 20))
    }

    @Test("without patience an allocation fails at once, and no server sees it")
    func zero() {
        var town = Town()
        town.rig.accept(town.server.call)
        let done = town.rig.allocate(town.client.call, "echo", timeout: TimeSpan(nanoseconds: 0))
        #expect(done.failures == [.timedOut])
        #expect(done.offers.isEmpty)
    }

    @Test("the deadline passes while the server has the offer: it is told when it takes the flow")
    func offered() throws {
        var town = Town()
        town.rig.accept(town.server.call)
        let flow = try #require(town.rig.allocate(town.client.call, "echo", timeout: second).offers.first).offer.flow
        let done = town.rig.advance(second)
        #expect(done.failures(on: town.client.call) == [.timedOut])
        let gone = done.firstIndex { if case .markGone(_, _, .first, _) = $0 { true } else { false } }
        let told = done.firstIndex { if case .send(.failed, _) = $0 { true } else { false } }
        // A server that takes the end after the client was told must not get a dead flow.
        #expect(try #require(gone) < (try #require(told)))
        let late = town.rig.take(flow, town.server.call)
        #expect(late.contains(.send(.flowDown(flow), town.server.session)))
        #expect(late.offers.isEmpty)
        _ = town.deallocate(flow, town.server)
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("once the client has its offer the deadline is past")
    func verdict() throws {
        var town = Town()
        town.rig.accept(town.server.call)
        let flow = try #require(town.rig.allocate(town.client.call, "echo", timeout: second).offers.first).offer.flow
        town.rig.take(flow, town.server.call)
        #expect(town.rig.advance(TimeSpan(seconds: 5)).failures.isEmpty)
        town.rig.take(flow, town.client.call)
        #expect(town.rig.manager.book.flows[flow]?.state == .allocated)
    }

    @Test("an accept fails at its deadline; with no patience at once, unless a request waits")
    func accepting() {
        var town = Town()
        #expect(town.rig.accept(town.server.call, timeout: TimeSpan(nanoseconds: 0)).failures == [.timedOut])
        #expect(town.rig.accept(town.server.call, timeout: second).failures.isEmpty)
        #expect(town.rig.advance(second).failures == [.timedOut])
        town.rig.allocate(town.client.call, "echo")
        #expect(town.rig.accept(town.server.call, timeout: TimeSpan(nanoseconds: 0)).offers.count == 1)
    }

    @Test("a shorter deadline than that of the last request comes up in time")
    func shorter() {
        var town = Town()
        town.rig.accept(town.server.call, timeout: TimeSpan(seconds: 9))
        town.rig.allocate(town.client.call, "echo")
        town.rig.clear()
        let other = Attached(&town.rig, pid: 30)
        town.rig.allocate(other.call, "echo", timeout: TimeSpan(seconds: 9))
        #expect(town.rig.advance(TimeSpan(seconds: 9)).failures(on: other.call) == [.timedOut])
        town.rig.allocate(other.call, "echo", timeout: second)
        #expect(town.rig.advance(second).failures(on: other.call) == [.timedOut])
    }
}
