// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The half of an end that receives: what is here, what is missing, what can be read, and when the peer is told. Packets are
/// counted from 0; packet n has the sequence number `first + n`. Times in nanoseconds.
/// spec: frcp-profile-1 §3, §5, §8
package struct Receiver: Sendable {
    package let first: SequenceNumber
    package let isReliable: Bool
    /// C: how many numbers are given ahead.
    let credit: Int
    /// The cost that may be here unread.
    package let bound: UInt64
    let longestMessage: Int
    /// The longest delay of an acknowledgement, nanoseconds.
    let delay: UInt64
    /// How long a lossy flow awaits a packet that others have overtaken, nanoseconds.
    let gapPatience: UInt64

    /// The lowest that is missing.
    package internal(set) var want = 0
    /// One more than the highest number that is here.
    var end = 0
    /// The next that is read.
    package internal(set) var read = 0
    /// All before belong to whole messages.
    var complete = 0
    /// Whole messages that can be read.
    package internal(set) var messages = 0
    /// The cost of what is here and unread; before `want` and behind.
    var unread: UInt64 = 0
    var ahead: UInt64 = 0
    var log = ArrivalLog()
    /// The longest payload that came.
    private var largest: UInt16 = 0
    /// The bytes of the message that begins at `complete`; -1: none has begun.
    var messageBytes = -1
    /// The program has let go of the flow: data is acknowledged and dropped.
    package internal(set) var isDiscarding = false
    /// The number of the packet that ends the flow; -1: it has not come.
    package internal(set) var endNumber = -1
    /// The peer broke a rule of messages.
    package internal(set) var isBroken = false

    var newest = -1
    var newestWasRepeated = false
    var newestArrival: UInt64 = 0
    package internal(set) var received: UInt32 = 0
    package internal(set) var duplicates: UInt16 = 0

    /// A control packet is to be sent.
    package internal(set) var isDue = false
    var unacknowledged = 0
    /// When the first of them came; 0: there is none.
    var unacknowledgedSince: UInt64 = 0
    var duplicatesToldAt: UInt64 = 0
    var owesDuplicates = false
    var roomTold: UInt64
    /// The highest number before which all was sent, as a control packet has said.
    var sentBefore = 0
    /// Since when packets are missing; of lossy flows.
    var gaps = GapMarks()
    /// The packet that is answered was longer than 1,200 bytes.
    var answersLong = false

    package internal(set) var counters = Counters()
    package internal(set) var rules = RuleCounts()

    package struct Counters: Hashable, Sendable {
        package var accepted: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var beyondEdge: UInt64 = 0
        package var withoutMemory: UInt64 = 0
        package var passed: UInt64 = 0
        package var incomplete: UInt64 = 0
        package var acknowledgements: UInt64 = 0
        /// Bytes that came in order, without those of messages that stayed incomplete, and those of them that were read.
        package var bytes: UInt64 = 0
        package var readBytes: UInt64 = 0

        package init() {}
    }

    /// - Parameters:
    ///   - first: The peer's first sequence number.
    ///   - credit: 64…32,768.
    ///   - bound: The cost that may be here unread, which was announced as the first room.
    ///   - longestMessage: That we have announced.
    ///   - delay: The longest of an acknowledgement, nanoseconds.
    ///   - gapPatience: Nanoseconds.
    package init(
        first: SequenceNumber, isReliable: Bool, credit: Int, bound: UInt64, longestMessage: Int, delay: UInt64,
        gapPatience: UInt64
    ) {
        self.first = first
        self.isReliable = isReliable
        self.credit = credit
        self.bound = bound
        self.longestMessage = longestMessage
        self.delay = delay
        self.gapPatience = gapPatience
        roomTold = bound
    }

    func place(_ number: Int, _ table: borrowing MutableSpan<ArrivedPacket>) -> Int { number & (table.count - 1) }
    func number(of sequence: SequenceNumber) -> Int { want + (first + want).distance(to: sequence) }

    package var acknowledgedSequence: SequenceNumber { first + want }
    /// Nothing is here that is to be read, and nothing is missing.
    package var isEmpty: Bool { read >= end && messages == 0 }
    /// Bytes that were stored ever.
    package var arrivedBytes: UInt64 { log.storedBytes }
    /// The edge that is given.
    package var edge: UInt32 { (first + want + credit).rawValue }
    var hasGap: Bool { end > want }

    /// What may come at `want` and behind. A message that is not whole gets the room to become it.
    package var room: UInt64 {
        let most = mustComplete ? max(bound, longestCost) : bound
        return most > unread ? most - unread : 0
    }

    /// A message is not whole, and none can be read.
    private var mustComplete: Bool { messages == 0 && messageBytes >= 0 }
    /// More than the bound is given, for a message that is not whole.
    var givesRoomToComplete: Bool { mustComplete && longestCost > bound && unread > 0 }

    private var longestCost: UInt64 {
        UInt64(longestMessage) + FlowCost.overhead * UInt64(longestMessage / FlowCost.shortestFragment + 2)
    }

    /// Whether the header's number may come now. Control packets and abort: one more.
    func isAllowed(_ header: FRCPHeader) -> Bool {
        let number = number(of: header.sequence)
        if header.flags.contains(.data) {
            return number < want + credit + (header.flags.contains(.end) ? 1 : 0)
        }
        return number <= want + credit + 1
    }

    package enum Arrival: Hashable, Sendable {
        /// The payload goes to this place of the store.
        case store(at: Int)
        /// Nothing of it is needed.
        case nothing
    }

    /// A packet with a number of its own came.
    ///
    /// - Parameters:
    ///   - capacity: Of the store, bytes.
    ///   - arrival: When it reached the host.
    mutating func accept(
        _ header: FRCPHeader, length: Int, capacity: Int, arrival: UInt64, now: UInt64,
        in table: inout MutableSpan<ArrivedPacket>
    ) -> Arrival {
        let number = number(of: header.sequence)
        let isEnd = header.flags.contains(.end)
        guard number - read < table.count else {
            counters.beyondEdge += 1
            return .nothing
        }
        guard number >= want, table[place(number, table)].state == .awaited else {
            countDuplicate(now: now)
            return .nothing
        }
        guard endNumber < 0 || number < endNumber, !isEnd || number >= end else {
            counters.beyondEdge += 1
            return .nothing
        }
        guard isEnd || isDiscarding || hasMemory(arrivedCost(length), isNext: number == want) else {
            counters.withoutMemory += 1
            rules.note(number == want ? .refusesWithoutMemory : .refusesLastPlace)
            return .nothing
        }
        var arrived = ArrivedPacket(
            position: 0, length: UInt16(length), flags: header.flags.intersection([.first, .end]), state: .here)
        var result = Arrival.nothing
        if !isEnd, !isDiscarding {
            guard let position = takeMemory(length, capacity, table) else {
                counters.withoutMemory += 1
                return .nothing
            }
            arrived.position = position
            result = .store(at: Int(position) * ArrivalLog.unit & (capacity - 1))
            ahead += arrivedCost(length)
        }
        noteRules(number, isEnd: isEnd)
        if isEnd { endNumber = number }
        table[place(number, table)] = arrived
        received &+= 1
        counters.accepted += 1
        newest = number
        newestWasRepeated = header.flags.contains(.repeated)
        newestArrival = arrival
        noteArrival(number, isEnd: isEnd, arrival: arrival, in: table)
        end = max(end, number + 1)
        if number == want { advance(in: &table) }
        if isDiscarding, isEnd { skip(to: number + 1, in: &table) }
        noteGap(now: now)
        return result
    }

    private func arrivedCost(_ length: Int) -> UInt64 { UInt64(length) + FlowCost.overhead }

    private func hasMemory(_ cost: UInt64, isNext: Bool) -> Bool {
        // Out of order a packet never takes the last place.
        isNext ? cost <= room : ahead + cost + UInt64(largest) + FlowCost.overhead <= room
    }

    private mutating func takeMemory(
        _ length: Int, _ capacity: Int, _ table: borrowing MutableSpan<ArrivedPacket>
    ) -> UInt32? {
        largest = max(largest, UInt16(length))
        return log.take(length, capacity: capacity, stored: read..<max(end, read), in: table)
    }

    private mutating func countDuplicate(now: UInt64) {
        duplicates &+= 1
        counters.duplicates += 1
        if now - min(duplicatesToldAt, now) >= 1_000_000 { makeDue(.tellsDuplicates) } else { owesDuplicates = true }
    }

    /// Whether the peer must be told at once, or later.
    private mutating func noteArrival(
        _ number: Int, isEnd: Bool, arrival: UInt64, in table: borrowing MutableSpan<ArrivedPacket>
    ) {
        if unacknowledged == 0 { unacknowledgedSince = max(arrival, 1) }
        unacknowledged += 1
        let opensGap = number > end
        let fillsGap =
            number < end && (number == want || table[place(number - 1, table)].state == .here)
            && table[place(number + 1, table)].state == .here
        if isEnd { makeDue(.tellsForEnd) }
        if opensGap { makeDue(.tellsForOpenGap) }
        if fillsGap { makeDue(.tellsForFilledGap) }
        let isInGap = end > want && (number != want || end > number + 1)
        if unacknowledged >= (isInGap ? 8 : 32) { makeDue(isInGap ? .tellsAfterManyInGap : .tellsAfterMany) }
    }

    private mutating func noteRules(_ number: Int, isEnd: Bool) {
        if isEnd { rules.note(.endCame) }
        if isEnd, number == want + credit { rules.note(.acceptsEndAtEdge) }
        if isDiscarding, !isEnd { rules.note(.discardsAfterClose) }
    }

    /// A control packet is to be sent, for this reason.
    mutating func makeDue(_ reason: Rule) {
        isDue = true
        rules.note(reason)
    }
}
