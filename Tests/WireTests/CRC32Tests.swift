// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Testing

@Suite struct CRC32Tests {
    /// Bit by bit, as the definition says it.
    private func slow(_ bytes: [UInt8]) -> UInt32 {
        var state = UInt32.max
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xEDB8_8320 : state >> 1 }
        }
        return ~state
    }

    @Test("the examples of the specification, and the one that everybody has")
    func examples() {
        #expect(CRC32.of(Array("123456789".utf8).span) == 0xCBF4_3926)
        #expect(CRC32.of([UInt8]().span) == 0)
        #expect(CRC32.of(octets("706b74203030303030302e4141414141").span) == 0x5AF9_6775)
        let withHeader = octets("03000000 fe711988 00000000 706b74203030303030302e4141414141")
        #expect(CRC32.of(withHeader.span) == 0x31F7_59FC)
    }

    @Test("the checksums of the capture are behind its packets, in network order")
    func capture() throws {
        let packets = try Capture("crc-raw").datagrams.filter { $0.count == 24 }.map { Array($0.dropFirst(4)) }
        #expect(packets.count == 4)
        for packet in packets {
            let trailer = packet.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(CRC32.of(Array(packet.dropLast(4)).span) == trailer)
        }
    }

    @Test("every length agrees with the definition, in one piece and in two")
    func lengths() {
        var numbers = SeededNumbers(seed: 1)
        for count in 0..<100 {
            let bytes = numbers.bytes(count...count)
            #expect(CRC32.of(bytes.span) == slow(bytes))
            let middle = Int.random(in: 0...count, using: &numbers)
            var checksum = CRC32()
            checksum.update(Array(bytes[..<middle]).span)
            checksum.update(Array(bytes[middle...]).span)
            #expect(checksum.value == slow(bytes))
        }
    }
}
