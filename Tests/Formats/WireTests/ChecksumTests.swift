// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowMemory
import Testing

@Suite struct ChecksumTests {
    @Test("the checksums of the capture are behind its packets, in network order")
    func capture() throws {
        let packets = try Capture("crc-raw").datagrams.filter { $0.count == 24 }.map { Array($0.dropFirst(4)) }
        #expect(packets.count == 4)
        for packet in packets {
            let trailer = packet.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(packet.dropLast(4).withUnsafeBytes { CRC32.of($0) } == trailer)
        }
    }
}
