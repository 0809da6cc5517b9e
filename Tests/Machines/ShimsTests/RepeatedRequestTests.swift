// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// A host has not answered. spec: udp-layer §4.1
@Suite struct RepeatedRequestTests {
    private let peerText = Array(LayerRig.peer.description.utf8)

    private func reply(_ requester: EndpointID, _ responder: UInt32 = 3, _ response: Int32 = 0) -> DatagramManagement {
        .reply(
            .init(requester: requester, responder: EndpointID(responder), response: response, authentication: [4]))
    }

    @Test("a host that is known to be ours is sent the same again after 250 ms, 500 ms, 1 s, until the patience ends")
    func known() throws {
        var rig = try LayerRig()
        _ = try rig.serve(1, port: 60, 9)
        let first = rig.allocate(5, port: 64, patience: 3_000)
        #expect(rig.pass(milliseconds: 249).isEmpty)
        #expect(rig.pass(milliseconds: 1) == first)
        #expect(rig.pass(milliseconds: 499).isEmpty)
        #expect(rig.pass(milliseconds: 1) == first)
        #expect(rig.pass(milliseconds: 1_000) == first)
        let last = rig.pass(milliseconds: 1_250)
        #expect(LayerRig.refusal(in: last, after: 64) == .timedOut && last.count == 2)
        #expect(rig.layer.load.requests == 0 && rig.layer.load.endpoints == 1)
    }

    @Test("another host is asked anew after 3 s, 6 s, with another endpoint and another authentication")
    func stranger() throws {
        var rig = try LayerRig()
        let first = try #require(LayerRig.request(in: rig.allocate(5, port: 64, patience: 10_000)))
        #expect(rig.pass(milliseconds: 2_999).isEmpty)
        #expect(rig.pass(milliseconds: 1) == [.reply(.unanswered(FlowID(5)))])
        let second = try #require(LayerRig.request(in: rig.ask(.askAgain(FlowID(5), authentication: [8]))))
        #expect(second.requester != first.requester && second.authentication == [8])
        #expect(second.hash == first.hash && second.quality == first.quality)
        // Said twice by irmd, or to no flow: nothing.
        #expect(rig.ask(.askAgain(FlowID(5), authentication: [9])).isEmpty)
        #expect(rig.ask(.askAgain(FlowID(6), authentication: [9])).isEmpty)
        #expect(rig.pass(milliseconds: 5_999).isEmpty)
        #expect(rig.pass(milliseconds: 1) == [.reply(.unanswered(FlowID(5)))])
        let last = rig.pass(milliseconds: 1_000)
        #expect(LayerRig.refusal(in: last, after: 64) == .timedOut && last.count == 2)
        #expect(rig.layer.load == .init())
    }

    @Test("whichever request is accepted first makes the flow; the other is let go of", arguments: [0, 1])
    func either(chosen: Int) throws {
        var rig = try LayerRig()
        let first = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        _ = rig.pass(milliseconds: 3_000)
        let second = try #require(LayerRig.request(in: rig.ask(.askAgain(FlowID(5), authentication: [8]))))
        let chosen = [first, second][chosen].requester
        let other = chosen == first.requester ? second.requester : first.requester
        // From the host that was asked, and from nobody else.
        #expect(rig.arrive(reply(chosen), from: LayerRig.address(9)).isEmpty)
        #expect(rig.arrive(reply(chosen)) == [.reply(.taken(FlowID(5), authentication: [4], with: peerText))])
        #expect(rig.layer.load.formers == 0 && rig.layer.load.requests == 0)
        guard
            case .deliver(FlowPort(64), _) = rig.layer.arriving(
                PacketHeader(networkOrder: chosen.rawValue), length: 10, from: LayerRig.peer, now: rig.now)
        else {
            Issue.record("the flow is not at the endpoint that was accepted")
            return
        }
        // The host is known by now, and has another process wait in vain.
        #expect(rig.ask(.recognised(FlowID(5))).isEmpty)
        #expect(LayerRig.gone(in: rig.arrive(reply(other, 4))) == .init(recipient: EndpointID(4), sender: other))
        // What was accepted may be said again.
        #expect(rig.arrive(reply(chosen)).isEmpty)
        _ = rig.handle(.ended(FlowPort(64)))
        _ = rig.pass(milliseconds: 1_000)
        #expect(rig.layer.load.endpoints == 0 && rig.layer.load.requesters == 0)
    }

