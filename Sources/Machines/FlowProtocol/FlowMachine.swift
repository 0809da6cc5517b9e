// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// One end of a flow with FRCP, of either profile. Exactly one of the two is there; both are stored, because Swift changes the
/// payload of an optional in place, and that of other enumerations not.
package struct FlowMachine: Sendable {
    package private(set) var profile1: FRCPEnd?
    package private(set) var profile0: Profile0End?

    package init(_ end: FRCPEnd) { profile1 = end }
    package init(_ end: Profile0End) { profile0 = end }

    package var phase: FRCPEnd.Phase { profile1?.phase ?? profile0?.phase ?? .over }
    package var failure: FRCPEnd.FlowFailure { profile1?.failure ?? profile0?.failure ?? .none }
    /// Nothing more will come for the program to read.
    package var hasEnded: Bool { profile1?.hasEnded ?? profile0?.hasEnded ?? true }

    // What the program writes.

    /// The largest payload of a packet.
    package var payload: Int { profile1?.transmitter.payload ?? profile0?.payload ?? 0 }
    /// What `admit` accepts at most.
    package var longestMessage: Int { profile1?.transmitter.longestMessage ?? profile0?.payload ?? 0 }
    /// The number before which all packets were received.
    package var acknowledged: Int { profile1?.transmitter.acknowledged ?? profile0?.acknowledged ?? 0 }
    /// Something that was admitted has not reached the peer.
    package var isUnacknowledged: Bool {
        profile1?.transmitter.isUnacknowledged ?? profile0?.isUnacknowledged ?? false
    }
    package var unacknowledgedPackets: Int {
        profile1?.transmitter.unacknowledgedPackets ?? profile0?.unacknowledgedPackets ?? 0
    }
    /// Bytes of messages that were admitted ever.
    package var writtenBytes: UInt64 { profile1?.transmitter.writtenBytes ?? profile0?.writtenBytes ?? 0 }

    /// See `Transmitter.admit`.
    package mutating func admit(
        _ length: Int, bound: Int, _ table: inout MutableSpan<SentPacket>
    ) -> Transmitter.Admission {
        profile1?.admit(length, bound: bound, &table) ?? profile0?.admit(length, bound: bound, &table) ?? .ending
    }

    /// See `Transmitter.hasPlace`.
    package func hasPlace(_ length: Int, bound: Int, _ table: borrowing MutableSpan<SentPacket>) -> Bool {
        profile1?.transmitter.hasPlace(length, bound: bound, table)
            ?? profile0?.hasPlace(length, bound: bound, table) ?? true
    }

    /// How many bytes of the store are in use.
    package func waiting(_ table: borrowing MutableSpan<SentPacket>) -> Int {
        profile1?.transmitter.waiting(table) ?? profile0?.waiting(table) ?? 0
    }

    // What the program reads.

    /// Whole messages that can be read.
    package var messages: Int { profile1?.receiver.messages ?? profile0?.messages ?? 0 }
    /// The peer is to be told something at once.
    package var isDue: Bool { profile1?.receiver.isDue ?? profile0?.isDue ?? false }
    /// Nothing is here that is to be read, and nothing is missing.
    package var isReceiverEmpty: Bool { profile1?.receiver.isEmpty ?? profile0?.isEmpty ?? true }
    /// Bytes that were stored ever.
    package var arrivedBytes: UInt64 { profile1?.receiver.arrivedBytes ?? profile0?.arrivedBytes ?? 0 }

    /// See `Receiver.piece`.
    package func piece(
        after previous: Receiver.Piece?, capacity: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> Receiver.Piece? {
        profile1?.receiver.piece(after: previous, capacity: capacity, in: table)
            ?? profile0?.piece(after: previous, capacity: capacity, in: table)
    }

    /// The program has read the message that ends with this piece.
    package mutating func finish(_ piece: Receiver.Piece, _ table: inout MutableSpan<ArrivedPacket>) {
        profile1?.finish(piece, &table)
        profile0?.finish(piece, &table)
    }

    // Packets.

    /// Control packets of profile 0 may lack the checksum. spec: frcp §1
    package var takesControlWithoutChecksum: Bool { profile0 != nil }

    /// An empty packet came. It is no sign of the peer in profile 1.
    package mutating func heardLife(now: UInt64) { profile0?.heardLife(now: now) }

    /// See `FRCPEnd.arrived`.
    package mutating func arrived(
        _ header: FRCPHeader, length: Int, frame: Acknowledgement?, capacity: Int, arrival: UInt64, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        profile1?.arrived(
            header, length: length, frame: frame, capacity: capacity, arrival: arrival, now: now, &sentTable,
            &arrivedTable)
            ?? profile0?.arrived(header, length: length, capacity: capacity, now: now, &sentTable, &arrivedTable)
            ?? .nothing
    }

    /// The packet that is to be sent now; nil if there is none.
    package mutating func depart(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> FRCPEnd.Departure? {
        profile1?.depart(now: now, &sentTable, &arrivedTable) ?? profile0?.depart(now: now, &sentTable)
    }

    // Time, and the end.

    /// When `expire` wants to be called; nil: not because of time.
    package mutating func deadline(_ sentTable: inout MutableSpan<SentPacket>) -> UInt64? {
        profile1?.deadline(&sentTable) ?? profile0?.deadline(&sentTable)
    }

    /// A deadline may have come. What arrived was processed before.
    package mutating func expire(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        profile1?.expire(now: now, &sentTable, &arrivedTable)
        profile0?.expire(now: now, &sentTable)
    }

    /// The program lets go of the flow. See `FRCPEnd.close`.
    package mutating func close(lingers: Bool, now: UInt64, _ arrivedTable: inout MutableSpan<ArrivedPacket>) {
        profile1?.close(lingers: lingers, now: now, &arrivedTable)
        profile0?.close(lingers: lingers, now: now, &arrivedTable)
    }
}
