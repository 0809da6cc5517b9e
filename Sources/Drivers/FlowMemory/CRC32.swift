// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The CRC-32 of IEEE 802.3, which is behind each packet of a flow that asks for no bit errors. spec: frcp §2
public enum CRC32 {
    /// Bytes of it in a packet.
    public static let bytes = 4

    /// Eight tables of 256: what a byte does to the sum when 0 to 7 bytes follow it in the same step. Made at the first
    /// use, so that a program without such flows has none. Never changed afterwards.
    nonisolated(unsafe) private static let tables: UnsafePointer<UInt32> = {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var sum = UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
            tables[byte] = sum
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
        }
        return UnsafePointer(tables)
    }()

    /// Of the payload alone, as a number; it goes big-endian behind the payload.
    public static func of(_ payload: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = payload.baseAddress else { return 0 }
        let tables = tables
        var sum = UInt32.max
        var place = base
        var left = payload.count
        while left >= 8 {
            let eight = UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) ^ UInt64(sum)
            sum =
                tables[1_792 + Int(eight & 0xFF)] ^ tables[1_536 + Int(eight >> 8 & 0xFF)]
                ^ tables[1_280 + Int(eight >> 16 & 0xFF)] ^ tables[1_024 + Int(eight >> 24 & 0xFF)]
            sum ^=
                tables[768 + Int(eight >> 32 & 0xFF)] ^ tables[512 + Int(eight >> 40 & 0xFF)]
                ^ tables[256 + Int(eight >> 48 & 0xFF)] ^ tables[Int(eight >> 56)]
            place += 8
            left &-= 8
        }
        for index in 0..<left {
            let byte = place.load(fromByteOffset: index, as: UInt8.self)
            sum = tables[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8
        }
        return ~sum
    }
}
