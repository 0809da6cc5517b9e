// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Testing

@Suite struct FRCPHeaderTests {
    @Test("a header has the bytes of the example of the specification")
    func golden() throws {
        let bytes: [UInt8] = [0x0f, 0xde, 0x5d, 0x0b, 0xb7, 0x1c, 0x6f, 0x17, 0xa4, 0xde, 0x5c, 0x0b]
        let decoded = FRCPHeader(bytes.span)
        let header = try #require(decoded)
        #expect(header.flags == [.data, .run, .acknowledges, .credits])
        #expect(header.sequence.rawValue == 0xb71c_6f17 && header.acknowledged.rawValue == 0xa4de_5c0b)
        #expect(header.credit == 256)
        #expect(header.words == (0x0fde_5d0b, 0xb71c_6f17, 0xa4de_5c0b))
        for count in 0..<12 {
            let cut = Array(bytes.prefix(count))
            let none = FRCPHeader(cut.span) == nil
            #expect(none)
        }
    }

    @Test("the edge follows from the packet's own acknowledgement, also across 2^24 and 2^32")
    func edges() {
        for (acknowledged, credit) in [
            (UInt32(0x00ff_fff0), 32_768), (0xffff_ffff, 1), (0xffff_fff0, 32), (0, 0), (0x1234_5678, 64),
        ] {
            let number = SequenceNumber(acknowledged)
            let header = FRCPHeader(
                flags: .data, edge: (number + credit).rawValue, sequence: SequenceNumber(1), acknowledged: number)
            #expect(header.credit == credit)
        }
        #expect(SequenceNumber(0xffff_ffff).isBefore(SequenceNumber(0)))
        #expect(!SequenceNumber(0).isBefore(SequenceNumber(0)))
        #expect(SequenceNumber(5).distance(to: SequenceNumber(3)) == -2)
    }
}
