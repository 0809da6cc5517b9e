// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What the peer says of what was sent. spec: frcp-profile-1 §2, §4, §6, §7
extension Transmitter {
    /// Which rule forbids what a packet claims; nil: none. The peer can acknowledge what was never sent, or allow too much.
    func reasonToDrop(_ header: FRCPHeader) -> Rule? {
        guard header.credit <= FlowCost.longestEdge else { return .dropsTooMuchCredit }
        return number(of: header.acknowledged) <= next ? nil : .dropsUnsentAcknowledgement
    }

    /// The same for what a frame claims.
    func reasonToDrop(_ header: FRCPHeader, _ frame: Acknowledgement) -> Rule? {
        if let reason = reasonToDrop(header) { return reason }
        let upTo = number(of: header.acknowledged)
        guard upTo >= acknowledged else { return nil }
        if frame.bits.contains(.newestIsValid), number(of: frame.newest) >= next { return .dropsBadFrame }
        // The first range is the highest.
        guard frame.rangeCount > 0 else { return nil }
        let highest = frame.range(0)
        return upTo + Int(highest.offset) + Int(highest.length) <= next ? nil : .dropsBadFrame
    }

    func number(of sequence: SequenceNumber) -> Int { acknowledged + (first + acknowledged).distance(to: sequence) }

    /// A packet of the peer with data came, and is plausible.
    mutating func hear(_ header: FRCPHeader, now: UInt64, in table: inout MutableSpan<SentPacket>) {
        let upTo = number(of: header.acknowledged)
        guard var heard = begin(upTo, header) else { return }
        if acknowledged < upTo { acknowledge(upTo: upTo, &heard, now: now, in: &table) }
        conclude(heard, now: now, in: &table)
    }

    /// The same for a control packet.
    mutating func hear(
        _ header: FRCPHeader, _ frame: Acknowledgement, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) {
        let upTo = number(of: header.acknowledged)
        guard var heard = begin(upTo, header) else { return }
        hearNewest(frame, &heard, now: now, in: &table)
        acknowledge(upTo: upTo, &heard, now: now, in: &table)
        for index in 0..<frame.rangeCount {
            let range = frame.range(index)
            let start = upTo + Int(range.offset)
            for number in start..<start + Int(range.length) {
                acknowledge(number, &heard, now: now, in: &table)
            }
        }
        limit = max(limit, costAcknowledged + UInt64(frame.room))
        hearCounts(frame, upTo: upTo, heard: heard)
        conclude(heard, now: now, in: &table)
    }

    /// Nil: a later packet has said more.
    private mutating func begin(_ upTo: Int, _ header: FRCPHeader) -> Heard? {
        guard upTo >= acknowledged else {
            rules.note(.ignoresOldAcknowledgement)
            return nil
        }
        edge = max(edge, upTo + header.credit)
        return Heard(flight: flight, highest: highest.0)
    }

    private mutating func acknowledge(
        upTo: Int, _ heard: inout Heard, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) {
        while acknowledged < upTo {
            let cost = table[place(acknowledged, table)].cost
            acknowledge(acknowledged, &heard, now: now, in: &table)
            costAcknowledged += cost
            acknowledged += 1
        }
    }

    private mutating func conclude(_ heard: Heard, now: UInt64, in table: inout MutableSpan<SentPacket>) {
        if next < edge, exhaustedSince > 0 { wakeIfAllowed(in: table) }
        finish(heard, now: now, in: &table)
    }

    /// What one packet of the peer has changed.
    struct Heard {
        let flight: UInt64
        /// The highest that was acknowledged before.
        let highest: Int
        var cost: UInt64 = 0
        var packets = 0
        /// The latest transmission of all packets that are newly acknowledged.
        var latestOrder: UInt32?
        var latestAge: UInt64 = 0
        /// A packet was repeated although its first transmission had arrived.
        var wasSpurious = false
    }

    private mutating func hearNewest(
        _ frame: Acknowledgement, _ heard: inout Heard, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) {
        guard frame.bits.contains(.newestIsValid) else { return }
        let number = number(of: frame.newest)
        guard number >= acknowledged, number < next else { return }
        let packet = table[place(number, table)]
        guard packet.state != .acknowledged else { return }
        let wasRepeated = frame.bits.contains(.newestWasRepeated)
        let age = now - min(packet.sent, now)
        switch (wasRepeated, packet.transmissions) {
        case (false, 1), (true, 2):
            rules.note(wasRepeated ? .samplesSecond : .samplesFirst)
            sample(age, frame.delay, now: now)
        case (false, _):
            // The first transmission has arrived: the repetition was for nothing.
            sample(age + UInt64(packet.sinceFirst) * 1_000, frame.delay, now: now)
            heard.wasSpurious = true
        default: rules.note(.samplesNone)
        }
        acknowledge(number, &heard, now: now, in: &table)
    }

    private mutating func sample(_ age: UInt64, _ delay: UInt32, now: UInt64) {
        roundTrip.sample(age: age, delay: UInt64(delay) * 1_000, now: now)
        rate.sample(roundTrip.last)
        let least = roundTrip.minimum(now: now)
        if roundTrip.last == least, age > least { rules.note(.samplesMinimum) }
        if roundTrip.last > least + max(least / 4, 2_000_000) { round.isDelayed = true }
    }

