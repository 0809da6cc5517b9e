// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

/// What one direction of a flow has done, by all packets and the fate of each. The machines
/// are compared with it. Packets are counted from 0; times in nanoseconds.
struct FlowWatch {
    let first: SequenceNumber
    let isReliable: Bool
    /// C and the bound of the reader.
    let credit: Int
    let bound: UInt64
    /// What a message may cost at most.
    let longestCost: UInt64

    /// A packet that has a number.
    struct Packet {
        let length: Int
        let flags: FRCPHeader.Flags
        var transmissions = 0
        var firstSent: UInt64 = 0
        var lastSent: UInt64 = 0
        /// The link lost the last transmission.
        var isLost = false
        var isHere = false
        /// The writer knows that the packet is here.
        var isAcknowledged = false
        /// When a higher number came, or was told of; 0: none was.
        var missingSince: UInt64 = 0
    }

    private(set) var packets: [Packet] = []
    /// S of the numbers up to the last that was sent. spec: frcp-profile-1 §3
    private var costs: [UInt64] = [0]
    /// The most that the reader has ever given: cost and edge.
    private(set) var offered: UInt64
    private(set) var offeredEdge: Int
    /// All before are here, or are not awaited.
    private(set) var want = 0
    private(set) var end = 0
    private(set) var accepted = 0
    private(set) var duplicates = 0
    /// The cost of what is here and not before `want`.
    private(set) var ahead: UInt64 = 0
    private(set) var newest: Newest?
    /// The highest number that the writer was told to be here with all before.
    private(set) var heardUpTo = 0
    private(set) var complaint: String?

    /// The packet that was accepted last.
    struct Newest {
        let number: Int
        let isRepeated: Bool
        let sent: UInt64
        let arrived: UInt64
    }

    init(first: UInt32, isReliable: Bool, credit: Int, bound: Int, longest: Int) {
        self.first = SequenceNumber(first)
        self.isReliable = isReliable
        self.credit = credit
        self.bound = UInt64(bound)
        longestCost = UInt64(longest + 64 * (longest / 1_024 + 2))
        offered = UInt64(bound)
        offeredEdge = credit
    }

    /// No more room is given, for a message that is not whole, than there is.
    var roomIsExact: Bool { longestCost <= bound }

    mutating func complain(_ text: String) { if complaint == nil { complaint = text } }

    func number(of sequence: SequenceNumber) -> Int { want + (first + want).distance(to: sequence) }

    private func cost(before number: Int) -> UInt64 { costs[min(number, costs.count - 1)] }

    // The writer sends.

    /// A packet with a number of its own goes. `mustBeNeeded`: nothing can be repeated that was not lost.
    mutating func sent(_ header: FRCPHeader, length: Int, isProbe: Bool, mustBeNeeded: Bool, now: UInt64) {
        let number = number(of: header.sequence)
        let flags = header.flags.intersection([.first, .end])
        guard number >= 0, number <= packets.count else { return complain("\(number) is sent before \(packets.count)") }
        let isNew = number == packets.count
        if header.flags.contains(.repeated) == isNew { return complain("RXM of \(number) is wrong") }
        if isNew {
            let cost = cost(before: number) + UInt64(length) + 64
            if flags != .end, number >= offeredEdge { complain("\(number) is sent beyond the edge \(offeredEdge)") }
            if flags != .end, cost > offered { complain("\(number) needs \(cost), but \(offered) was given") }
            packets.append(Packet(length: length, flags: flags))
            costs.append(cost)
        } else if packets[number].length != length || packets[number].flags != flags {
            complain("\(number) is repeated with other bytes")
        } else if packets[number].isAcknowledged {
            complain("\(number) is acknowledged and repeated")
        } else if mustBeNeeded, !isProbe, !packets[number].isLost {
            complain("\(number) is repeated and was not lost: sent at \(packets[number].lastSent), now \(now)")
        }
        if flags == .end || number == 0 && isNew, !header.flags.contains(.rendezvous) {
            complain("\(number) does not ask for an answer")
        }
        packets[number].transmissions += 1
        if isNew { packets[number].firstSent = now }
        packets[number].lastSent = now
        packets[number].isLost = false
    }

