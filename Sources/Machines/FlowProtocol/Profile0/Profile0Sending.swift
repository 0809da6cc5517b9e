// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What an end with profile 0 sends, and what it learns from acknowledgements. spec: frcp §6, §8, §9
extension Profile0End {
    /// The packet that is to be sent now; nil if there is none.
    package mutating func depart(
        now: UInt64, _ table: inout MutableSpan<SentPacket>
    ) -> FRCPEnd.Departure? {
        guard phase != .over else { return nil }
        if isDue, let header = acknowledgement(now: now) {
            sent = now
            return .bare(header)
        }
        guard failure == .none, phase != .resting else { return nil }
        if mustAsk { return ask(now: now) }
        if let number = nextToSend(now: now, table) { return send(number, now: now, in: &table) }
        // The search may have found that the edge holds packets back.
        if mustAsk { return ask(now: now) }
        guard mustShowLife else { return nil }
        mustShowLife = false
        rules.note(.showsLife)
        sent = now
        return .empty
    }

    private mutating func ask(now: UInt64) -> FRCPEnd.Departure {
        mustAsk = false
        rules.note(isExhausted ? .asksAtEdge : .asksAfterMany)
        askedAt = now
        askedBefore = next
        sent = now
        counters.questions += 1
        return .bare(
            FRCPHeader(flags: .rendezvous, edge: 0, sequence: SequenceNumber(0), acknowledged: SequenceNumber(0)))
    }

    private mutating func nextToSend(now: UInt64, _ table: borrowing MutableSpan<SentPacket>) -> Int? {
        if mustRepeat, acknowledged < next { return acknowledged }
        mustRepeat = false
        guard next < admitted else { return nil }
        guard next < edge else {
            if !isExhausted {
                isExhausted = true
                rules.note(.edgeHoldsBack)
                mustAsk = now - min(askedAt, now) >= Profile0End.questionInterval || askedBefore < next
            }
            return nil
        }
        isExhausted = false
        let cost = table[next & (table.count - 1)].cost
        guard next - acknowledged < Profile0End.mostInFlight else { return hold(.countHoldsBack) }
        guard flight > 0 else { return next }
        guard flight + cost <= Profile0End.mostCostInFlight else { return hold(.bytesHoldBack) }
        return flight + cost <= rate.window ? next : hold(.windowHoldsBack)
    }

    private mutating func hold(_ rule: Profile0Rule) -> Int? {
        rules.note(rule)
        return nil
    }

    private mutating func send(
        _ number: Int, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) -> FRCPEnd.Departure {
        let place = number & (table.count - 1)
        var flags: FRCPHeader.Flags = .data
        if number == acknowledged { flags.insert(.run) }
        if table[place].transmissions > 0 {
            let since = (now - min(table[place].sent, now)) / 1_000 + UInt64(table[place].sinceFirst)
            table[place].sinceFirst = UInt32(clamping: since)
            counters.repeated += 1
        }
        table[place].sent = now
        table[place].countTransmission()
        mustRepeat = false
        lastSent = now
        sent = now
        counters.sent += 1
        let packet = table[place]
        if number == next {
            next += 1
            if isReliable {
                flight += packet.cost
            } else {
                acknowledged = next
                // What was sent is all that this end owes.
                advancePhase(now: now)
            }
            // 0.23 tells readers' progress on flows without retransmission only when it is asked.
            if !isReliable, next - askedBefore >= Profile0End.startWindow { mustAsk = true }
        }
        return .data(header(flags, first + number), position: packet.position, length: Int(packet.length))
    }

    private mutating func header(_ flags: FRCPHeader.Flags, _ sequence: SequenceNumber) -> FRCPHeader {
        guard let base else {
            return FRCPHeader(flags: flags, edge: 0, sequence: sequence, acknowledged: SequenceNumber(0))
        }
        noteTold()
        let edge = (base + toldEdge).rawValue
        guard isReliable else {
            return FRCPHeader(
                flags: flags.union(.credits), edge: edge, sequence: sequence, acknowledged: SequenceNumber(0))
        }
        return FRCPHeader(
            flags: flags.union([.acknowledges, .credits]), edge: edge, sequence: sequence, acknowledged: base + want)
    }

    /// The header of a packet without data that says what has arrived; nil: no data has come, so there is nothing to say.
    private mutating func acknowledgement(now: UInt64) -> FRCPHeader? {
        isDue = false
        guard base != nil else { return nil }
        toldAt = now
        counters.acknowledgements += 1
        // A 0.23 end whose first packet has no data takes no first data afterwards. A run that begins with this packet at
        // the number of our first data makes it take that. spec: frcp §7
        guard next == 0 else { return header([], SequenceNumber(0)) }
        rules.note(.tellsBeforeData)
        return header(.run, first)
    }

