// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What the peer is told, and when. spec: frcp-profile-1 §3, §4, §5
extension Receiver {
    /// A control packet came, whose number says that all before was sent.
    mutating func hearControl(_ header: FRCPHeader, now: UInt64, in table: borrowing MutableSpan<ArrivedPacket>) {
        // No place of the table is needed for two numbers.
        let number = min(number(of: header.sequence), want + credit, read + table.count)
        // What is missing at the end is told once for each number.
        if number > end, number > sentBefore { makeDue(.tellsForMissing) }
        sentBefore = max(sentBefore, number)
        noteGap(now: now)
    }

    /// Whether something is missing, and since when.
    mutating func noteGap(now: UInt64) {
        guard !isReliable, !hasEnded else { return }
        while let mark = gaps.first, mark.end <= want { gaps.removeFirst() }
        let known = max(end, sentBefore)
        if known > want { gaps.note(known, now: now, patience: gapPatience) }
    }

    /// When `expire` wants to be called; nil: not because of time.
    var deadline: UInt64? {
        var earliest = UInt64.max
        if unacknowledgedSince > 0 { earliest = unacknowledgedSince + delay }
        if owesDuplicates { earliest = min(earliest, duplicatesToldAt + 1_000_000) }
        if let mark = gaps.first { earliest = min(earliest, mark.time + gapPatience) }
        return earliest == .max ? nil : earliest
    }

    /// A deadline may have come.
    mutating func expire(now: UInt64, in table: inout MutableSpan<ArrivedPacket>) {
        if unacknowledgedSince > 0, now >= unacknowledgedSince + delay { makeDue(.tellsAfterDelay) }
        if owesDuplicates, now >= duplicatesToldAt + 1_000_000 { makeDue(.tellsDuplicatesLater) }
        while let mark = gaps.first, now >= mark.time + gapPatience {
            gaps.removeFirst()
            guard mark.end > want else { continue }
            rules.note(hasGap ? .gapPassedByTime : .gapPassedBySequence)
            skip(to: mark.end, in: &table)
        }
        noteGap(now: now)
    }

    /// A packet with data carries the acknowledged number, which is all there is to say if nothing is missing.
    mutating func carried() {
        guard !hasGap, !isDue else { return }
        unacknowledged = 0
        unacknowledgedSince = 0
    }

    /// The frame of a control packet that is sent now.
    ///
    /// - Parameter mostRanges: That fit the packet.
    mutating func tell(
        now: UInt64, mostRanges: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> Acknowledgement {
        isDue = false
        unacknowledged = 0
        unacknowledgedSince = 0
        owesDuplicates = false
        duplicatesToldAt = now
        counters.acknowledgements += 1
        var frame = Acknowledgement()
        frame.received = received
        frame.duplicates = duplicates
        roomTold = min(room, UInt64(UInt32.max))
        frame.room = UInt32(roomTold)
        if newest >= 0 {
            frame.bits.insert(.newestIsValid)
            if newestWasRepeated {
                frame.bits.insert(.newestWasRepeated)
                rules.note(.tellsRepeated)
            }
            frame.newest = first + newest
            frame.delay = UInt32(clamping: (now - min(newestArrival, now)) / 1_000)
        }
        if answersLong {
            frame.bits.insert(.answersLong)
            rules.note(.tellsLong)
        }
        if givesRoomToComplete { rules.note(.givesRoomToComplete) }
        answersLong = false
        appendRanges(to: &frame, most: mostRanges, in: table)
        return frame
    }

    /// The highest first.
    private mutating func appendRanges(
        to frame: inout Acknowledgement, most: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) {
        var number = end - 1
        while number > want, frame.rangeCount < most {
            while number > want, table[place(number, table)].state == .awaited { number -= 1 }
            let high = number
            while number > want, table[place(number, table)].state != .awaited { number -= 1 }
            if high > number {
                frame.append(
                    Acknowledgement.Range(offset: UInt16(number + 1 - want), length: UInt16(high - number)))
            }
        }
        if number > want { rules.note(.tellsOnlyHighestRanges) }
    }
}
