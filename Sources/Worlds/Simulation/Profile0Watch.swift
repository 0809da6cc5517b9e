// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

/// What one direction of a flow with profile 0 has done, by all packets and the fate of each.
/// The machines are compared with it. Packets are counted from 0; times in nanoseconds. spec: frcp §6, §7, §12
struct Profile0Watch {
    let first: SequenceNumber
    let isReliable: Bool

    /// A packet that has a number.
    struct Packet {
        let length: Int
        let firstSent: UInt64
        var lastSent: UInt64
        var transmissions = 1
        var isHere = false
    }

    private(set) var packets: [Packet] = []
    /// The cost of the packets before each.
    private var costs: [UInt64] = [0]

    // What the reader has.

    /// Data came that began the run.
    private(set) var hasRun = false
    /// All before are here, or are not awaited.
    private(set) var want = 0
    private(set) var accepted = 0
    /// When a packet was accepted last, and after what time without one a new run begins.
    private var acceptedAt: UInt64 = 0
    private let inactivity: UInt64
    /// The reader takes nothing more.
    private(set) var isDiscarding = false
    private(set) var complaint: String?

    // What the writer knows.

    /// All before are here, as the writer was told.
    private(set) var heardUpTo = 0
    /// The first that the writer may not send.
    private(set) var heardEdge = 64
    private var hasHeardEdge = false
    private(set) var lastSent: UInt64 = 0
    /// Timeouts since news, and when the last one was.
    private(set) var timeouts: UInt64 = 0
    private(set) var timeoutAt: UInt64 = 0
    /// When the writer asked last, before which number, and since when the edge holds it back.
    private(set) var askedAt: UInt64?
    private var askedBefore = 0
    private(set) var exhaustedSince: UInt64?

    static let window = 256
    static let interval: UInt64 = 100_000_000

    init(first: UInt32, isReliable: Bool, lifetime: UInt64) {
        inactivity = (2 * lifetime + 120_000_000_000) / 1_000_000_000 * 1_000_000_000 + 10_000_000_000
        self.first = SequenceNumber(first)
        self.isReliable = isReliable
    }

    mutating func complain(_ text: String) { if complaint == nil { complaint = text } }

    private func number(of sequence: SequenceNumber) -> Int {
        packets.count + (first + packets.count).distance(to: sequence)
    }

    // The writer sends.

    /// A packet with data goes.
    mutating func sent(_ header: FRCPHeader, length: Int, mayRepeat: Bool, now: UInt64) {
        let number = number(of: header.sequence)
        guard number >= 0, number <= packets.count else { return complain("\(number) is sent before \(packets.count)") }
        let oldest = isReliable ? heardUpTo : number
        if header.flags.contains(.run) != (number == oldest) { complain("DRF of \(number) is wrong") }
        if number == packets.count {
            // A reader that has no data has no edge to tell.
            let isUnheard = !isReliable && !hasHeardEdge && number == heardEdge && now >= lastSent + 1_000_000_000
            if isUnheard { heardEdge = number + 1 }
            if number >= heardEdge { complain("\(number) is sent beyond the edge \(heardEdge)") }
            packets.append(Packet(length: length, firstSent: now, lastSent: now))
            costs.append(costs[number] + UInt64(length) + 64)
            let flight = costs[number + 1] - costs[min(heardUpTo, number)]
            if isReliable, number - heardUpTo >= 64 { complain("\(number - heardUpTo + 1) packets are in flight") }
            if isReliable, number > heardUpTo, flight > 131_072 { complain("\(flight) bytes are in flight") }
        } else {
            if !mayRepeat { complain("\(number) is repeated, and nothing was lost") }
            if number != oldest { complain("\(number) is repeated, and \(oldest) is the oldest") }
            if packets[number].length != length { complain("\(number) is repeated with other bytes") }
            packets[number].lastSent = now
            packets[number].transmissions += 1
        }
        lastSent = now
    }

    /// A rendez-vous goes. spec: frcp §8, §12
    mutating func asked(now: UInt64) {
        if let askedAt, packets.count == askedBefore, now < askedAt + Profile0Watch.interval {
            complain("it asks again after \((now - askedAt) / 1_000) us")
        }
        let isRegular = !isReliable && packets.count - askedBefore >= 64
        if packets.count < heardEdge, !isRegular { complain("it asks, and may send \(packets.count) to \(heardEdge)") }
        askedAt = now
        askedBefore = packets.count
    }