    /// The link has lost what was sent last with this number.
    mutating func lost(_ header: FRCPHeader) {
        let number = number(of: header.sequence)
        if packets.indices.contains(number) { packets[number].isLost = true }
    }

    // The reader receives.

    /// What the reader's machine has made of a packet.
    struct Reception {
        let received: Int
        let duplicates: Int
    }

    /// A packet with a number of its own was given to the machine.
    mutating func came(_ header: FRCPHeader, sent: UInt64, arrival: UInt64, now: UInt64, _ reception: Reception) {
        let number = number(of: header.sequence)
        guard packets.indices.contains(number) else { return complain("\(number) came and was not sent") }
        let isOld = packets[number].isHere || number < want
        if reception.received > 1 || reception.received + reception.duplicates > 1 {
            return complain("\(number) counts for more than one packet")
        }
        if isOld != (reception.duplicates == 1), isOld || reception.duplicates > 0 {
            return complain("\(number) is \(isOld ? "a" : "no") duplicate, and counts as \(reception.duplicates)")
        }
        duplicates += reception.duplicates
        if reception.received == 1 {
            accepted += 1
            packets[number].isHere = true
            ahead += UInt64(packets[number].length) + 64
            newest = Newest(
                number: number, isRepeated: header.flags.contains(.repeated), sent: sent, arrived: arrival)
            noteMissing(before: number, now: now)
            end = max(end, number + 1)
        } else if !isOld {
            // For want of memory.
            packets[number].isLost = true
            if number == want, roomIsExact { complain("\(number) is next, was allowed, and is refused") }
        }
    }

    /// A control packet has told that all before was sent.
    mutating func told(_ sequence: SequenceNumber, now: UInt64) {
        noteMissing(before: min(number(of: sequence), packets.count, want + credit), now: now)
    }

    private mutating func noteMissing(before number: Int, now: UInt64) {
        var below = number - 1
        while below >= want, !packets[below].isHere, packets[below].missingSince == 0 {
            packets[below].missingSince = now
            below -= 1
        }
    }

    /// The reader's machine does not want what is before `wanted` any more.
    ///
    /// - Parameter patience: For how long a missing packet is awaited; nil: none may be passed; 0: all may.
    mutating func advance(to wanted: Int, now: UInt64, patience: UInt64?) {
        while want < wanted {
            guard want < packets.count else { return complain("\(want) is passed and was not sent") }
            if !packets[want].isHere {
                let since = packets[want].missingSince
                guard let patience else { return complain("\(want) is passed at once") }
                if patience > 0, since == 0 || now < since + patience { complain("\(want) is passed too early") }
            }
            if packets[want].isHere { ahead -= UInt64(packets[want].length) + 64 }
            want += 1
        }
        if want > wanted { complain("the reader wants \(wanted) after \(want)") }
        if isReliable, want < packets.count, packets[want].isHere { complain("\(want) is here and is wanted") }
        offeredEdge = max(offeredEdge, want + credit)
    }

    /// Since when the reader waits for the number that it wants next; nil: it misses nothing.
    var missingSince: UInt64? {
        guard want < packets.count, packets[want].missingSince > 0 else { return nil }
        return packets[want].missingSince
    }

    // The reader tells.

    /// A packet of the reader goes.
    mutating func carries(_ header: FRCPHeader) {
        if header.acknowledged != first + want { complain("an acknowledged number is wrong") }
        if header.credit != credit { complain("the edge is \(header.credit) behind what is wanted") }
    }