    private mutating func acknowledge(
        _ number: Int, _ heard: inout Heard, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) {
        let place = place(number, table)
        let packet = table[place]
        switch packet.state {
        case .acknowledged, .unsent: return
        case .inFlight:
            flying.remove(UInt16(place), in: &table)
            flight -= packet.cost
        case .lost:
            if isReliable || packet.flags == .end { lost.remove(UInt16(place), in: &table) }
        }
        table[place].state = .acknowledged
        heard.cost += packet.cost
        heard.packets += 1
        let age = now - min(packet.sent, now)
        if age >= roundTrip.minimum(now: now),
            heard.latestOrder.map({ Int32(bitPattern: packet.order &- $0) > 0 }) ?? true
        {
            heard.latestOrder = packet.order
            heard.latestAge = age
        }
        if packet.transmissions == 1, number < heard.highest {
            reordering.wasSeen = true
            counters.reordered += 1
        }
        note(number)
    }

    /// Keeps the three highest.
    private mutating func note(_ number: Int) {
        if number > highest.0 {
            highest = (number, highest.0, highest.1)
        } else if number > highest.1, number != highest.0 {
            highest = (highest.0, number, highest.1)
        } else if number > highest.2, number != highest.1, number != highest.0 {
            highest = (highest.0, highest.1, number)
        }
    }

    /// The counts of a frame: what lossy flows have lost, and whether repetitions were for nothing.
    private mutating func hearCounts(_ frame: Acknowledgement, upTo: Int, heard: Heard) {
        let rise = frame.duplicates &- peersDuplicates
        if rise > 0, rise < 0x8000 {
            peersDuplicates = frame.duplicates
            counters.spurious += UInt64(rise)
            let ofProbes = min(Int(rise), reordering.unseenProbes)
            reordering.unseenProbes -= ofProbes
            if Int(rise) > ofProbes { reordering.duplicatesRose = true }
        }
        guard !isReliable else { return }
        var inRanges = 0
        for index in 0..<frame.rangeCount { inRanges += Int(frame.range(index).length) }
        // All that was received before `upTo`; modulo 2^32 is enough, because packets are few at a time.
        let received = Int(Int32(bitPattern: frame.received &- UInt32(truncatingIfNeeded: upTo + inRanges)))
        if let before = peersReceived, received < before {
            lose(before - received)
            peersReceived = received
        } else if peersReceived == nil {
            if received < 0 { lose(-received) }
            peersReceived = received
        }
    }

    private mutating func lose(_ packets: Int) {
        rules.note(.losesByCounts)
        counters.lost += UInt64(packets)
        round.lost += packets
        beginEpisode()
        considerReduction()
    }

    private mutating func wakeIfAllowed(in table: borrowing MutableSpan<SentPacket>) {
        guard next < admitted, costSent + table[place(next, table)].cost <= limit else { return }
        exhaustedSince = 0
        persists = 0
    }

    private mutating func finish(_ heard: Heard, now: UInt64, in table: inout MutableSpan<SentPacket>) {
        if heard.packets > 0 {
            news = now
            timeouts = 0
            backedOff = 0
            wasLate = false
            episode.probes = 0
            firstTimeoutAt = 0
            if controlsRate {
                let wasStarting = rate.isStarting
                rate.acknowledged(
                    cost: heard.cost, flight: heard.flight, roundTrip: roundTrip.smoothed, now: now)
                if !wasStarting { rules.note(.growsLikeCubic) }
            }
            if let order = heard.latestOrder { latest = Latest(order: order, age: heard.latestAge) }
            detectLosses(now: now, in: &table)
        }
        endEpisode(wasSpurious: heard.wasSpurious)
        if highest.0 >= round.end { endRound() }
    }

    private mutating func endRound() {
        if reordering.duplicatesRose {
            reordering.factor = min(reordering.factor + 1, 64)
            rules.note(.patienceGrows)
            reordering.recoveriesWithout = 0
            reordering.duplicatesRose = false
        }
        let wasStarting = rate.isStarting
        rate.endRound()
        if wasStarting, !rate.isStarting { rules.note(.startEnds) }
        round = Round(end: next, packets: max(next - acknowledged, 1), lost: 0, isDelayed: false)
    }

    private mutating func endEpisode(wasSpurious: Bool) {
        guard episode.end >= 0 else { return }
        let duplicates = Int(peersDuplicates &- episode.duplicatesAtStart)
        let wasForNothing = episode.repeats > 0 && duplicates >= episode.repeats
        if episode.hasReduced, wasSpurious || wasForNothing {
            rate.undo()
            counters.undone += 1
            rules.note(wasSpurious ? .undoesByNewest : .undoesByDuplicates)
            episode.hasReduced = false
        }
        guard acknowledged >= episode.end else { return }
        if !wasForNothing, !wasSpurious {
            reordering.recoveriesWithout += 1
            if reordering.recoveriesWithout >= 16 {
                if reordering.factor > 1 { rules.note(.patienceReturns) }
                reordering.factor = 1
            }
        }
        episode = Episode()
    }
}
