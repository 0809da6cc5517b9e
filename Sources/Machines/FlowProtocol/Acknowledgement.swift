// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What stands behind the header of a control packet: which packets are here, and how much may be sent.
/// spec: frcp-profile-1 §4
package struct Acknowledgement: Sendable {
    /// The bytes of a frame without ranges.
    package static let leastBytes = 20
    package static let mostRanges = 64
    package static let mostBytes = leastBytes + 4 * mostRanges

    package struct Bits: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let newestIsValid = Bits(rawValue: 0x01)
        package static let newestWasRepeated = Bits(rawValue: 0x02)
        /// The packet that is answered was longer than 1,200 bytes.
        package static let answersLong = Bits(rawValue: 0x04)
        static let all: Bits = [.newestIsValid, .newestWasRepeated, .answersLong]
    }

    /// Packets that are here, from the acknowledged number on.
    package struct Range: Hashable, Sendable, BitwiseCopyable {
        package let offset: UInt16
        package let length: UInt16
        package init(offset: UInt16, length: UInt16) {
            self.offset = offset
            self.length = length
        }
    }

    package var newest = SequenceNumber(0)
    /// Microseconds since the newest reached the host.
    package var delay: UInt32 = 0
    package var room: UInt32 = 0
    /// Sequence numbers ever accepted, modulo 2^32.
    package var received: UInt32 = 0
    /// Modulo 2^16.
    package var duplicates: UInt16 = 0
    package var bits = Bits()
    /// The highest first.
    package private(set) var rangeCount = 0
    private var stored = InlineArray<64, Range>(repeating: Range(offset: 0, length: 0))

    package init() {}

    package func range(_ index: Int) -> Range { stored[index] }

    /// False if there is no place.
    @discardableResult
    package mutating func append(_ range: Range) -> Bool {
        guard rangeCount < Acknowledgement.mostRanges else { return false }
        stored[rangeCount] = range
        rangeCount += 1
        return true
    }

    package var bytes: Int { Acknowledgement.leastBytes + 4 * rangeCount }

    /// Nil if the frame is cut or breaks a rule. Bytes behind the frame are ignored.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Acknowledgement.leastBytes else { return nil }
        newest = SequenceNumber(bytes.networkOrder32(at: 0))
        delay = bytes.networkOrder32(at: 4)
        room = bytes.networkOrder32(at: 8)
        received = bytes.networkOrder32(at: 12)
        duplicates = bytes.networkOrder16(at: 16)
        bits = Bits(rawValue: bytes[18])
        let count = Int(bytes[19])
        guard Bits.all.isSuperset(of: bits), count <= Acknowledgement.mostRanges,
            bytes.count >= Acknowledgement.leastBytes + 4 * count
        else { return nil }
        var below = Int.max
        for index in 0..<count {
            let place = Acknowledgement.leastBytes + 4 * index
            let range = Range(offset: bytes.networkOrder16(at: place), length: bytes.networkOrder16(at: place + 2))
            // Apart from the one above by at least one number.
            guard range.offset >= 1, range.length >= 1, Int(range.offset) + Int(range.length) < below else {
                return nil
            }
            below = Int(range.offset)
            append(range)
        }
    }

    /// Appends the frame to `bytes`.
    package func write(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(networkOrder: newest.rawValue)
        bytes.append(networkOrder: delay)
        bytes.append(networkOrder: room)
        bytes.append(networkOrder: received)
        bytes.append(networkOrder: UInt32(duplicates) << 16 | UInt32(bits.rawValue) << 8 | UInt32(rangeCount))
        for index in 0..<rangeCount {
            bytes.append(networkOrder: UInt32(stored[index].offset) << 16 | UInt32(stored[index].length))
        }
    }
}

extension OutputSpan<UInt8> {
    /// Four bytes in network order.
    package mutating func append(networkOrder value: UInt32) {
        append(UInt8(truncatingIfNeeded: value >> 24))
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }
}

extension FRCPHeader {
    /// Appends the 12 bytes.
    package func write(to bytes: inout OutputSpan<UInt8>) {
        bytes.append(networkOrder: words.0)
        bytes.append(networkOrder: words.1)
        bytes.append(networkOrder: words.2)
    }
}
