// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// A flow has ended, and its peer is told. spec: udp-layer §4.4
@Suite struct GoodbyeTests {
    private func gone(_ recipient: EndpointID, _ sender: UInt32) -> DatagramManagement {
        .gone(.init(recipient: recipient, sender: EndpointID(sender)))
    }

    @Test("a peer that is ours is told three times that the flow has ended, in 750 ms")
    func told() throws {
        var rig = try LayerRig()
        let own = try rig.serve(1, port: 64, 9)
        let end = rig.handle(.ended(FlowPort(64)))
        #expect(end.first == .release(FlowPort(64)) && end.count == 2)
        #expect(LayerRig.gone(in: end) == .init(recipient: EndpointID(9), sender: own))
        #expect(rig.pass(milliseconds: 249).isEmpty)
        #expect(rig.pass(milliseconds: 1) == [end[1]])
        #expect(rig.pass(milliseconds: 500) == [end[1]])
        #expect(rig.pass(milliseconds: 10_000).isEmpty)
        #expect(rig.layer.load.endpoints == 0 && rig.layer.load.goodbyes == 0)
    }

    @Test("a peer that has not shown that it is ours is told nothing; one that has accepted a flow and is ours, is")
    func strangers() throws {
        var rig = try LayerRig()
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(9))))
        _ = rig.accept(id, 1, port: 64)
        _ = try rig.establish(2, port: 65)
        for port in [64, 65] as [Int32] { #expect(rig.handle(.ended(FlowPort(port))) == [.release(FlowPort(port))]) }
        let own = try rig.establish(3, port: 66)
        #expect(rig.ask(.recognised(FlowID(3))).isEmpty)
        #expect(LayerRig.gone(in: rig.handle(.ended(FlowPort(66)))) == .init(recipient: EndpointID(77), sender: own))
        // The host is known now.
        _ = try rig.establish(4, port: 67)
        #expect(LayerRig.gone(in: rig.handle(.ended(FlowPort(67)))) != nil)
        // A request that nobody has answered has no peer.
        _ = rig.allocate(5, port: 68)
        #expect(rig.ask(.recognised(FlowID(5))).isEmpty)
        #expect(LayerRig.gone(in: rig.handle(.ended(FlowPort(68)))) == nil)
    }

    @Test("the flow of which the peer says that it has ended is let go of, and nobody is told again")
    func heard() throws {
        var rig = try LayerRig()
        let served = try rig.serve(1, port: 64, 9)
        let asked = try rig.establish(2, port: 65)
        #expect(rig.arrive(gone(served, 9)) == [.release(FlowPort(64))])
        #expect(rig.arrive(gone(asked, 77)) == [.release(FlowPort(65))])
        #expect(rig.arrive(gone(asked, 77)).isEmpty)
        #expect(rig.counter("dropped: end of unknown flow") == 1)
        #expect(rig.handle(.ended(FlowPort(65))).isEmpty)
        #expect(rig.layer.load.endpoints == 0 && rig.layer.load.requesters == 0 && rig.layer.load.goodbyes == 0)
    }

    @Test("nobody but the peer, who knows both endpoints, can say that a flow has ended")
    func forged() throws {
        var rig = try LayerRig()
        let served = try rig.serve(1, port: 64, 9)
        #expect(rig.arrive(gone(served, 10)).isEmpty)
        #expect(rig.arrive(gone(served, 9), from: LayerRig.address(3)).isEmpty)
        #expect(rig.arrive(gone(served, 9), from: LayerRig.address(2, port: 1)).isEmpty)
        let request = try #require(LayerRig.request(in: rig.allocate(2, port: 65)))
        #expect(rig.arrive(gone(request.requester, 3)).isEmpty)
        #expect(rig.counter("dropped: end of flow from others") == 4)
        #expect(rig.arrive(gone(EndpointID(served.rawValue ^ 1), 9)).isEmpty)
        #expect(rig.counter("dropped: end of unknown flow") == 1)
        #expect(rig.layer.load.endpoints == 2)
        #expect(rig.arrive(gone(served, 9)) == [.release(FlowPort(64))])
    }

    @Test("a host that is ours and accepts a flow that nobody waits for any more is told; a stranger is not")
    func declined() throws {
        var rig = try LayerRig()
        func reply(_ requester: EndpointID, _ response: Int32 = 0) -> DatagramManagement {
            .reply(.init(requester: requester, responder: EndpointID(5), response: response, authentication: []))
        }
        let first = try #require(LayerRig.request(in: rig.allocate(2, port: 64))).requester
        _ = rig.handle(.ended(FlowPort(64)))
        #expect(rig.arrive(reply(first)).isEmpty)
        let served = try rig.serve(1, port: 64, 9)
        #expect(LayerRig.gone(in: rig.arrive(reply(first))) == .init(recipient: EndpointID(5), sender: first))
        #expect(rig.arrive(reply(first, -1_007)).isEmpty)
        #expect(rig.arrive(reply(first), from: LayerRig.address(3)).isEmpty)
        // No host is told of the end of a flow that is still there.
        #expect(rig.arrive(reply(served)).isEmpty)
        #expect(rig.layer.load.goodbyes == 0)
    }

    @Test("when the IPCP ends, all peers that are ours are told once")
    func ending() throws {
        var rig = try LayerRig()
        for number in 1...20 as ClosedRange<UInt32> {
            _ = try rig.serve(number, port: 63 + Int32(number), number)
        }
        _ = try rig.establish(30, port: 100)
        let end = rig.handle(.ending)
        #expect(end.count == 20 && end.allSatisfy { LayerRig.gone(in: [$0]) != nil })
    }

    @Test("of very many that end at once a bounded number is told again")
    func bounds() {
        var goodbyes = Goodbyes()
        let now = Instant(nanoseconds: 1)
        for _ in 0..<Limits.repeatedGoodbyes * 2 {
            goodbyes.sent(Goodbyes.Goodbye([1], to: LayerRig.peer), now: now)
        }
        #expect(goodbyes.count == Limits.repeatedGoodbyes)
    }
}
