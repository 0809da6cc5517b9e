// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What counts as lost, by what came instead and by time. spec: frcp-profile-1 §6, §7
extension Transmitter {
    /// What was sent before the latest that is acknowledged, and has had time to be.
    mutating func detectLosses(now: UInt64, in table: inout MutableSpan<SentPacket>) {
        lossDeadline = 0
        guard let latest else { return }
        while flying.first != SentList.none {
            let packet = table[Int(flying.first)]
            guard Int32(bitPattern: latest.order &- packet.order) > 0 else { return }
            let number = number(at: Int(flying.first), in: table)
            let patience = patience(with: number, now: now)
            let due = packet.sent + latest.age + patience
            guard now >= due else {
                lossDeadline = due
                return
            }
            rules.note(patience == 0 ? .losesAtOnce : .losesByTime)
            lose(flying.first, in: &table)
        }
    }

    /// W: how long a packet is awaited that others have overtaken.
    private func patience(with number: Int, now: UInt64) -> UInt64 {
        if !reordering.wasSeen, number < highest.2 { return 0 }
        return min(reordering.factor * roundTrip.minimum(now: now) / 4, roundTrip.smoothed)
    }

    private mutating func lose(_ place: UInt16, in table: inout MutableSpan<SentPacket>) {
        flying.remove(place, in: &table)
        flight -= table[Int(place)].cost
        table[Int(place)].state = .lost
        guard isReliable || table[Int(place)].flags == .end else { return }
        lost.append(place, in: &table)
        counters.lost += 1
        round.lost += 1
        beginEpisode()
        considerReduction()
    }

    mutating func beginEpisode() {
        guard episode.end < 0 else { return }
        episode.end = next
        episode.duplicatesAtStart = peersDuplicates
    }

    /// A loss is a sign of congestion if much is lost, or if packets had to wait.
    mutating func considerReduction() {
        guard !episode.hasReduced else { return }
        let isMuch = round.lost * 50 > round.packets
        guard isMuch || controlsRate && round.isDelayed else { return }
        episode.hasReduced = true
        counters.reductions += 1
        rules.note(isMuch ? .reducesByLoss : .reducesByDelay)
        rate.reduce()
    }

    // Timers.

    /// RTO, doubled for each that passed without news.
    private var timeout: UInt64 { max(roundTrip.timeout, backedOff) }

    private var probeDeadline: UInt64? {
        guard !flying.isEmpty, episode.probes < 2 else { return nil }
        return max(lastSent, news, armed) + roundTrip.probeTimeout
    }

    /// Lossy flows ask until the peer has passed what is missing.
    func timeoutDeadline(in table: borrowing MutableSpan<SentPacket>) -> UInt64? {
        if !flying.isEmpty { return max(table[Int(flying.first)].sent, armed) + timeout }
        return isReliable || acknowledged == next ? nil : max(lastSent, armed) + timeout
    }

    var persistDeadline: UInt64? {
        guard exhaustedSince > 0 else { return nil }
        let interval = min(roundTrip.timeout << UInt64(min(persists, 10)), 5_000_000_000)
        return max(exhaustedSince, persists == 0 ? news : 0) + interval
    }

    /// When `expire` wants to be called; nil: not because of time.
    func deadline(in table: borrowing MutableSpan<SentPacket>) -> UInt64? {
        var earliest = lossDeadline == 0 ? UInt64.max : lossDeadline
        if let probeDeadline { earliest = min(earliest, probeDeadline) }
        if let timeoutDeadline = timeoutDeadline(in: table) { earliest = min(earliest, timeoutDeadline) }
        if let persistDeadline { earliest = min(earliest, persistDeadline) }
        if let paceDeadline = paceDeadline(in: table) { earliest = min(earliest, paceDeadline) }
        return earliest == .max ? nil : earliest
    }

