// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// One end of a flow with profile 0, which hosts with the prototype 0.23 speak. The end does what the specification asks of a
/// new implementation, so that the defects of 0.23 do as little harm as they can. The bytes of messages, and the tables of
/// packets, are its owner's. Packets are counted from 0 in each direction. Times in nanoseconds. spec: frcp
package struct Profile0End: Sendable {
    package internal(set) var phase = FRCPEnd.Phase.open
    package internal(set) var failure = FRCPEnd.FlowFailure.none
    package internal(set) var cause = FRCPEnd.Cause.none
    package let isReliable: Bool
    let settings: FRCPEnd.Settings
    /// When `phase` began.
    var phaseBegan: UInt64
    /// When a packet came, of any kind, and when one was sent.
    var heard: UInt64
    var sent: UInt64
    /// An empty packet is to be sent.
    var mustShowLife = false
    package internal(set) var dropped: UInt64 = 0

    // What this end sends.

    /// The sequence number of packet 0. spec: frcp §6
    let first: SequenceNumber
    /// The largest payload of a packet, and so of a message: profile 0 cuts no messages.
    package let payload: Int
    /// All before were received; on a flow without retransmission: all that were sent.
    package internal(set) var acknowledged = 0
    /// The next that is sent for the first time.
    package internal(set) var next = 0
    /// The next that is admitted.
    package internal(set) var admitted = 0
    /// The first that the peer does not allow.
    package internal(set) var edge = Profile0End.startWindow
    /// The peer has told an edge, or something that ought to be one.
    var hasHeardEdge = false
    /// Bytes of messages that were admitted ever.
    package internal(set) var writtenBytes: UInt64 = 0
    package internal(set) var flight: UInt64 = 0
    package internal(set) var roundTrip = RoundTrip(peersDelay: 15_000_000)
    package internal(set) var rate: RateControl
    /// The first number behind what was sent when something was lost last; -1: all of that has arrived.
    var recoveryEnd = -1
    /// The oldest packet is to be sent again.
    var mustRepeat = false
    /// The timeout after those that passed without news; 0: none did.
    var backedOff: UInt64 = 0
    var timeouts = 0
    /// When the timeout fired last.
    var armed: UInt64 = 0
    var lastSent: UInt64 = 0
    /// The end of the round trip that is under way, as a number.
    var roundEnd = 0
    /// The edge holds packets back.
    var isExhausted = false
    /// A rendez-vous is to be sent; when the last one was, and before which number.
    var mustAsk = false
    var askedAt: UInt64 = 0
    var askedBefore = 0

    // What comes.

    /// The sequence number that packet 0 of the peer would have; nil: no data has come.
    var base: SequenceNumber?
    /// When data came last that was not here yet.
    var dataHeard: UInt64 = 0
    /// The lowest that is missing, and one more than the highest that is here.
    package internal(set) var want = 0
    var end = 0
    /// The next that is read.
    package internal(set) var read = 0
    var log = ArrivalLog()
    /// The program has let go of the flow: nothing more is taken.
    var isDiscarding = false
    /// An acknowledgement is to be sent.
    package internal(set) var isDue = false
    /// The edge that the peer was told last, and how often it was told again in vain.
    var toldEdge = 0
    var toldAgain = 0
    var toldAt: UInt64 = 0

    package internal(set) var counters = Counters()
    package internal(set) var rules = Profile0RuleCounts()

    package struct Counters: Hashable, Sendable {
        package var sent: UInt64 = 0
        package var repeated: UInt64 = 0
        package var timeouts: UInt64 = 0
        package var questions: UInt64 = 0
        package var received: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var beyondEdge: UInt64 = 0
        package var passed: UInt64 = 0
        package var runs: UInt64 = 0
        package var acknowledgements: UInt64 = 0
        package var reductions: UInt64 = 0
        /// Bytes that came in order, and those of them that were read.
        package var bytes: UInt64 = 0
        package var readBytes: UInt64 = 0

        package init() {}
    }

    /// The credit before the peer has given any. spec: frcp §4
    static let startWindow = 64
    /// What a receiver takes at once.
    static let window = 256
    /// R.
    static let repetition: UInt64 = 120_000_000_000
    /// A, in whole seconds.
    private static let acknowledgementSeconds: UInt64 = 10
    static let questionInterval: UInt64 = 100_000_000
    /// How long a peer is asked that has never told an edge, before one more packet goes.
    static let unheardInterval: UInt64 = 1_000_000_000
    /// 0.23 loses packets when more come at once, and what it holds behind a lost packet can stop the whole host.
    static let mostInFlight = 64
    static let mostCostInFlight: UInt64 = 131_072

    /// - Parameters:
    ///   - first: Random. Its low 24 bits become less than 2^22, and its highest bit 0: a 0.23 end that has received no data
    ///     tells an edge of 0, and takes a packet of a flow without retransmission only if its number is positive.
    ///   - payload: The largest of a packet, at least 1 byte.
    ///   - keepsFirst: `first` stays as it is. For tests of what comes after millions of packets.
    package init(
        first: UInt32, isReliable: Bool, payload: Int, settings: FRCPEnd.Settings, now: UInt64, keepsFirst: Bool = false
    ) {
        self.first = SequenceNumber(keepsFirst ? first : first & 0x7f3f_ffff)
        self.isReliable = isReliable
        self.payload = min(payload, Int(UInt16.max))
        self.settings = settings
        rate = RateControl(payload: payload)
        phaseBegan = now
        heard = now
        sent = now
    }

    // What the program does.

    /// Something that was admitted has not reached the peer.
    package var isUnacknowledged: Bool { acknowledged < admitted }
    package var unacknowledgedPackets: Int { admitted - acknowledged }

    /// See `Transmitter.admit`.
    package mutating func admit(
        _ length: Int, bound: Int, _ table: inout MutableSpan<SentPacket>
    ) -> Transmitter.Admission {
        guard canWrite else { return .ending }
        guard length <= payload else {
            rules.note(.refusesTooLong)
            return .tooLong
        }
        guard hasPlace(length, bound: bound, table) else { return .full }
        let position = writtenBytes
        table[admitted & (table.count - 1)] = SentPacket(position: position, length: UInt16(length), flags: [])
        admitted += 1
        writtenBytes += UInt64(length)
        return .admitted(position: position)
    }

    /// See `Transmitter.hasPlace`.
    package func hasPlace(_ length: Int, bound: Int, _ table: borrowing MutableSpan<SentPacket>) -> Bool {
        let waiting = waiting(table)
        return (waiting == 0 || waiting + length <= bound) && admitted - acknowledged < table.count - 1
    }

    /// How many bytes of the store are in use.
    package func waiting(_ table: borrowing MutableSpan<SentPacket>) -> Int {
        isUnacknowledged ? Int(writtenBytes - table[acknowledged & (table.count - 1)].position) : 0
    }

    /// The program lets go of the flow.
    ///
    /// - Parameter lingers: What the program wrote is repeated until the peer has it; else what is unacknowledged is lost.
    package mutating func close(lingers: Bool, now: UInt64, _ table: inout MutableSpan<ArrivedPacket>) {
        isDiscarding = true
        while read < end {
            table[read & (table.count - 1)] = ArrivedPacket()
            read += 1
        }
        log.empty()
        end = want
        read = want
        guard phase == .open else { return }
        guard failure == .none else { return enter(.over, now: now) }
        guard lingers || !isUnacknowledged else {
            rules.note(.closesWithoutLingering)
            return end(.down, .undelivered, now: now)
        }
        heard = max(heard, now)
        enter(.closing, now: now)
        advancePhase(now: now)
    }

    // Life.

    /// The program may write.
    package var canWrite: Bool { phase == .open && failure == .none }
    /// Nothing more will come for the program to read.
    package var hasEnded: Bool { failure != .none }

    mutating func enter(_ phase: FRCPEnd.Phase, now: UInt64) {
        guard phase.rawValue > self.phase.rawValue else { return }
        self.phase = phase
        phaseBegan = now
    }

    /// Profile 0 has no word for the end of a flow: the peer finds out by its timeout.
    mutating func end(_ failure: FRCPEnd.FlowFailure, _ cause: FRCPEnd.Cause, now: UInt64) {
        guard self.failure == .none else { return }
        self.failure = failure
        self.cause = cause
        enter(.over, now: now)
    }

    mutating func advancePhase(now: UInt64) {
        guard phase == .closing, !isUnacknowledged else { return }
        guard isReliable, base != nil else { return enter(.over, now: now) }
        rules.note(.rests)
        enter(.resting, now: now)
    }

    /// How long the peer's data counts as of the same run, less than any 0.23 sender waits before it begins a new one.
    /// spec: frcp §4
    var inactivity: UInt64 {
        let lifetimes = (2 * settings.lifetime + Profile0End.repetition) / 1_000_000_000
        return (lifetimes + Profile0End.acknowledgementSeconds) * 1_000_000_000
    }
}
