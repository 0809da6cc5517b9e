// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The half of an end that sends: what is admitted, in flight, lost and acknowledged, and how much the peer allows. Packets
/// are counted from 0; packet n has the sequence number `first + n`. Times in nanoseconds.
/// spec: frcp-profile-1 §3, §6, §7
package struct Transmitter: Sendable {
    package let first: SequenceNumber
    package let isReliable: Bool
    /// The layer does not avoid congestion, so this end does.
    let controlsRate: Bool

    /// All before were received.
    package internal(set) var acknowledged = 0
    /// The next that is sent for the first time.
    package internal(set) var next = 0
    /// The next that is admitted.
    package internal(set) var admitted = 0
    /// The first that the peer does not allow.
    package internal(set) var edge: Int
    /// S of `frcp-profile-1` §3 at `acknowledged` and at `next`, and what S may become.
    var costAcknowledged: UInt64 = 0
    var costSent: UInt64 = 0
    package internal(set) var limit: UInt64
    package internal(set) var flight: UInt64 = 0

    /// The largest payload of a packet.
    package internal(set) var payload: Int
    let peersLongestMessage: Int
    /// What `admit` accepts at most.
    package var longestMessage: Int {
        payload >= FlowCost.shortestFragment ? peersLongestMessage : min(peersLongestMessage, payload)
    }
    /// Where the next message goes in the store, whose size is a parameter of `admit`.
    var written: UInt64 = 0

    var flying = SentList()
    var lost = SentList()
    var orders: UInt32 = 0

    package internal(set) var roundTrip: RoundTrip
    package internal(set) var rate: RateControl
    var reordering = Reordering()
    var episode = Episode()
    var round = Round()
    var pace = Pace()

    /// The transmission that went last of all that are acknowledged; nil: none is.
    var latest: Latest?
    /// When the oldest that went before `latest` counts as lost; 0: there is none.
    var lossDeadline: UInt64 = 0

    /// The three highest that are acknowledged, the highest first; -1: none.
    var highest = (-1, -1, -1)
    /// When something was acknowledged last, or was sent after nothing was in flight.
    var news: UInt64 = 0
    /// When the timeout fired last, or was set anew.
    var armed: UInt64 = 0
    var lastSent: UInt64 = 0
    var timeouts = 0
    /// The timeout after those that passed without news; 0: none did.
    var backedOff: UInt64 = 0
    /// The timeout was set anew because the process had been stopped.
    var wasLate = false
    var firstTimeoutAt: UInt64 = 0
    /// When it was found that the edge, or the limit, holds packets back; 0: it does not.
    var exhaustedSince: UInt64 = 0
    var persists = 0
    /// What asks the peer to answer at once, and what was sent since.
    var costSinceQuestion: UInt64 = 0
    var packetsSinceQuestion = 0
    /// A control packet with a question is to be sent.
    var mustAsk = false
    /// A packet that is sent again though it is not known to be lost: its number, -1: none.
    var probe = -1
    /// Frames of the peer: the last counts of lossy flows and of duplicates.
    var peersReceived: Int?
    var peersDuplicates: UInt16 = 0
    /// The number of the packet that ends the flow; -1: none yet.
    package internal(set) var endNumber = -1

    package internal(set) var counters = Counters()
    package internal(set) var rules = RuleCounts()

    package struct Counters: Hashable, Sendable {
        package var sent: UInt64 = 0
        package var lost: UInt64 = 0
        package var repeated: UInt64 = 0
        package var probes: UInt64 = 0
        package var timeouts: UInt64 = 0
        package var undone: UInt64 = 0
        package var reductions: UInt64 = 0
        package var persists: UInt64 = 0
        package var reordered: UInt64 = 0
        package var messages: UInt64 = 0
        /// Duplicates that the peer has counted.
        package var spurious: UInt64 = 0

        package init() {}
    }

    /// - Parameters:
    ///   - first: The sequence number of the first packet.
    ///   - credit: The first edge, counted from `first`.
    ///   - room: The first limit.
    ///   - payload: The largest of a packet.
    ///   - longestMessage: That the peer accepts.
    ///   - peersDelay: The longest delay of its acknowledgements, nanoseconds.
    package init(
        first: SequenceNumber, isReliable: Bool, controlsRate: Bool, credit: Int, room: UInt64, payload: Int,
        longestMessage: Int, peersDelay: UInt64
    ) {
        self.first = first
        self.isReliable = isReliable
        self.controlsRate = controlsRate
        self.payload = payload
        edge = credit
        limit = room
        peersLongestMessage = longestMessage
        roundTrip = RoundTrip(peersDelay: peersDelay)
        rate = RateControl(payload: payload)
    }

    func place(_ number: Int, _ table: borrowing MutableSpan<SentPacket>) -> Int { number & (table.count - 1) }

    package var nextSequence: SequenceNumber { first + next }
    /// What a control packet says: everything before was sent. The reader of a lossy flow passes what is before and missing,
    /// and must not pass the end. spec: frcp-profile-1 §2, §3
    var controlSequence: SequenceNumber {
        !isReliable && endNumber >= 0 && next > endNumber ? first + endNumber : nextSequence
    }
    /// Something that was admitted has not reached the peer.
    package var isUnacknowledged: Bool { acknowledged < admitted }
    var isFresh: Bool { admitted == 0 && !mustAsk }
    /// Something that was admitted waits for the edge, the limit or the pace.
    package var holdsBack: Bool { next < admitted }
    /// Bytes of messages that were admitted ever.
    package var writtenBytes: UInt64 { written }
    package var unacknowledgedPackets: Int { admitted - acknowledged }

    package enum Admission: Hashable, Sendable {
        /// The message goes to this position of the store.
        case admitted(position: UInt64)
        /// There is no place until more is acknowledged.
        case full
        /// The peer would not take it.
        case tooLong
        /// The flow ends.
        case ending
    }

    /// Gives a message its numbers, if there is place for all of it.
    ///
    /// - Parameters:
    ///   - length: At least 1.
    ///   - bound: How many bytes may wait in the store; a longer message enters an empty one.
    package mutating func admit(_ length: Int, bound: Int, in table: inout MutableSpan<SentPacket>) -> Admission {
        guard endNumber < 0 else { return .ending }
        guard length <= peersLongestMessage, length <= payload || payload >= FlowCost.shortestFragment else {
            rules.note(.refusesTooLong)
            return .tooLong
        }
        guard hasPlace(length, bound: bound, table) else { return .full }
        let packets = (length + payload - 1) / payload
        if packets > 1 { rules.note(.cutsMessage) }
        let position = written
        var left = length
        for index in 0..<packets {
            let piece = min(left, payload)
            let flags: FRCPHeader.Flags =
                packets == 1 ? [] : index == 0 ? .first : index == packets - 1 ? .last : .middle
            table[place(admitted, table)] = SentPacket(position: written, length: UInt16(piece), flags: flags)
            admitted += 1
            written += UInt64(piece)
            left -= piece
        }
        counters.messages += 1
        return .admitted(position: position)
    }

    /// Whether there is place for a message of so many bytes. See `admit`.
    package func hasPlace(_ length: Int, bound: Int, _ table: borrowing MutableSpan<SentPacket>) -> Bool {
        let waiting = waiting(table)
        let packets = (length + payload - 1) / payload
        return (waiting == 0 || waiting + length <= bound) && admitted - acknowledged + packets <= table.count
    }

    /// How many bytes of the store are in use.
    package func waiting(_ table: borrowing MutableSpan<SentPacket>) -> Int {
        isUnacknowledged ? Int(written - table[place(acknowledged, table)].position) : 0
    }

    /// The end of the flow gets the number behind all that was admitted. False if there is no place in the table yet.
    package mutating func admitEnd(in table: inout MutableSpan<SentPacket>) -> Bool {
        guard endNumber < 0 else { return true }
        guard admitted - acknowledged < table.count else { return false }
        table[place(admitted, table)] = SentPacket(position: written, length: 0, flags: .end)
        endNumber = admitted
        admitted += 1
        return true
    }

    package var isEndAcknowledged: Bool { endNumber >= 0 && acknowledged > endNumber }
}

/// Whether packets overtake each other, and for how long a packet is awaited because of that. spec: frcp-profile-1 §7
struct Reordering: Sendable {
    var wasSeen = false
    var factor: UInt64 = 1
    var recoveriesWithout = 0
    var duplicatesRose = false
    /// Probes that were repetitions and may be counted as duplicates yet.
    var unseenProbes = 0
}

/// An acknowledged transmission, and its age when the acknowledgement came.
struct Latest: Sendable {
    let order: UInt32
    let age: UInt64
}

/// From the first packet that counts as lost until all that was sent until then is acknowledged.
struct Episode: Sendable {
    /// The first number behind what was sent when the episode began; -1: there is none.
    var end = -1
    /// Probes that were sent since something was acknowledged.
    var probes = 0
    var repeats = 0
    var duplicatesAtStart: UInt16 = 0
    var hasReduced = false
}

/// What was sent within one round trip.
struct Round: Sendable {
    var end = 0
    var packets = 1
    var lost = 0
    var isDelayed = false
}

/// How much may be sent at once. spec: frcp-profile-1 §11
struct Pace: Sendable {
    var budget: UInt64 = 0
    var filled: UInt64 = 0
}
