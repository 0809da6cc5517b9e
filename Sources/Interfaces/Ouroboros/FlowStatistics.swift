// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// What one end of a flow has counted since the flow began, and what it knows of the path. spec: c-api §12
///
/// The *cost* of a packet is its payload and 64 bytes. A flow that is not in order has no FRCP, see ``kind-swift.property``.
/// Such a flow has only ``time``, ``messages``, ``payload`` and ``unacknowledgedPackets``; the other numbers are 0, and a
/// message of 0 bytes, or a keepalive, counts as a message.
public struct FlowStatistics: Hashable, Sendable {
    /// What carries the messages.
    public enum Kind: UInt64, Sendable {
        /// Both ends are on this host.
        case inside = 1
        /// The flow leaves this host without FRCP.
        case raw = 2
        /// FRCP with profile 0, that of 0.23.
        case profile0 = 3
        /// FRCP with profile 1.
        case profile1 = 4
    }

    /// Why nothing more comes, or can be written.
    public enum Ending: UInt64, Sendable {
        /// The other end has let go of the flow, or its process has died.
        case closed = 1
        /// irmd, the layer or its IPCP has ended the flow.
        case down = 2
        /// The other end was silent for too long.
        case silent = 3
        /// The other end has aborted the flow.
        case aborted = 4
        /// The other end has broken the rules.
        case violated = 5
        /// A packet was repeated in vain, while other packets came.
        case vain = 6
        /// The program let go of the flow, and the other end did not receive all.
        case undelivered = 7
    }

    /// Messages of the program.
    public struct Messages: Hashable, Sendable {
        /// Messages that were written.
        public let written: UInt64
        /// Their bytes.
        public let bytesWritten: UInt64
        /// Messages that were read, with those that did not fit a buffer.
        public let read: UInt64
        /// Their bytes.
        public let bytesRead: UInt64
        /// Messages that can be read now.
        public let unread: UInt64
        /// Bytes that are here and were not read.
        public let bytesUnread: UInt64
    }

    /// Packets with data, or with the end of the flow.
    public struct Packets: Hashable, Sendable {
        /// Packets that were sent, with repetitions.
        public let sent: UInt64
        /// Packets that were received, without duplicates.
        public let received: UInt64
        /// Packets that only acknowledge or ask.
        public let controlSent: UInt64
        /// Packets that counted as lost.
        public let lost: UInt64
        /// Packets that were sent again.
        public let repeated: UInt64
        /// Packets that the other end has received twice.
        public let spurious: UInt64
        /// Packets that were acknowledged after a later packet.
        public let reordered: UInt64
        /// Packets that came twice.
        public let duplicates: UInt64
        /// Packets that came with a wrong CRC, or too short.
        public let damaged: UInt64
        /// Packets that came and were not allowed, or for which there was no room.
        public let refused: UInt64
        /// Packets that a lossy flow awaited in vain.
        public let missing: UInt64
    }

    /// What carries the messages; nil if it is of a kind that this version does not know.
    public let kind: Kind?
    /// Why the flow has ended; nil if it is open.
    public let ending: Ending?
    /// When the numbers were taken: the time since the host began, by the clock that never goes back.
    public let time: Duration
    /// Messages of the program.
    public let messages: Messages
    /// Packets that wait for an acknowledgement. Without FRCP: messages that the other end, or the IPCP, has not taken.
    public let unacknowledgedPackets: UInt64
    /// Bytes of messages that wait for an acknowledgement.
    public let unacknowledgedBytes: UInt64
    /// The smoothed round trip; nil if it is not known.
    public let roundTrip: Duration?
    /// How much round trips differ.
    public let roundTripDeviation: Duration
    /// The least round trip of the last 10 s; nil if it is not known.
    public let leastRoundTrip: Duration?
    /// The RTO, with the doubling that is in force.
    public let retransmissionTimeout: Duration
    /// The cost that may be in flight; nil if the layer limits the rate itself.
    public let window: UInt64?
    /// The cost in flight.
    public let bytesInFlight: UInt64
    /// The cost a second at which packets are paced, 1.25 windows in a round trip; nil if packets are not paced.
    public let rate: UInt64?
    /// Packets that the other end allows beyond those that were sent.
    public let creditPackets: UInt64
    /// The cost that the other end allows beyond what was sent.
    public let creditBytes: UInt64
    /// Bytes of the longest packet.
    public let payload: UInt64
    /// Packets.
    public let packets: Packets
    /// Reductions of the window.
    public let reductions: UInt64
    /// Reductions that were taken back, because nothing was lost.
    public let undone: UInt64
    /// Expirations of the RTO.
    public let timeouts: UInt64

    init(_ numbers: Vocabulary.FlowStatistics) {
        kind = Kind(rawValue: numbers.kind.rawValue)
        ending = numbers.ending == .none ? nil : Ending(rawValue: numbers.ending.rawValue) ?? .down
        time = .nanoseconds(Int64(clamping: numbers.time))
        messages = Messages(
            written: numbers.messagesWritten, bytesWritten: numbers.bytesWritten, read: numbers.messagesRead,
            bytesRead: numbers.bytesRead, unread: numbers.unreadMessages, bytesUnread: numbers.unreadBytes)
        unacknowledgedPackets = numbers.unacknowledgedPackets
        unacknowledgedBytes = numbers.unacknowledgedBytes
        roundTrip = numbers.roundTrip.asDuration
        roundTripDeviation = .nanoseconds(Int64(clamping: numbers.roundTripDeviation))
        leastRoundTrip = numbers.leastRoundTrip.asDuration
        retransmissionTimeout = .nanoseconds(Int64(clamping: numbers.timeout))
        window = numbers.window == 0 ? nil : numbers.window
        bytesInFlight = numbers.flight
        rate = numbers.rate == 0 ? nil : numbers.rate
        creditPackets = numbers.creditPackets
        creditBytes = numbers.creditBytes
        payload = numbers.payload
        packets = Packets(numbers)
        reductions = numbers.reductions
        undone = numbers.undone
        timeouts = numbers.timeouts
    }
}

extension FlowStatistics.Packets {
    fileprivate init(_ numbers: Vocabulary.FlowStatistics) {
        self.init(
            sent: numbers.packetsSent, received: numbers.packetsReceived, controlSent: numbers.controlPacketsSent,
            lost: numbers.lost, repeated: numbers.repeated, spurious: numbers.spurious, reordered: numbers.reordered,
            duplicates: numbers.duplicates, damaged: numbers.damaged, refused: numbers.refused,
            missing: numbers.missing)
    }
}

extension UInt64 {
    /// Nanoseconds; 0 is not known.
    fileprivate var asDuration: Duration? { self == 0 ? nil : .nanoseconds(Int64(clamping: self)) }
}

extension Flow {
    /// What this end of the flow has counted. It does not wait, and can be asked after the flow has ended, until
    /// ``close()``.
    public var statistics: FlowStatistics {
        get throws(OuroborosError) {
            FlowStatistics(try reporting { () throws(Failure) in try FlowInspection.statistics(descriptor) })
        }
    }
}
