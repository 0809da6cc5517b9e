// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// One end of a flow with profile 1: decides which packets go and what becomes of those that come. The bytes of messages, and
/// the tables of packets, are its owner's. Times in nanoseconds. spec: frcp-profile-1
package struct FRCPEnd: Sendable {
    package internal(set) var transmitter: Transmitter
    package internal(set) var receiver: Receiver
    package internal(set) var phase = Phase.open
    package internal(set) var failure = FlowFailure.none
    package internal(set) var cause = Cause.none
    let settings: Settings

    /// When a packet came that counts, and when one was sent.
    var heard: UInt64
    var sent: UInt64
    var questionedAt: UInt64 = 0
    /// When `phase` began.
    var phaseBegan: UInt64
    var aborts = Aborts()
    /// The frame of the last control packet.
    package private(set) var told = Acknowledgement()
    package internal(set) var dropped: UInt64 = 0
    var rules = RuleCounts()

    package enum Phase: UInt8, Sendable {
        case open
        /// The program has let go; what it wrote, and the end, are repeated until they are acknowledged.
        case closing
        /// The peer is told that the flow is aborted.
        case aborting
        /// Nothing is sent but answers to what still comes.
        case resting
        /// Nothing more can come.
        case over
    }

    /// What the program is told, after all that can be read.
    package enum FlowFailure: UInt8, Sendable {
        case none
        /// The flow is down.
        case down
        /// The peer was silent for longer than the timeout of the flow.
        case silent
    }

    /// Why the flow failed, for people.
    package enum Cause: UInt8, Sendable {
        case none
        case abortedByPeer
        case brokenMessages
        /// A packet was repeated five times and for 30 s, while others came.
        case vainRepetition
        /// Nothing was heard for as long as may be.
        case silence
        /// The program has let go, and what it wrote could not be delivered.
        case undelivered
    }

    struct Aborts: Sendable {
        var isDue = false
        var count = 0
        var last: UInt64 = 0
    }

    package struct Settings: Sendable {
        /// The peer timeout of the flow, nanoseconds; 0: the flow has none.
        package let timeout: UInt64
        /// The maximum packet lifetime of the layer, nanoseconds.
        package let lifetime: UInt64
        package init(timeout: UInt64, lifetime: UInt64) {
            self.timeout = timeout
            self.lifetime = lifetime
        }
    }

    /// How long the program's last data is repeated when nothing is heard, and how long in all.
    static let lingering: UInt64 = 5_000_000_000
    /// R.
    static let repetition: UInt64 = 120_000_000_000
    static let vainRepetition: UInt64 = 30_000_000_000
    static let abortInterval: UInt64 = 100_000_000

    package init(transmitter: Transmitter, receiver: Receiver, settings: Settings, now: UInt64) {
        self.transmitter = transmitter
        self.receiver = receiver
        self.settings = settings
        heard = now
        sent = now
        phaseBegan = now
    }

    // What the program does.

    /// Gives a message of at least one byte its numbers. See `Transmitter.admit`.
    package mutating func admit(
        _ length: Int, bound: Int, _ sentTable: inout MutableSpan<SentPacket>
    ) -> Transmitter.Admission {
        guard canWrite else { return .ending }
        return transmitter.admit(length, bound: bound, in: &sentTable)
    }

    /// The program has read the message that ends with this piece.
    package mutating func finish(_ piece: Receiver.Piece, _ arrivedTable: inout MutableSpan<ArrivedPacket>) {
        receiver.finish(piece, in: &arrivedTable)
    }

    // What comes.

    /// A packet came; `frame`: nil for a packet with data. See `dataArrived` and `controlArrived`.
    package mutating func arrived(
        _ header: FRCPHeader, length: Int, frame: Acknowledgement?, capacity: Int, arrival: UInt64, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        if header.flags.contains(.data) {
            return dataArrived(
                header, length: length, capacity: capacity, arrival: arrival, now: now, &sentTable, &arrivedTable)
        }
        controlArrived(header, length: length, frame: frame, now: now, &sentTable, &arrivedTable)
        return .nothing
    }

    /// A packet with data came.
    ///
    /// - Parameters:
    ///   - length: Of what follows the header.
    ///   - capacity: Of the store of what arrives, bytes; a power of two.
    ///   - arrival: When the packet reached this host.
    package mutating func dataArrived(
        _ header: FRCPHeader, length: Int, capacity: Int, arrival: UInt64, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        if let reason = reasonToDropData(header, length: length) {
            drop(reason)
            return .nothing
        }
        guard isHeard(now: now) else { return .nothing }
        transmitter.hear(header, now: now, in: &sentTable)
        let result = receiver.accept(
            header, length: length, capacity: capacity, arrival: arrival, now: now, in: &arrivedTable)
        conclude(header, now: now)
        return result
    }

    /// A packet without data came. `length`: of what follows the header; nil for `frame`: that is no frame.
    package mutating func controlArrived(
        _ header: FRCPHeader, length: Int, frame: Acknowledgement?, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        if let reason = reasonToDropControl(header, length: length, frame) { return drop(reason) }
        if header.flags.contains(.end) {
            guard receiver.number(of: header.sequence) >= receiver.want else { return drop(.dropsOldAbort) }
            heard = now
            rules.note(.abortCame)
            return end(.down, .abortedByPeer, .resting, now: now)
        }
        guard isHeard(now: now), let frame else { return }
        transmitter.hear(header, frame, now: now, in: &sentTable)
        receiver.hearControl(header, now: now, in: arrivedTable)
        if FRCPHeader.bytes + length > 1_200 { receiver.answersLong = true }
        conclude(header, now: now)
    }

    /// False: the flow is over for this end, and a packet can change nothing.
    private mutating func isHeard(now: UInt64) -> Bool {
        heard = now
        guard phase != .aborting, failure == .none || phase == .closing else {
            answerDead(now: now)
            return false
        }
        return true
    }

    private mutating func conclude(_ header: FRCPHeader, now: UInt64) {
        if header.flags.contains(.rendezvous) { receiver.makeDue(.tellsForQuestion) }
        if receiver.isBroken {
            rules.note(.breaks)
            abort(.brokenMessages, now: now)
        }
        advancePhase(now: now)
    }

    /// Which rule forbids the packet; nil: none.
    private func reasonToDropData(_ header: FRCPHeader, length: Int) -> Rule? {
        let flags = header.flags
        let hasForm =
            flags.contains(.end)
            ? length == 0 && flags.isDisjoint(with: .first) : length > 0 && length <= UInt16.max
        guard hasForm, flags.contains([.acknowledges, .credits]) else { return .dropsWrongForm }
        if let reason = transmitter.reasonToDrop(header) { return reason }
        return receiver.isAllowed(header) ? nil : .dropsForbiddenNumber
    }

    private func reasonToDropControl(_ header: FRCPHeader, length: Int, _ frame: Acknowledgement?) -> Rule? {
        let flags = header.flags
        let isAbort = flags.contains(.end)
        guard isAbort || frame != nil else { return .dropsBadFrame }
        let hasForm = !isAbort || length == 0 && flags.isDisjoint(with: .first)
        guard hasForm, flags.contains([.acknowledges, .credits]) else { return .dropsWrongForm }
        let reason = frame.map { transmitter.reasonToDrop(header, $0) } ?? transmitter.reasonToDrop(header)
        if let reason { return reason }
        return receiver.isAllowed(header) ? nil : .dropsForbiddenNumber
    }

    private mutating func drop(_ reason: Rule) {
        dropped += 1
        rules.note(reason)
    }

    /// Something came for a flow that is aborted.
    private mutating func answerDead(now: UInt64) {
        guard phase == .aborting || failure == .down, now - min(aborts.last, now) >= FRCPEnd.abortInterval else {
            return
        }
        guard aborts.count >= 3 else { return }
        aborts.isDue = true
        rules.note(.abortAnswers)
    }

    // What goes.

    /// `depart` has nothing, because nothing was ever written here, and nothing is to be told.
    var isFresh: Bool {
        transmitter.isFresh && !receiver.isDue && !aborts.isDue && phase == .open
    }

    package enum Departure: Sendable {
        /// Header, place of the payload in the store, length of the payload.
        case data(FRCPHeader, position: UInt64, length: Int)
        /// The frame follows, which is `told`.
        case control(FRCPHeader)
        /// A header alone.
        case bare(FRCPHeader)
        /// A packet without any byte, which only says that this end is there. Profile 1 sends none.
        case empty
    }

    /// The packet that is to be sent now; nil if there is none.
    package mutating func depart(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Departure? {
        if aborts.isDue { return departAbort(now: now) }
        guard phase == .open || phase == .closing || phase == .resting else { return nil }
        if phase == .closing { _ = transmitter.admitEnd(in: &sentTable) }
        if receiver.isDue || transmitter.mustAsk, failure == .none || phase == .closing {
            return departControl(now: now, arrivedTable)
        }
        guard failure == .none, phase != .resting, !receiver.hasEnded,
            let departure = transmitter.depart(now: now, in: &sentTable)
        else { return nil }
        sent = now
        let header = self.header(departure.flags, transmitter.first + departure.number)
        receiver.carried()
        if departure.length == 0 { return .bare(header) }
        return .data(header, position: departure.position, length: departure.length)
    }

    private func header(_ flags: FRCPHeader.Flags, _ sequence: SequenceNumber) -> FRCPHeader {
        FRCPHeader(
            flags: flags, edge: receiver.edge, sequence: sequence, acknowledged: receiver.acknowledgedSequence)
    }

    private mutating func departControl(
        now: UInt64, _ table: borrowing MutableSpan<ArrivedPacket>
    ) -> Departure {
        var flags: FRCPHeader.Flags = [.acknowledges, .credits]
        if transmitter.mustAsk {
            flags.insert(.rendezvous)
            transmitter.mustAsk = false
            transmitter.asked()
        }
        sent = now
        let room = transmitter.payload - Acknowledgement.leastBytes
        told = receiver.tell(now: now, mostRanges: min(64, max(room / 4, 0)), in: table)
        return .control(header(flags, transmitter.controlSequence))
    }

    private mutating func departAbort(now: UInt64) -> Departure {
        aborts.isDue = false
        aborts.count += 1
        if aborts.count <= 3 { rules.note(aborts.count == 1 ? .abortSent : .abortRepeated) }
        aborts.last = now
        sent = now
        return .bare(header([.end, .acknowledges, .credits], transmitter.nextSequence))
    }
}
