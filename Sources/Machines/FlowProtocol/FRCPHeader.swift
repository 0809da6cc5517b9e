// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The 12 bytes in front of every packet of a flow with FRCP. spec: frcp §3, frcp-profile-1 §2
package struct FRCPHeader: Hashable, Sendable {
    package static let bytes = 12

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The packet has a sequence number of its own.
        package static let data = Flags(rawValue: 0x01)
        /// Profile 1: the packet was sent before.
        package static let repeated = Flags(rawValue: 0x02)
        /// Profile 0: the sender has no unacknowledged data before this packet.
        package static let run = Flags(rawValue: 0x02)
        package static let acknowledges = Flags(rawValue: 0x04)
        package static let credits = Flags(rawValue: 0x08)
        /// The receiver shall answer at once.
        package static let rendezvous = Flags(rawValue: 0x10)
        /// Both: the first fragment; `middle` alone: one in the middle; `last` alone: the last.
        package static let last = Flags(rawValue: 0x20)
        package static let middle = Flags(rawValue: 0x40)
        package static let first: Flags = [.last, .middle]
        /// Together with `data` this flag ends the flow; without `data` it aborts the flow.
        package static let end = Flags(rawValue: 0x80)
    }

    package var flags: Flags
    /// The low 24 bits of the first sequence number that may not be sent.
    package var edge: UInt32
    package var sequence: SequenceNumber
    package var acknowledged: SequenceNumber

    package init(flags: Flags, edge: UInt32, sequence: SequenceNumber, acknowledged: SequenceNumber) {
        self.flags = flags
        self.edge = edge & 0xff_ffff
        self.sequence = sequence
        self.acknowledged = acknowledged
    }

    /// - Parameter words: The bytes as three numbers in network order.
    package init(words: (UInt32, UInt32, UInt32)) {
        flags = Flags(rawValue: UInt8(words.0 >> 24))
        edge = words.0 & 0xff_ffff
        sequence = SequenceNumber(words.1)
        acknowledged = SequenceNumber(words.2)
    }

    package var words: (UInt32, UInt32, UInt32) {
        (UInt32(flags.rawValue) << 24 | edge, sequence.rawValue, acknowledged.rawValue)
    }

    /// Nil if there are fewer than 12.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= FRCPHeader.bytes else { return nil }
        self.init(words: (bytes.networkOrder32(at: 0), bytes.networkOrder32(at: 4), bytes.networkOrder32(at: 8)))
    }

    /// How far the edge of profile 1 lies behind the acknowledged number. spec: frcp-profile-1 §2
    package var credit: Int { Int((edge &- acknowledged.rawValue) & 0xff_ffff) }
}

extension Span<UInt8> {
    /// Four bytes, which must be there.
    package func networkOrder32(at offset: Int) -> UInt32 {
        UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8
            | UInt32(self[offset + 3])
    }

    /// Two bytes, which must be there.
    package func networkOrder16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }
}
