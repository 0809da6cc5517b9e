// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Up to 32 bytes at the beginning of a packet: a header that is put in front of it, or a private copy of its first bytes. A
/// plain value: it is made and read for each packet without memory.
package struct PacketHeader: Hashable, Sendable {
    package static let capacity = 32

    /// The bytes in order: the first is the lowest of `word0`. Bytes from `count` on are zero.
    package private(set) var word0: UInt64 = 0
    package private(set) var word1: UInt64 = 0
    package private(set) var word2: UInt64 = 0
    package private(set) var word3: UInt64 = 0
    package private(set) var count = 0

    package init() {}

    /// Four bytes in network order.
    package init(networkOrder value: UInt32) {
        word0 = UInt64(value.byteSwapped)
        count = 4
    }

    /// All 32 bytes, as they stand in the memory of a little-endian machine.
    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
        count = PacketHeader.capacity
    }

    /// The words as they stand in the memory of a little-endian machine, of which `count` bytes are meant, at most 32.
    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, count: Int) {
        let count = min(max(count, 0), PacketHeader.capacity)
        self.count = count
        self.word0 = PacketHeader.first(count, of: word0)
        self.word1 = PacketHeader.first(count - 8, of: word1)
        self.word2 = PacketHeader.first(count - 16, of: word2)
        self.word3 = PacketHeader.first(count - 24, of: word3)
    }

    private static func first(_ bytes: Int, of word: UInt64) -> UInt64 {
        bytes >= 8 ? word : bytes <= 0 ? 0 : word & (1 << (8 * UInt64(bytes)) - 1)
    }

    private func word(_ index: Int) -> UInt64 {
        switch index {
        case 0: word0
        case 1: word1
        case 2: word2
        default: word3
        }
    }

    /// Zero from `count` on.
    package subscript(index: Int) -> UInt8 {
        guard index >= 0, index < count else { return 0 }
        return UInt8(truncatingIfNeeded: word(index / 8) >> UInt64(8 * (index % 8)))
    }

    /// Up to 8 bytes from `offset` on, in network order; nil if there are not so many.
    package func networkOrder(_ bytes: Int, at offset: Int = 0) -> UInt64? {
        guard bytes >= 0, bytes <= 8, offset >= 0, offset + bytes <= count else { return nil }
        var value: UInt64 = 0
        for index in offset..<offset + bytes { value = value << 8 | UInt64(self[index]) }
        return value
    }

    /// The first four bytes in network order; nil if there are not so many. What most headers begin with.
    package var leading32: UInt32? {
        count < 4 ? nil : UInt32(truncatingIfNeeded: word0).byteSwapped
    }

    /// Appends the lowest `bytes` (1 to 8) of the value in network order. False if there is no room; then nothing is appended.
    @discardableResult
    package mutating func append(networkOrder value: UInt64, bytes: Int) -> Bool {
        guard bytes >= 1, bytes <= 8, count + bytes <= PacketHeader.capacity else { return false }
        for index in 0..<bytes {
            let byte = value >> UInt64(8 * (bytes - 1 - index)) & 0xff
            set(count + index, byte)
        }
        count += bytes
        return true
    }

    private mutating func set(_ index: Int, _ byte: UInt64) {
        let shifted = byte << UInt64(8 * (index % 8))
        switch index / 8 {
        case 0: word0 |= shifted
        case 1: word1 |= shifted
        case 2: word2 |= shifted
        default: word3 |= shifted
        }
    }
}
