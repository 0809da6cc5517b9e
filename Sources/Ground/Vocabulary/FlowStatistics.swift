// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What one end of a flow has counted and measured. The numbers stand in a fixed order, to which a later version only adds:
/// a reader takes the numbers that it knows, and a number that is missing is 0. Times are in nanoseconds. The *cost* of a
/// packet is its payload and 64 bytes. spec: c-api §12, frcp-profile-1 §3
package struct FlowStatistics: Hashable, Sendable {
    /// What carries the messages. Another version may know more kinds.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let unknown = Kind(rawValue: 0)
        /// Both ends are on this host, and share memory.
        package static let inside = Kind(rawValue: 1)
        /// The flow leaves this host without FRCP.
        package static let raw = Kind(rawValue: 2)
        /// FRCP of 0.23. spec: frcp
        package static let profile0 = Kind(rawValue: 3)
        /// spec: frcp-profile-1
        package static let profile1 = Kind(rawValue: 4)
    }

    /// Why nothing more comes at this end, or can be written. Another version may know more reasons.
    package struct Ending: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        /// The flow is open.
        package static let none = Ending(rawValue: 0)
        /// The other end has let go of the flow, or its process has died. Inside a host also: irmd has ended the flow.
        package static let closed = Ending(rawValue: 1)
        /// irmd, the layer or its IPCP has ended a flow that leaves the host.
        package static let down = Ending(rawValue: 2)
        /// The other end was silent for too long.
        package static let silent = Ending(rawValue: 3)
        /// The other end has aborted the flow.
        package static let aborted = Ending(rawValue: 4)
        /// The other end has broken the rules of FRCP or of the shared memory.
        package static let violated = Ending(rawValue: 5)
        /// A packet was repeated in vain, while other packets came.
        package static let vain = Ending(rawValue: 6)
        /// The program has let go, and the other end did not receive all that was written.
        package static let undelivered = Ending(rawValue: 7)
    }

    package var kind = Kind.unknown
    package var ending = Ending.none
    /// When the numbers were taken, by the clock of this host that never goes back.
    package var time: UInt64 = 0

    /// Messages of the program, with their bytes.
    package var messagesWritten: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var messagesRead: UInt64 = 0
    package var bytesRead: UInt64 = 0
    /// Messages that can be read now.
    package var unreadMessages: UInt64 = 0
    /// Bytes that are here and that the program has not read.
    package var unreadBytes: UInt64 = 0
    /// Packets that wait for an acknowledgement. Without FRCP: messages that the other side of the memory has not taken.
    package var unacknowledgedPackets: UInt64 = 0
    package var unacknowledgedBytes: UInt64 = 0

    /// srtt; 0: there is no sample yet.
    package var roundTrip: UInt64 = 0
    package var roundTripDeviation: UInt64 = 0
    /// The least of the last 10 s; 0: there is none.
    package var leastRoundTrip: UInt64 = 0
    /// RTO, doubled as it is now.
    package var timeout: UInt64 = 0
    /// The most cost that may be in flight; 0: the layer avoids congestion, and there is no window.
    package var window: UInt64 = 0
    /// The cost in flight.
    package var flight: UInt64 = 0
    /// Cost a second that the window allows; 0: not limited, or not known.
    package var rate: UInt64 = 0
    /// Packets, and their cost, that the other end allows beyond what was sent.
    package var creditPackets: UInt64 = 0
    package var creditBytes: UInt64 = 0
    /// The longest payload of a packet.
    package var payload: UInt64 = 0

    /// Packets with data or the end of the flow, with their repetitions.
    package var packetsSent: UInt64 = 0
    /// Packets that were accepted.
    package var packetsReceived: UInt64 = 0
    package var controlPacketsSent: UInt64 = 0
    package var lost: UInt64 = 0
    package var repeated: UInt64 = 0
    /// Packets that the other end has received twice.
    package var spurious: UInt64 = 0
    /// Reductions of the window, and those that were undone because nothing was lost.
    package var reductions: UInt64 = 0
    package var undone: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var reordered: UInt64 = 0
    /// Packets that came twice.
    package var duplicates: UInt64 = 0
    /// Packets with a wrong checksum, or too short.
    package var damaged: UInt64 = 0
    /// Packets that were not allowed, or for which there was no memory.
    package var refused: UInt64 = 0
    /// Packets that a lossy flow awaited in vain.
    package var missing: UInt64 = 0

    package init() {}

    /// The numbers behind `kind` and `ending`, in the order of `struct flow_statistics`.
    private static var counts: [WritableKeyPath<FlowStatistics, UInt64>] {
        [
            \.time, \.messagesWritten, \.bytesWritten, \.messagesRead, \.bytesRead, \.unreadMessages, \.unreadBytes,
            \.unacknowledgedPackets, \.unacknowledgedBytes, \.roundTrip, \.roundTripDeviation, \.leastRoundTrip,
            \.timeout, \.window, \.flight, \.rate, \.creditPackets, \.creditBytes, \.payload, \.packetsSent,
            \.packetsReceived, \.controlPacketsSent, \.lost, \.repeated, \.spurious, \.reductions, \.undone,
            \.timeouts, \.reordered, \.duplicates, \.damaged, \.refused, \.missing,
        ]
    }

    /// All numbers in their order.
    package var numbers: [UInt64] {
        [kind.rawValue, ending.rawValue] + FlowStatistics.counts.map { self[keyPath: $0] }
    }

    /// - Parameter numbers: Of any version.
    package init(numbers: [UInt64]) {
        if let first = numbers.first { kind = Kind(rawValue: first) }
        if numbers.count > 1 { ending = Ending(rawValue: numbers[1]) }
        for (count, number) in zip(FlowStatistics.counts, numbers.dropFirst(2)) { self[keyPath: count] = number }
    }
}
