// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The checksum behind the packets of flows that allow no bit errors: that of IEEE 802.3. What it covers can come in
/// pieces. spec: frcp §2
package struct CRC32: Sendable {
    /// Bytes of the checksum in a packet, where it stands in network order.
    package static let bytes = 4

    private var state = UInt32.max

    package init() {}

    /// Of the bytes so far.
    package var value: UInt32 { ~state }

    /// Of these bytes.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        var checksum = CRC32()
        checksum.update(bytes)
        return checksum.value
    }

    /// Eight bytes in one step, with a table for each of them.
    package mutating func update(_ bytes: Span<UInt8>) {
        let tables = Self.tables.span
        var state = state
        var offset = 0
        while bytes.count - offset >= 8 {
            var word: UInt64 = 0
            for index in 0..<8 { word |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
            word ^= UInt64(state)
            state = 0
            for index in 0..<8 {
                state ^= tables[(7 - index) << 8 | Int(UInt8(truncatingIfNeeded: word >> UInt64(8 * index)))]
            }
            offset += 8
        }
        while offset < bytes.count {
            state = tables[Int(UInt8(truncatingIfNeeded: state) ^ bytes[offset])] ^ state >> 8
            offset += 1
        }
        self.state = state
    }

    /// What a byte does to the state when so many bytes follow it: 0 to 7, one table after another.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 2_048)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            tables[byte] = value
        }
        for index in 256..<2_048 {
            let before = tables[index - 256]
            tables[index] = tables[Int(UInt8(truncatingIfNeeded: before))] ^ before >> 8
        }
        return tables
    }()
}