    /// After each turn of the writer.
    mutating func looked(mustWait: Bool, timeouts: UInt64, now: UInt64) {
        if timeouts > 0 {
            self.timeouts += timeouts
            timeoutAt = now
        }
        exhaustedSince = mustWait && packets.count >= heardEdge ? exhaustedSince ?? now : nil
    }

    /// Until when the oldest packet must be repeated, if nothing is heard; nil: nothing waits.
    ///
    /// - Parameter timeout: RTO, nanoseconds.
    func repeatsUntil(timeout: UInt64) -> UInt64? {
        guard isReliable, heardUpTo < packets.count else { return nil }
        let doubled = max(timeout, min(timeout << min(timeouts, 20), 10_000_000_000))
        return max(packets[heardUpTo].lastSent, timeoutAt) + doubled
    }

    // The writer hears.

    /// A packet of the reader came to the writer.
    mutating func hears(_ header: FRCPHeader, now: UInt64) {
        if isReliable, header.flags.contains(.acknowledges) {
            let upTo = number(of: header.acknowledged)
            if upTo > heardUpTo, upTo <= packets.count {
                heardUpTo = upTo
                (timeouts, timeoutAt) = (0, 0)
            }
        }
        guard header.flags.contains(.credits) else { return }
        hasHeardEdge = true
        let least = isReliable ? heardUpTo : packets.count
        let ahead = Int((header.edge &- (first + least).rawValue) & 0xff_ffff)
        if ahead < 0x80_0000 { heardEdge = max(heardEdge, least + min(ahead, Profile0Watch.window)) }
        // A 0.23 reader never gives back the credit of lost packets.
        if !isReliable, packets.count >= heardEdge, now >= lastSent + Profile0Watch.interval {
            heardEdge = packets.count + 32
        }
    }

    // The reader receives.

    /// What the reader's machine has counted for one packet.
    struct Reception: Equatable {
        var received = 0
        var duplicates = 0
        var beyondEdge = 0
        var dropped = 0
        var passed = 0
    }

    /// A packet with data was given to the reader's machine.
    ///
    /// - Parameter read: How many messages the program has read.
    /// - Returns: True if it must be answered.
    mutating func came(_ header: FRCPHeader, read: Int, _ reception: Reception, now: UInt64) -> Bool {
        let number = number(of: header.sequence)
        guard packets.indices.contains(number) else {
            complain("\(number) came and was not sent")
            return false
        }
        var expected = Reception()
        if !hasRun, header.flags.contains(.run) {
            hasRun = true
            if isReliable, number != 0 { complain("a run begins with \(number)") }
            if !isReliable { want = number }
        } else if !isReliable, number > want, now > acceptedAt + inactivity {
            // The numbers of another run say nothing of what was lost.
            want = number
        }
        if !hasRun {
            expected.dropped = 1
        } else if !isDiscarding {
            expect(number, read, &expected)
        }
        if expected.received > 0 { acceptedAt = now }
        if expected != reception { complain("\(number) counts as \(reception), and is \(expected)") }
        return hasRun && (isReliable || expected.duplicates + expected.beyondEdge > 0)
    }

    private mutating func expect(_ number: Int, _ read: Int, _ expected: inout Reception) {
        if number < want || packets[number].isHere {
            expected.duplicates = 1
            return
        }
        if !isReliable {
            expected.passed = number - want
            want = number
        }
        guard number < edge(read) else {
            expected.beyondEdge = 1
            return
        }
        expected.received = 1
        accepted += 1
        packets[number].isHere = true
        while want < packets.count, packets[want].isHere { want += 1 }
    }

    /// The first number that the reader does not take.
    private func edge(_ read: Int) -> Int {
        if isDiscarding { return want + Profile0Watch.window }
        return (isReliable ? read : want - (accepted - read)) + Profile0Watch.window
    }

    /// The reader's program has let go.
    mutating func discards() { isDiscarding = true }

    // The reader tells.

    /// A packet of the reader goes. spec: frcp §6, §12
    mutating func carries(_ header: FRCPHeader, read: Int) {
        if header.flags.contains(.acknowledges) != (isReliable && hasRun) {
            return complain("ACK is \(header.flags.contains(.acknowledges) ? "" : "not ")set")
        }
        if header.flags.contains(.credits) != hasRun {
            return complain("FC is \(header.flags.contains(.credits) ? "" : "not ")set")
        }
        if isReliable, hasRun, header.acknowledged != first + want { complain("an acknowledged number is wrong") }
        let low = (first + edge(read)).rawValue & 0xff_ffff
        if hasRun, header.edge != low { complain("the edge is \(header.edge), not \(low)") }
    }
}
