// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@Suite struct PacketHeaderTests {
    @Test("what is appended is read again at its place, up to 32 bytes")
    func roundTrip() {
        var header = PacketHeader()
        var bytes: [UInt8] = []
        for width in 1...7 {
            let value = UInt64(0x0102_0304_0506_0708) >> UInt64(8 * (8 - width)) &+ UInt64(width)
            let isAppended = header.append(networkOrder: value, bytes: width)
            #expect(isAppended)
            for index in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        #expect(header.count == 28)
        #expect((0..<28).map { header[$0] } == bytes)
        #expect(header.networkOrder(3, at: 3) == UInt64(bytes[3]) << 16 | UInt64(bytes[4]) << 8 | UInt64(bytes[5]))
        let before = header
        for bytes in [5, 0, 9, -1] {
            let isAppended = header.append(networkOrder: 0, bytes: bytes)
            #expect(!isAppended && header == before)
        }
        header.append(networkOrder: 0xffff_ffff, bytes: 4)
        #expect(header.count == 32)
        #expect(header[31] == 0xff && header[32] == 0 && header[-1] == 0)
    }

    @Test("four bytes are the commonest header")
    func four() {
        let header = PacketHeader(networkOrder: 0x0102_0304)
        #expect((0..<4).map { header[$0] } == [1, 2, 3, 4])
        #expect(header.leading32 == 0x0102_0304 && header.networkOrder(4) == 0x0102_0304 && header.count == 4)
        var appended = PacketHeader()
        appended.append(networkOrder: 0x0102_0304, bytes: 4)
        #expect(appended == header)
    }

    @Test("bytes beyond the count are no part of it", arguments: 0...40)
    func counts(count: Int) {
        let header = PacketHeader(.max, .max, .max, .max, count: count)
        #expect(header.count == min(count, 32))
        #expect((0..<40).map { header[$0] } == (0..<40).map { $0 < min(count, 32) ? 0xff : 0 })
        #expect((header.leading32 == nil) == (count < 4))
        #expect(header.networkOrder(8, at: 32) == nil && header.networkOrder(8, at: -1) == nil)
        #expect(PacketHeader(.max, .max, .max, .max, count: -1).count == 0)
    }
}