    /// When the pace allows the next packet, if nothing else holds it back.
    private func paceDeadline(in table: borrowing MutableSpan<SentPacket>) -> UInt64? {
        guard controlsRate else { return nil }
        let waiting: SentPacket
        if !lost.isEmpty {
            waiting = table[Int(lost.first)]
        } else if next < admitted, exhaustedSince == 0 {
            waiting = table[place(next, table)]
        } else {
            return nil
        }
        guard flight == 0 || flight + waiting.cost <= rate.window else { return nil }
        return pace.moment(waiting.cost, window: rate.window, roundTrip: roundTrip)
    }

    /// A deadline may have come. What arrived was processed before.
    mutating func expire(now: UInt64, in table: inout MutableSpan<SentPacket>) {
        if lossDeadline > 0, now >= lossDeadline { detectLosses(now: now, in: &table) }
        if let persistDeadline, now >= persistDeadline {
            persists += 1
            counters.persists += 1
            exhaustedSince = now
            rules.note(.asksForPersist)
            mustAsk = true
        }
        if let timeoutDeadline = timeoutDeadline(in: table), now >= timeoutDeadline {
            expireTimeout(late: now - timeoutDeadline, now: now, in: &table)
        } else if let probeDeadline, now >= probeDeadline {
            expireProbe(late: now - probeDeadline, now: now, in: table)
        }
    }

    /// True, once: a timer is so late that the process was stopped, and what it waits for may have come meanwhile.
    private mutating func isStopped(_ late: UInt64, now: UInt64) -> Bool {
        guard late >= roundTrip.timeout, !wasLate else { return false }
        wasLate = true
        armed = now
        lastSent = now
        return true
    }

    private mutating func expireProbe(late: UInt64, now: UInt64, in table: borrowing MutableSpan<SentPacket>) {
        guard !isStopped(late, now: now) else { return rules.note(.timerIsLate) }
        episode.probes += 1
        // The next probe waits for its own time, whether this one can be sent or not.
        lastSent = now
        if next < admitted, table[place(next, table)].flags == .end || next < edge {
            rules.note(.probesNew)
            probe = next
        } else if isReliable || table[Int(flying.last)].flags == .end {
            rules.note(.probesOld)
            probe = number(at: Int(flying.last), in: table)
        } else {
            rules.note(.asksForProbe)
            mustAsk = true
        }
    }

    private mutating func expireTimeout(late: UInt64, now: UInt64, in table: inout MutableSpan<SentPacket>) {
        guard !isStopped(late, now: now) else { return rules.note(.timerIsLate) }
        counters.timeouts += 1
        if firstTimeoutAt == 0 { firstTimeoutAt = now }
        let age = roundTrip.timeout
        let most: UInt64 = now - firstTimeoutAt >= 10_000_000_000 ? 10_000_000_000 : 200_000_000
        backedOff = min(2 * timeout, max(most, age))
        if backedOff > age {
            rules.note(backedOff > 200_000_000 && most > 200_000_000 ? .timeoutDoublesLong : .timeoutDoubles)
        }
        timeouts += 1
        armed = now
        while flying.first != SentList.none, now - min(table[Int(flying.first)].sent, now) >= age {
            rules.note(.losesByTimeout)
            lose(flying.first, in: &table)
        }
        if timeouts == 2 {
            rules.note(.collapses)
            rate.collapse()
        }
        guard isUnacknowledged, acknowledged < next else { return }
        if isReliable || table[place(acknowledged, table)].flags == .end {
            probe = acknowledged
        } else {
            rules.note(.asksForTimeout)
            mustAsk = true
        }
    }

    /// For how long the oldest packet has been repeated in vain, nanoseconds; 0 if it was repeated fewer than five times.
    func repeating(now: UInt64, in table: borrowing MutableSpan<SentPacket>) -> UInt64 {
        guard acknowledged < next else { return 0 }
        let packet = table[place(acknowledged, table)]
        guard packet.transmissions > 5 else { return 0 }
        return now - min(packet.sent, now) + UInt64(packet.sinceFirst) * 1_000
    }
}