    @Test("a refusal of an earlier request says nothing, that of the last one ends the allocation")
    func refusals() throws {
        var rig = try LayerRig()
        let first = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        _ = rig.pass(milliseconds: 3_000)
        let second = try #require(LayerRig.request(in: rig.ask(.askAgain(FlowID(5), authentication: [8]))))
        #expect(rig.arrive(reply(first.requester, 0, -1_009)).isEmpty)
        let end = rig.arrive(reply(second.requester, 0, -1_009))
        #expect(LayerRig.refusal(in: end, after: 64) == .authentication)
        #expect(rig.layer.load == .init())
    }

    @Test("while irmd makes another request the first may be answered, or its process may go")
    func meanwhile() throws {
        var rig = try LayerRig()
        let first = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        _ = rig.pass(milliseconds: 3_000)
        #expect(rig.arrive(reply(first.requester)).count == 1)
        #expect(rig.ask(.askAgain(FlowID(5), authentication: [8])).isEmpty)
        _ = rig.allocate(6, port: 65)
        _ = rig.pass(milliseconds: 3_000)
        #expect(LayerRig.refusal(in: rig.handle(.ended(FlowPort(65))), after: 65) == .flowDown)
        #expect(rig.ask(.askAgain(FlowID(6), authentication: [8])).isEmpty)
        _ = rig.allocate(7, port: 66)
        _ = rig.pass(milliseconds: 3_000)
        let long = [UInt8](repeating: 0, count: 9_000)
        #expect(
            LayerRig.refusal(in: rig.ask(.askAgain(FlowID(7), authentication: long)), after: 66) == .messageTooLong)
        #expect(rig.layer.load.requests == 0 && rig.layer.load.endpoints == 1)
    }

    @Test("a host is known for an hour after it has shown that it is ours, by address and port")
    func memory() throws {
        var hosts = KnownHosts()
        var now = Instant(nanoseconds: 1)
        let host = LayerRig.address(1)
        hosts.note(host, now: now)
        #expect(!hosts.contains(LayerRig.address(1, port: 9), now: now))
        now = now + TimeSpan(seconds: 1_800)
        hosts.note(host, now: now)
        now = now + TimeSpan(seconds: 1_801)
        hosts.expire(now: now)
        #expect(hosts.contains(host, now: now) && hosts.count == 1)
        now = now + TimeSpan(seconds: 1_800)
        #expect(!hosts.contains(host, now: now))
        hosts.expire(now: now)
        #expect(hosts.count == 0 && hosts.deadline == nil)
        hosts.note(host, now: now)
        hosts.forget(host)
        hosts.forget(host)
        #expect(hosts.count == 0 && hosts.deadline == nil)
    }

    @Test("no network keeps the others from being known, and those of all networks are bounded")
    func bounds() {
        var hosts = KnownHosts()
        let now = Instant(nanoseconds: 1)
        for port in 1...10_000 as ClosedRange<UInt16> { hosts.note(LayerRig.address(1, port: port), now: now) }
        #expect(hosts.count <= Limits.knownHosts / 2)
        let other = DatagramAddress(family: .ipv4, high: 0, low: 0xC000_0201, port: 3_435)
        hosts.note(other, now: now)
        #expect(hosts.contains(other, now: now))
        for number in 0..<20_000 {
            let low = 0x1000_0000 + UInt64(number) << 8
            hosts.note(DatagramAddress(family: .ipv4, high: 0, low: low, port: 1), now: now)
        }
        #expect(hosts.count <= Limits.knownHosts)
        hosts.expire(now: now + Limits.knownHostMemory)
        #expect(hosts.count == 0 && hosts.deadline == nil)
    }
}
