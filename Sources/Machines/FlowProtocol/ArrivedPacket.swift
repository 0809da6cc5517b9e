// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The place of a packet that came or is awaited. 8 bytes.
package struct ArrivedPacket: BitwiseCopyable, Sendable {
    package enum State: UInt8, BitwiseCopyable, Sendable {
        case awaited
        case here
        /// The packet is never read: it is not awaited any more, or its message is not whole, or the program has let go.
        case passed
    }

    /// Where the payload stands in the store of the receiver, in units of 8 bytes, modulo 2^32.
    var position: UInt32 = 0
    var length: UInt16 = 0
    var flags = FRCPHeader.Flags()
    private var storedState: UInt8 = 0

    package init() {}

    init(position: UInt32, length: UInt16, flags: FRCPHeader.Flags, state: State) {
        self.position = position
        self.length = length
        self.flags = flags
        storedState = state.rawValue
    }

    var state: State {
        get { State(rawValue: storedState) ?? .awaited }
        set { storedState = newValue.rawValue }
    }

    var cost: UInt64 { UInt64(length) + FlowCost.overhead }
}

/// The memory of arrived packets, in the order of their arrival: a ring of bytes. A packet is given back when it is read;
/// packets come nearly in the order in which they are read. spec: frcp-profile-1 §3
struct ArrivalLog: Sendable {
    static let unit = 8

    /// Units. What was written since the ring was empty, and before what nothing is needed any more.
    private(set) var written: UInt32 = 0
    private var tail: UInt32 = 0
    /// `written` when `tail` was looked up last.
    private var lookedUp: UInt32 = 0
    /// Units that were written before the ring was empty last.
    private var unitsBefore: UInt64 = 0

    private static func units(_ bytes: Int) -> UInt32 { UInt32((bytes + unit - 1) / unit) }

    /// The place for a packet. Nil if there is none. The packets that are still needed are looked up when the ring is full.
    /// They are not looked up for each packet, whatever the sender does: only after an eighth of the ring was written since
    /// the last time.
    ///
    /// - Parameters:
    ///   - capacity: Of the ring, bytes; a power of two, at most 2^34. At least three times what may be stored: packets that
    ///     were read stand between those that are needed, and no place is looked for in the last eighth.
    ///   - stored: The numbers of the packets that may be in the ring.
    mutating func take(
        _ bytes: Int, capacity: Int, stored: Range<Int>, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> UInt32? {
        let need = ArrivalLog.units(bytes)
        if written &- tail + need > ArrivalLog.units(capacity), written &- lookedUp > ArrivalLog.units(capacity) / 8 {
            lookedUp = written
            tail = written &- oldestAge(stored, in: table)
        }
        guard written &- tail + need <= ArrivalLog.units(capacity) else { return nil }
        defer { written &+= need }
        return written
    }

    /// How many units ago the oldest packet was written that is needed; 0: none is.
    private func oldestAge(_ stored: Range<Int>, in table: borrowing MutableSpan<ArrivedPacket>) -> UInt32 {
        var age: UInt32 = 0
        for number in stored {
            let packet = table[number & (table.count - 1)]
            if packet.state == .here, packet.length > 0 { age = max(age, written &- packet.position) }
        }
        return age
    }

    /// Nothing is stored. The next packet goes to the beginning of the ring: a reader that keeps up uses a few pages of it,
    /// which stay in the cache of the processor.
    mutating func empty() {
        unitsBefore += UInt64(written)
        written = 0
        tail = 0
        lookedUp = 0
    }

    /// Bytes that were stored ever.
    var storedBytes: UInt64 { (unitsBefore + UInt64(written)) * UInt64(ArrivalLog.unit) }
}
