// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ping
import Testing
import Vocabulary

@Suite struct EchoPacketTests {
    private let packet = EchoPacket(
        kind: .reply, sequence: 0x0102_0304, sent: Instant(nanoseconds: 5_000_000_007))

    @Test("the bytes are those of the prototype")
    func golden() {
        // Kind and sequence in network order, seconds and nanoseconds in that of this host. spec: tools §1
        let time: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]
        let bytes: [UInt8] = [0, 0, 0, 1, 1, 2, 3, 4] + time + Array(repeating: 0, count: 40)
        #expect(packet.bytes(count: 64) == bytes)
        #expect(EchoPacket(reading: bytes) == packet)
    }

    @Test("every size has the header and zeroes")
    func sizes() {
        for size in [24, 64, 65, 1_500] {
            let bytes = packet.bytes(count: size)
            #expect(bytes.count == size)
            #expect(EchoPacket(reading: bytes) == packet)
        }
    }

    @Test("what is too short is no packet")
    func truncation() {
        let bytes = packet.bytes(count: 64)
        for count in 0..<24 { #expect(EchoPacket(reading: bytes.prefix(count)) == nil) }
        #expect(EchoPacket(reading: bytes.prefix(24)) == packet)
    }

    @Test("neither another kind nor an impossible time is a packet")
    func nonsense() {
        var bytes = packet.bytes(count: 64)
        bytes[3] = 2
        #expect(EchoPacket(reading: bytes) == nil)
        for (index, value) in [(15, 0x80), (23, 0x80), (15, 0x7f)] as [(Int, UInt8)] {
            var bytes = packet.bytes(count: 64)
            bytes[index] = value
            // Negative, or more than there are nanoseconds.
            #expect(EchoPacket(reading: bytes) == nil)
        }
    }

    @Test("a request turns into its reply, and nothing else changes")
    func turning() {
        var request = EchoPacket(kind: .request, sequence: 9, sent: Instant(nanoseconds: 1)).bytes(count: 64)
        request[60] = 0xaa
        var reply = request
        #expect(EchoPacket.turn(&reply, count: 64))
        #expect(reply[3] == 1)
        #expect(reply.enumerated().allSatisfy { $0.offset == 3 || $0.element == request[$0.offset] })
        // Not twice, and nothing that is too short.
        #expect(!EchoPacket.turn(&reply, count: 64))
        #expect(!EchoPacket.turn(&request, count: 23))
    }

    @Test("random bytes never trap")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            var bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...1, using: &generator) &* UInt8.random(in: 0...255, using: &generator)
            }
            _ = EchoPacket(reading: bytes)
            _ = EchoPacket.turn(&bytes, count: bytes.count)
        }
    }
}