    /// The peer is told all that there is to say.
    private mutating func noteTold() {
        if ownEdge > toldEdge { toldAgain = 0 }
        toldEdge = ownEdge
    }

    // What the peer says.

    mutating func hearAcknowledgement(
        _ header: FRCPHeader, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) {
        let upTo = acknowledged + (first + acknowledged).distance(to: header.acknowledged)
        guard isReliable, upTo > acknowledged, upTo <= next else {
            if upTo > next { rules.note(.ignoresUnsentAcknowledgement) }
            if upTo < acknowledged { rules.note(.ignoresOldAcknowledgement) }
            return
        }
        let newest = table[(upTo - 1) & (table.count - 1)]
        // What was waiting behind a lost packet says nothing of the path.
        if newest.transmissions == 1, recoveryEnd < 0 {
            roundTrip.sample(age: now - min(newest.sent, now), delay: 0, now: now)
            rate.sample(roundTrip.last)
            rules.note(.samples)
        } else {
            rules.note(.samplesNone)
        }
        let flightBefore = flight
        while acknowledged < upTo {
            flight -= table[acknowledged & (table.count - 1)].cost
            acknowledged += 1
        }
        rate.acknowledged(
            cost: flightBefore - flight, flight: flightBefore, roundTrip: roundTrip.smoothed, now: now)
        if upTo > roundEnd {
            rate.endRound()
            roundEnd = next
        }
        timeouts = 0
        backedOff = 0
        armed = 0
        guard recoveryEnd >= 0 else { return }
        if acknowledged >= recoveryEnd {
            recoveryEnd = -1
        } else if now - min(table[acknowledged & (table.count - 1)].sent, now) >= roundTrip.smoothed {
            // What follows the repeated packet is missing, too.
            rules.note(.repeatsNext)
            mustRepeat = true
        }
    }

    mutating func hearEdge(_ bits: UInt32, now: UInt64) {
        hasHeardEdge = true
        let old = first + edge
        var new = SequenceNumber(old.rawValue & 0xff00_0000 | bits)
        if new.distance(to: old) > 0x7f_ffff { new = new + 0x100_0000 }
        let distance = (first + acknowledged).distance(to: new)
        if distance >= 0, distance < 0x80_0000 {
            edge = max(edge, acknowledged + min(distance, Profile0End.window))
        } else {
            rules.note(.ignoresEdge)
        }
        // A 0.23 receiver never gives back the credit of lost packets. It has read, or lost, what was sent long ago.
        if !isReliable, next >= edge, now - min(lastSent, now) >= Profile0End.questionInterval {
            edge = next + Profile0End.startWindow / 2
            rules.note(.takesCreditAnyway)
        }
        if next < edge { isExhausted = false }
    }

    // Timers.

    /// RTO, doubled for each that passed without news.
    private var timeout: UInt64 { max(roundTrip.timeout, backedOff) }

    func sendingDeadline(_ table: borrowing MutableSpan<SentPacket>) -> UInt64 {
        var earliest = isExhausted ? askedAt + Profile0End.questionInterval : UInt64.max
        if acknowledged < next {
            earliest = min(earliest, max(table[acknowledged & (table.count - 1)].sent, armed) + timeout)
        }
        return earliest
    }

    mutating func expireSending(now: UInt64, _ table: borrowing MutableSpan<SentPacket>) {
        if isExhausted, now >= askedAt + Profile0End.questionInterval {
            mustAsk = true
            // A peer that has received no data has no edge to tell. The first data that it receives begins the run.
            if !isReliable, !hasHeardEdge, now - min(lastSent, now) >= Profile0End.unheardInterval {
                edge = next + 1
                isExhausted = false
                rules.note(.sendsWithoutCredit)
            }
        }
        guard acknowledged < next else { return }
        let packet = table[acknowledged & (table.count - 1)]
        let age = now - min(packet.sent, now)
        guard now >= max(packet.sent, armed) + timeout else { return }
        if age + UInt64(packet.sinceFirst) * 1_000 > Profile0End.repetition {
            rules.note(.silentForRepetition)
            return end(.down, .silence, now: now)
        }
        counters.timeouts += 1
        timeouts += 1
        rules.note(timeouts == 1 ? .timeoutRepeats : .timeoutDoubles)
        backedOff = min(2 * timeout, 10_000_000_000)
        armed = now
        if recoveryEnd < 0 {
            rate.reduce()
            counters.reductions += 1
        }
        if timeouts == 2 { rate.collapse() }
        recoveryEnd = next
        mustRepeat = true
    }
}