    /// - Parameters:
    ///   - read: All before were read.
    ///   - payload: The largest of a packet.
    mutating func tells(_ header: FRCPHeader, _ frame: Acknowledgement, read: Int, payload: Int, now: UInt64) {
        carries(header)
        if Int(frame.received) != accepted { complain("\(accepted) came, \(frame.received) are told") }
        if Int(frame.duplicates) != duplicates & 0xffff {
            complain("\(duplicates) came twice, told \(frame.duplicates)")
        }
        tellsNewest(frame, now: now)
        tellsRanges(frame, most: min(64, max((payload - 20) / 4, 0)))
        offered = max(offered, cost(before: want) + UInt64(frame.room))
        guard isReliable else { return }
        let unread = cost(before: min(want, packets.count)) - cost(before: read) - (hasEnded && read < want ? 64 : 0)
        let rooms = [bound, max(bound, longestCost)].map { $0 > unread ? $0 - unread : 0 }
        if !rooms.contains(UInt64(frame.room)) {
            complain("\(unread) is unread, and \(frame.room) is given: read \(read), want \(want)")
        }
    }

    private var hasEnded: Bool { want > 0 && want <= packets.count && packets[want - 1].flags == .end }

    private mutating func tellsNewest(_ frame: Acknowledgement, now: UInt64) {
        guard let newest else {
            if frame.bits.contains(.newestIsValid) { complain("a newest is told, and nothing came") }
            return
        }
        if !frame.bits.contains(.newestIsValid) || frame.newest != first + newest.number
            || frame.bits.contains(.newestWasRepeated) != newest.isRepeated
        {
            complain("the newest is not \(newest.number)")
        }
        if UInt64(frame.delay) != (now - newest.arrived) / 1_000 { complain("the delay is \(frame.delay) us") }
    }

    private mutating func tellsRanges(_ frame: Acknowledgement, most: Int) {
        var expected: [Acknowledgement.Range] = []
        var high = end
        while high > want + 1, expected.count < most {
            while high > want, !packets[high - 1].isHere { high -= 1 }
            var low = high
            while low > want, packets[low - 1].isHere { low -= 1 }
            if high > low, low > want {
                expected.append(Acknowledgement.Range(offset: UInt16(low - want), length: UInt16(high - low)))
            }
            high = low
        }
        let told = (0..<frame.rangeCount).map { frame.range($0) }
        if told != expected { complain("ranges \(told.prefix(3)) are told, \(expected.prefix(3)) are here") }
    }

    // The writer hears.

    /// What the writer must make of a packet of the reader.
    struct Hearing {
        /// The age of the transmission whose acknowledgement is a sample, and how exact it is known; nil: no sample.
        var age: UInt64?
        var tolerance: UInt64 = 0
        /// A packet was repeated although its first transmission had come.
        var wasSpurious = false
        var limit: UInt64 = 0
    }

    /// Nil: the packet is old.
    mutating func hears(_ header: FRCPHeader, _ frame: Acknowledgement?, newest: Newest?, now: UInt64) -> Hearing? {
        let upTo = heardUpTo + (first + heardUpTo).distance(to: header.acknowledged)
        guard upTo >= heardUpTo else { return nil }
        var hearing = Hearing()
        if let frame {
            hearing.limit = cost(before: upTo) + UInt64(frame.room)
            if let newest, newest.number >= heardUpTo, !packets[newest.number].isAcknowledged {
                let packet = packets[newest.number]
                hearing.wasSpurious = !newest.isRepeated && packet.transmissions > 1
                if !newest.isRepeated || packet.transmissions == 2 { hearing.age = now - newest.sent }
                // Times between transmissions are counted in whole microseconds.
                hearing.tolerance = 1_000 * UInt64(packet.transmissions - 1)
                packets[newest.number].isAcknowledged = true
            }
            for index in 0..<frame.rangeCount {
                let range = frame.range(index)
                for number in upTo + Int(range.offset)..<upTo + Int(range.offset) + Int(range.length) {
                    packets[number].isAcknowledged = true
                }
            }
        }
        for number in heardUpTo..<upTo { packets[number].isAcknowledged = true }
        heardUpTo = upTo
        return hearing
    }
}
