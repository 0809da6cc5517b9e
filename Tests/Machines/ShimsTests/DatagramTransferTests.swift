// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Testing
import Vocabulary
import Wire

@testable import Shims

@Suite struct DatagramTransferTests {
    /// The port that a datagram is delivered to.
    private func delivered(
        _ rig: inout LayerRig, _ header: UInt32, length: Int = 10, from source: DatagramAddress = LayerRig.peer
    ) -> FlowPort? {
        if case .deliver(let port, trim: 4) = rig.layer.arriving(
            PacketHeader(networkOrder: header), length: length, from: source, now: rig.now)
        {
            return port
        }
        return nil
    }

    @Test("packets are delivered to the endpoint they name, if they come from its peer")
    func arriving() throws {
        var rig = try LayerRig()
        let endpoint = try rig.establish(5, port: 64).rawValue
        #expect(delivered(&rig, endpoint) == FlowPort(64))
        #expect(delivered(&rig, endpoint, length: 4) == FlowPort(64))
        #expect(delivered(&rig, endpoint, length: 8_980) == FlowPort(64))
        #expect(delivered(&rig, endpoint, length: 3) == nil)
        #expect(delivered(&rig, endpoint, length: 0) == nil)
        #expect(delivered(&rig, endpoint, length: 8_981) == nil)
        #expect(delivered(&rig, endpoint, from: LayerRig.address(3)) == nil)
        #expect(delivered(&rig, endpoint, from: LayerRig.address(2, port: 3_436)) == nil)
        for header in [endpoint ^ 0x10000, endpoint + 1, 1, 0xFFFF, 0x7FFF_FFFF, 0x8000_0001, .max] as [UInt32] {
            #expect(delivered(&rig, header) == nil)
        }
        #expect(rig.counter("dropped: too short") == 2 && rig.counter("dropped: too long") == 1)
        #expect(rig.counter("dropped: wrong source") == 2 && rig.counter("dropped: unknown endpoint") == 7)
        #expect(rig.counter("packets arrived") == 3)
    }

    @Test("before the reply, and after the end, nothing is delivered")
    func life() throws {
        var rig = try LayerRig()
        let request = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        #expect(delivered(&rig, request.requester.rawValue) == nil)
        #expect(rig.counter("dropped: before the reply") == 1)
        _ = rig.handle(.ended(FlowPort(64)))
        let endpoint = try rig.establish(6, port: 64).rawValue
        #expect(delivered(&rig, request.requester.rawValue) == nil)
        #expect(rig.handle(.ended(FlowPort(64))) == [.release(FlowPort(64))])
        #expect(rig.handle(.ended(FlowPort(64))).isEmpty)
        #expect(delivered(&rig, endpoint) == nil)
        guard case .drop = rig.layer.departing(1, on: FlowPort(64), now: rig.now) else {
            Issue.record("a packet of a flow that has ended")
            return
        }
    }

    @Test("packets depart up to the length that irmd was told")
    func departing() throws {
        var rig = try LayerRig()
        _ = try rig.establish(5, port: 64)
        func departs(_ length: Int, on port: Int32) -> Bool {
            if case .prepend = rig.layer.departing(length, on: FlowPort(port), now: rig.now) { true } else { false }
        }
        #expect(departs(0, on: 64) && departs(8_976, on: 64) && !departs(8_977, on: 64))
        #expect(!departs(1, on: 65) && !departs(1, on: -1) && !departs(1, on: .max) && !departs(1, on: .min))
        #expect(rig.counter("dropped: no flow") == 4 && rig.counter("dropped: too long") == 1)
    }

    @Test("garbage for management is dropped and counted, whatever it is", arguments: 1...10)
    func garbage(seed: Int) throws {
        var numbers = RandomSource(seed: UInt64(seed))
        var rig = try LayerRig(seed: UInt64(seed))
        let request = try #require(LayerRig.request(in: rig.allocate(5, port: 64)))
        let good = [
            LayerRig.wish(3).encoded(),
            DatagramManagement.reply(
                .init(requester: request.requester, responder: EndpointID(9), response: 0, authentication: [])
            ).encoded(),
        ]
        for _ in 0..<5_000 {
            var bytes = try #require(good.randomElement(using: &numbers))
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                bytes[Int.random(in: bytes.indices, using: &numbers)] = .random(in: .min ... .max, using: &numbers)
            }
            if Int.random(in: 0..<4, using: &numbers) == 0 {
                bytes.removeSubrange(Int.random(in: bytes.indices, using: &numbers)...)
            }
            let header = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            _ = rig.layer.arriving(
                PacketHeader(networkOrder: header), length: bytes.count, from: LayerRig.peer, now: rig.now)
            // Also what the data path would not have called control.
            let actions = rig.handle(.lower(.datagram(bytes, from: LayerRig.peer)))
            for case .reply(.arrived(let id, _, _, _, _)) in actions { _ = rig.ask(.reject(id, .name)) }
        }
        let malformed = rig.counter("dropped: malformed") ?? 0
        #expect(malformed > 0)
        _ = rig.handle(.ended(FlowPort(64)))
        _ = rig.pass(milliseconds: 100_000)
        #expect(rig.layer.load == .init())
    }
}
