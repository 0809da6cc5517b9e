// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// A packet that has a sequence number and is not acknowledged yet, or the place of one. 32 bytes, so that two share a cache
/// line.
package struct SentPacket: BitwiseCopyable, Sendable {
    package enum State: UInt8, BitwiseCopyable, Sendable {
        /// The packet waits until it may be sent.
        case unsent
        case inFlight
        /// The packet counts as lost and waits until it may be repeated.
        case lost
        case acknowledged
    }

    /// When the packet was sent last, in nanoseconds.
    var sent: UInt64 = 0
    /// Where the payload stands in the store of the sender.
    var position: UInt64 = 0
    /// Microseconds between the first transmission and the last.
    var sinceFirst: UInt32 = 0
    /// The number of the last transmission of all packets, modulo 2^32.
    var order: UInt32 = 0
    /// Neighbours in a `SentList`: places in the table.
    var following = SentList.none
    var preceding = SentList.none
    var length: UInt16 = 0
    /// Fragment bits, or `FRCPHeader.Flags.end`.
    var flags = FRCPHeader.Flags()
    /// At most 63.
    private var transmissionsAndState: UInt8 = 0

    package init() {}

    init(position: UInt64, length: UInt16, flags: FRCPHeader.Flags) {
        self.position = position
        self.length = length
        self.flags = flags
    }

    var state: State {
        get { State(rawValue: transmissionsAndState & 3) ?? .unsent }
        set { transmissionsAndState = transmissionsAndState & ~3 | newValue.rawValue }
    }

    var transmissions: Int { Int(transmissionsAndState >> 2) }

    mutating func countTransmission() {
        if transmissions < 63 { transmissionsAndState += 4 }
    }

    /// What the packet counts in windows, limits and rooms. spec: frcp-profile-1 §3
    var cost: UInt64 { UInt64(length) + FlowCost.overhead }
}

extension FRCPHeader.Flags: BitwiseCopyable {}

/// What packets and messages count. spec: frcp-profile-1 §3
package enum FlowCost {
    /// What each packet counts beside its payload.
    package static let overhead: UInt64 = 64
    /// The most sequence numbers that may be given ahead.
    package static let longestEdge = 32_768
    /// All fragments but the last are at least as long; shorter packets cannot be cut into.
    package static let shortestFragment = 1_024
}

/// Packets in the order in which they were sent. The table is a parameter, because it may stand in memory of any kind.
struct SentList: Sendable {
    /// No place in the table: a table has at most 32,768.
    static let none = UInt16.max

    private(set) var first = SentList.none
    private(set) var last = SentList.none

    var isEmpty: Bool { first == SentList.none }

    mutating func append(_ place: UInt16, in table: inout MutableSpan<SentPacket>) {
        table[Int(place)].preceding = last
        table[Int(place)].following = SentList.none
        if last == SentList.none { first = place } else { table[Int(last)].following = place }
        last = place
    }

    mutating func remove(_ place: UInt16, in table: inout MutableSpan<SentPacket>) {
        let (before, after) = (table[Int(place)].preceding, table[Int(place)].following)
        if before == SentList.none { first = after } else { table[Int(before)].following = after }
        if after == SentList.none { last = before } else { table[Int(after)].preceding = before }
        table[Int(place)].preceding = SentList.none
        table[Int(place)].following = SentList.none
    }
}
