// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// One end of a flow with FRCP, of either profile. Both are stored, because the payload of an enumeration is copied when it is
/// looked at, and each packet looks several times.
package struct FlowMachine: Sendable {
    private let isProfile0: Bool
    /// Unused if the end has profile 0, which is for flows to hosts with the prototype.
    package private(set) var profile1: FRCPEnd
    package private(set) var profile0: Profile0End

    package init(_ end: FRCPEnd) {
        isProfile0 = false
        profile1 = end
        profile0 = Profile0End(first: 0, isReliable: true, payload: 1, settings: end.settings, now: 0)
    }

    package init(_ end: Profile0End) {
        isProfile0 = true
        profile0 = end
        profile1 = FRCPEnd(
            transmitter: Transmitter(
                first: SequenceNumber(0), isReliable: true, controlsRate: true, credit: 0, room: 0, payload: 1,
                longestMessage: 0, peersDelay: 0),
            receiver: Receiver(
                first: SequenceNumber(0), isReliable: true, credit: 0, bound: 0, longestMessage: 0, delay: 0,
                gapPatience: 0),
            settings: end.settings, now: 0)
    }

    /// The frame of the last control packet.
    package var told: Acknowledgement { profile1.told }

    package var phase: FRCPEnd.Phase { isProfile0 ? profile0.phase : profile1.phase }
    package var failure: FRCPEnd.FlowFailure { isProfile0 ? profile0.failure : profile1.failure }
    /// Nothing more will come for the program to read.
    package var hasEnded: Bool { isProfile0 ? profile0.hasEnded : profile1.hasEnded }

    // What the program writes.

    /// The largest payload of a packet.
    package var payload: Int { isProfile0 ? profile0.payload : profile1.transmitter.payload }
    /// What `admit` accepts at most.
    package var longestMessage: Int { isProfile0 ? profile0.payload : profile1.transmitter.longestMessage }
    /// The number before which all packets were received.
    package var acknowledged: Int { isProfile0 ? profile0.acknowledged : profile1.transmitter.acknowledged }
    /// Something that was admitted has not reached the peer.
    package var isUnacknowledged: Bool {
        isProfile0 ? profile0.isUnacknowledged : profile1.transmitter.isUnacknowledged
    }
    /// Nothing was ever written or sent here, and nothing is to be told.
    package var isFresh: Bool { !isProfile0 && profile1.isFresh }
    /// Something that was admitted could not be sent yet.
    package var holdsBack: Bool { isProfile0 ? profile0.next < profile0.admitted : profile1.transmitter.holdsBack }
    package var unacknowledgedPackets: Int {
        isProfile0 ? profile0.unacknowledgedPackets : profile1.transmitter.unacknowledgedPackets
    }
    /// Bytes of messages that were admitted ever.
    package var writtenBytes: UInt64 { isProfile0 ? profile0.writtenBytes : profile1.transmitter.writtenBytes }

    /// See `Transmitter.admit`.
    package mutating func admit(
        _ length: Int, bound: Int, _ table: inout MutableSpan<SentPacket>
    ) -> Transmitter.Admission {
        isProfile0 ? profile0.admit(length, bound: bound, &table) : profile1.admit(length, bound: bound, &table)
    }

    /// See `Transmitter.hasPlace`.
    package func hasPlace(_ length: Int, bound: Int, _ table: borrowing MutableSpan<SentPacket>) -> Bool {
        isProfile0
            ? profile0.hasPlace(length, bound: bound, table)
            : profile1.transmitter.hasPlace(length, bound: bound, table)
    }

    /// How many bytes of the store are in use.
    package func waiting(_ table: borrowing MutableSpan<SentPacket>) -> Int {
        isProfile0 ? profile0.waiting(table) : profile1.transmitter.waiting(table)
    }

    // What the program reads.

    /// Whole messages that can be read.
    package var messages: Int { isProfile0 ? profile0.messages : profile1.receiver.messages }
    /// The peer is to be told something at once.
    package var isDue: Bool { isProfile0 ? profile0.isDue : profile1.receiver.isDue }
    /// Nothing is here that is to be read, and nothing is missing.
    package var isReceiverEmpty: Bool { isProfile0 ? profile0.isEmpty : profile1.receiver.isEmpty }
    /// Bytes that were stored ever.
    package var arrivedBytes: UInt64 { isProfile0 ? profile0.arrivedBytes : profile1.receiver.arrivedBytes }

    /// See `Receiver.piece`.
    package func piece(
        after previous: Receiver.Piece?, capacity: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> Receiver.Piece? {
        isProfile0
            ? profile0.piece(after: previous, capacity: capacity, in: table)
            : profile1.receiver.piece(after: previous, capacity: capacity, in: table)
    }

    /// The program has read the message that ends with this piece.
    package mutating func finish(_ piece: Receiver.Piece, _ table: inout MutableSpan<ArrivedPacket>) {
        if isProfile0 { profile0.finish(piece, &table) } else { profile1.finish(piece, &table) }
    }

    // Packets.

    /// Control packets of profile 0 may lack the checksum. spec: frcp §1
    package var takesControlWithoutChecksum: Bool { isProfile0 }

    /// An empty packet came. It is no sign of the peer in profile 1.
    package mutating func heardLife(now: UInt64) { if isProfile0 { profile0.heardLife(now: now) } }

    /// See `FRCPEnd.dataArrived`.
    package mutating func dataArrived(
        _ header: FRCPHeader, length: Int, capacity: Int, arrival: UInt64, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        isProfile0
            ? profile0.arrived(header, length: length, capacity: capacity, now: now, &sentTable, &arrivedTable)
            : profile1.dataArrived(
                header, length: length, capacity: capacity, arrival: arrival, now: now, &sentTable, &arrivedTable)
    }

    /// See `FRCPEnd.controlArrived`. Profile 0 has no frames.
    package mutating func controlArrived(
        _ header: FRCPHeader, length: Int, frame: Acknowledgement?, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        if isProfile0 {
            _ = profile0.arrived(header, length: length, capacity: 0, now: now, &sentTable, &arrivedTable)
        } else {
            profile1.controlArrived(header, length: length, frame: frame, now: now, &sentTable, &arrivedTable)
        }
    }

    /// The packet that is to be sent now; nil if there is none.
    package mutating func depart(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> FRCPEnd.Departure? {
        isProfile0 ? profile0.depart(now: now, &sentTable) : profile1.depart(now: now, &sentTable, &arrivedTable)
    }

    /// What the end tells of itself to people.
    package func statistics(now: UInt64, _ table: borrowing MutableSpan<SentPacket>) -> FlowStatistics {
        isProfile0 ? profile0.statistics(now: now, table) : profile1.statistics(now: now, table)
    }

    // Time, and the end.

    /// When `expire` wants to be called; nil: not because of time.
    package mutating func deadline(_ sentTable: inout MutableSpan<SentPacket>) -> UInt64? {
        isProfile0 ? profile0.deadline(&sentTable) : profile1.deadline(&sentTable)
    }

    /// A deadline may have come. What arrived was processed before.
    package mutating func expire(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        if isProfile0 {
            profile0.expire(now: now, &sentTable)
        } else {
            profile1.expire(now: now, &sentTable, &arrivedTable)
        }
    }

    /// The program lets go of the flow. See `FRCPEnd.close`.
    package mutating func close(lingers: Bool, now: UInt64, _ arrivedTable: inout MutableSpan<ArrivedPacket>) {
        if isProfile0 {
            profile0.close(lingers: lingers, now: now, &arrivedTable)
        } else {
            profile1.close(lingers: lingers, now: now, &arrivedTable)
        }
    }
}
