// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

/// What somebody beside an end knows of it. Times in nanoseconds.
struct Witness {
    /// When a packet came that counts, and when one was sent.
    var heard: UInt64
    var sent: UInt64
    /// Since when a packet waits to be acknowledged; nil: none does.
    var owes: UInt64?
    /// Since when the peer is not told of a duplicate.
    var owesDuplicates: UInt64?
    var failure = FRCPEnd.FlowFailure.none
    var timeouts: UInt64 = 0
    var timeoutAt: UInt64 = 0
    /// The window when the end was looked at last, and what it was before the last reduction.
    var window: UInt64 = 0
    var windowBefore: UInt64 = 0
    var reductions: UInt64 = 0
    var undone: UInt64 = 0
    var collapses: UInt32 = 0
}

/// What an end has sent in one turn.
struct Departures {
    var count = 0
    var controls = 0
    /// The cost of data, without probes.
    var cost: UInt64 = 0
}

// The ends are compared with what somebody knows who sees all.
extension FRCPWorld {
    static let delay: UInt64 = 5_000_000
    static let gapPatience: UInt64 = 10_000_000

    var complaint: String? {
        for end in hosts.indices {
            if let complaint = hosts[end].complaint { return "end \(end): \(complaint)" }
            if let complaint = profile0Watches[end].complaint { return "from end \(end): \(complaint)" }
            if let complaint = watches[end].complaint { return "from end \(end): \(complaint)" }
        }
        return nil
    }

    /// Gives an end a packet. True: the end must answer at once.
    func arrive(_ parcel: Parcel, at end: Int, arrival: UInt64) -> Bool {
        let host = hosts[end]
        guard let header = FRCPHeader(parcel.bytes.span) else { return false }
        let before = (
            host.machine.profile1.dropped, host.machine.profile1.receiver.received,
            host.machine.profile1.receiver.duplicates
        )
        let isListening =
            host.machine.phase != .aborting && (host.machine.failure == .none || host.machine.phase == .closing)
        let sender = host.machine.profile1.transmitter
        host.arrive(parcel.bytes, arrival: arrival, now: now)
        if host.machine.profile1.dropped != before.0 {
            // An abort may be older than what has come since.
            if header.flags.contains(.data) || !header.flags.contains(.end), plan.kind != .rogue {
                host.complain("a packet of the peer is dropped: \(PacketText(parcel.bytes))")
            }
            return false
        }
        witnesses[end].heard = now
        guard isListening, header.flags.contains(.data) || !header.flags.contains(.end) else { return false }
        hear(parcel, header, at: end, sender)
        guard header.flags.contains(.data) else {
            watches[end ^ 1].told(header.sequence, now: now)
            settle(end)
            return header.flags.contains(.rendezvous)
        }
        let awaited = max(watches[end ^ 1].end, watches[end ^ 1].want)
        let opensGap = watches[end ^ 1].number(of: header.sequence) > awaited
        let reception = FlowWatch.Reception(
            received: Int(host.machine.profile1.receiver.received &- before.1),
            duplicates: Int(host.machine.profile1.receiver.duplicates &- before.2))
        watches[end ^ 1].came(header, sent: parcel.sent, arrival: arrival, now: now, reception)
        settle(end)
        if reception.received > 0, witnesses[end].owes == nil { witnesses[end].owes = now }
        if reception.duplicates > 0, witnesses[end].owesDuplicates == nil { witnesses[end].owesDuplicates = now }
        if reception.received > 0, watches[end ^ 1].ahead + 64 > host.machine.profile1.receiver.room,
            !host.machine.profile1.receiver.isDiscarding,
            watches[end ^ 1].number(of: header.sequence) > watches[end ^ 1].want, !header.flags.contains(.end)
        {
            host.complain("a packet out of order takes the last place")
        }
        return header.flags.contains(.rendezvous) || reception.received > 0 && (header.flags.contains(.end) || opensGap)
    }

    /// What the packet says is compared with what the sending half has made of it.
    private func hear(_ parcel: Parcel, _ header: FRCPHeader, at end: Int, _ before: Transmitter) {
        let host = hosts[end]
        let after = host.machine.profile1.transmitter
        let frame = header.flags.contains(.data) ? nil : Acknowledgement(parcel.bytes.span.extracting(12...))
        guard let hearing = watches[end].hears(header, frame, newest: parcel.newest, now: now) else {
            if after.limit != before.limit || after.edge != before.edge { host.complain("an old packet gives more") }
            return
        }
        let upTo = watches[end].heardUpTo
        if after.acknowledged != upTo { host.complain("\(upTo) is acknowledged, not \(after.acknowledged)") }
        if after.limit != max(before.limit, hearing.limit) { host.complain("the limit is \(after.limit)") }
        if after.edge != max(before.edge, upTo + header.credit) { host.complain("the edge is \(after.edge)") }
        if hearing.wasSpurious, after.hasReduced { host.complain("a reduction for nothing is not undone") }
        if after.counters.undone > before.counters.undone, after.counters.reductions == before.counters.reductions,
            after.rate.window < witnesses[end].windowBefore
        {
            host.complain("the window is \(after.rate.window) after it was undone")
        }
        compareSample(hearing, frame, end, before.roundTrip.lastSample, after.roundTrip)
    }

    private func compareSample(
        _ hearing: FlowWatch.Hearing, _ frame: Acknowledgement?, _ end: Int, _ lastBefore: UInt64, _ after: RoundTrip
    ) {
        guard let frame, let age = hearing.age else {
            if after.lastSample != lastBefore { hosts[end].complain("a sample was taken, and there was none") }
            return
        }
        guard after.lastSample == now else { return hosts[end].complain("a sample was not taken") }
        let held = min(UInt64(frame.delay) * 1_000, FRCPWorld.delay)
        let least = after.minimum(now: now)
        let sample = max(age > held ? age - held : 0, least)
        let known = after.last...after.last + hearing.tolerance
        if !known.contains(sample) || least > max(age, 1) {
            hosts[end].complain("a sample of \(after.last) ns was impossible: \(sample)")
        }
    }

    /// The reader's machine may have passed packets.
    func settle(_ end: Int) {
        let reader = hosts[end].machine.profile1.receiver
        let patience: UInt64? = reader.isDiscarding ? 0 : reader.isReliable ? nil : FRCPWorld.gapPatience
        watches[end ^ 1].advance(to: reader.want, now: now, patience: patience)
    }

    /// The next packet of an end.
    func departs(from end: Int, _ departures: inout Departures) -> [UInt8]? {
        let host = hosts[end]
        let before = host.machine.profile1.transmitter
        guard let packet = host.depart(now: now), let header = FRCPHeader(packet.span) else { return nil }
        departures.count += 1
        if departures.count > 20_000 {
            host.complain("it does not stop to send")
            return nil
        }
        witnesses[end].sent = now
        let isAbort = header.flags.contains(.end) && !header.flags.contains(.data)
        if !isAbort { watches[end ^ 1].carries(header) }
        if header.flags.contains(.data) {
            let cost = UInt64(packet.count - FRCPHeader.bytes) + 64
            let isProbe = host.machine.profile1.transmitter.counters.probes > before.counters.probes
            watches[end].sent(
                header, length: packet.count - FRCPHeader.bytes, isProbe: isProbe,
                mustBeNeeded: hearsEverything(end) && before.counters.timeouts == 0, now: now)
            if !isProbe, !header.flags.contains(.end) {
                compareWindow(before, cost, end, &departures)
            }
            if watches[end ^ 1].want >= watches[end ^ 1].end { witnesses[end].owes = nil }
        } else if !isAbort {
            departures.controls += 1
            witnesses[end].owes = nil
            witnesses[end].owesDuplicates = nil
            if let frame = Acknowledgement(packet.span.extracting(FRCPHeader.bytes...)) {
                watches[end ^ 1].tells(
                    header, frame, read: host.machine.profile1.receiver.read, payload: before.payload, now: now)
            }
        }
        return packet
    }

    /// What the peer says reaches this end, and tells it what has arrived: only what was lost is sent again.
    private func hearsEverything(_ end: Int) -> Bool {
        plan.kind == .perfect
            || plan.kind == .steady && plan.faults[(end & 1) ^ 1].loss == 0 && !plan.flows[0].hasManyGaps
    }

    /// What is in flight, and how much goes at once. spec: frcp-profile-1 §11
    private func compareWindow(_ before: Transmitter, _ cost: UInt64, _ end: Int, _ departures: inout Departures) {
        guard plan.flows[end >> 1].controlsRate else { return }
        departures.cost += cost
        if before.flight > 0, before.flight + cost > before.rate.window {
            hosts[end].complain("\(before.flight) + \(cost) is in flight, the window is \(before.rate.window)")
        }
        guard before.roundTrip.isKnown else { return }
        let full = UInt64(before.payload) + 64
        let rate = 1.25 * Double(before.rate.window) / Double(max(before.roundTrip.smoothed, 1))
        let most = min(max(10 * full, UInt64(rate * 1e6)), 256 * full)
        if departures.cost > most + full { hosts[end].complain("\(departures.cost) goes at once, \(most) may") }
    }

    /// After each turn of an end.
    func inspect(_ end: Int, _ departures: Departures, mustAnswer: Bool) {
        let host = hosts[end]
        let machine = host.machine.profile1
        if departures.controls > 1 { host.complain("\(departures.controls) control packets go at once") }
        let isAlive = machine.failure == .none && machine.phase.rawValue <= FRCPEnd.Phase.resting.rawValue
        if mustAnswer, isAlive, departures.controls == 0 { host.complain("it does not answer at once") }
        compareTimers(end, isAlive)
        noteWindow(end, machine.transmitter)
        if machine.failure != witnesses[end].failure {
            witnesses[end].failure = machine.failure
            if !isAllowed(machine.cause, end) { host.complain("it failed for no reason: \(machine.cause), \(state)") }
        }
        let counters = machine.transmitter.counters
        if counters.timeouts > witnesses[end].timeouts {
            if witnesses[end].timeouts > 0, now < witnesses[end].timeoutAt + 50_000_000 {
                host.complain("timeouts follow each other too soon")
            }
            (witnesses[end].timeouts, witnesses[end].timeoutAt) = (counters.timeouts, now)
            // A process may be stopped when it waits for its next timer.
            if plan.hasAccidents, !isHealed, random.next() % 4 == 0 {
                stop(end, false, for: 60_000_000 + random.next() % 200_000_000)
            }
        }
        if machine.phase == .over, machine.failure == .none, machine.transmitter.isEndAcknowledged,
            let last = watches[end].packets.last, !last.isHere || watches[end].want < watches[end].packets.count
        {
            host.complain("it is over, and the peer has not everything")
        }
    }

    private func noteWindow(_ end: Int, _ sender: Transmitter) {
        let witness = witnesses[end]
        let changes = (sender.counters.reductions - witness.reductions, sender.counters.undone - witness.undone)
        // If several changes came at once, it is not known what the last one took.
        if sender.rules[.collapses] > witness.collapses || changes != (0, 0) { witnesses[end].windowBefore = 0 }
        if changes == (1, 0), sender.rules[.collapses] == witness.collapses {
            witnesses[end].windowBefore = witness.window
        }
        witnesses[end].reductions = sender.counters.reductions
        witnesses[end].undone = sender.counters.undone
        witnesses[end].collapses = sender.rules[.collapses]
        witnesses[end].window = sender.rate.window
    }

    private func compareTimers(_ end: Int, _ isAlive: Bool) {
        let (host, witness) = (hosts[end], witnesses[end])
        guard isAlive, host.machine.phase == .open || host.machine.phase == .closing else { return }
        if let owes = witness.owes, now > max(owes, stoppedUntil[end]) + FRCPWorld.delay + 1_000_000 {
            host.complain("it acknowledges after \((now - owes) / 1_000) us")
        }
        if let owes = witness.owesDuplicates, now > max(owes, stoppedUntil[end]) + 2_000_000 {
            host.complain("it does not tell of a duplicate")
        }
        let roundTrip = host.machine.profile1.transmitter.roundTrip
        let leastTimeout = min(max(50_000_000, roundTrip.smoothed) + FRCPWorld.delay, 60_000_000_000)
        if roundTrip.isKnown, roundTrip.timeout < leastTimeout {
            host.complain("RTO is \(roundTrip.timeout / 1_000) us")
        }
        if !host.machine.profile1.receiver.isReliable, !host.machine.profile1.receiver.hasEnded,
            let since = watches[end ^ 1].missingSince,
            now > max(since, stoppedUntil[end]) + 2 * FRCPWorld.gapPatience + 1_000_000
        {
            host.complain("it has waited for a packet for \((now - since) / 1_000) us")
        }
        let timeout = plan.flows[end >> 1].timeout
        guard timeout > 0, host.machine.phase == .open, !host.machine.profile1.receiver.hasEnded else { return }
        if now > witness.heard + timeout + 1_000_000 { host.complain("it does not notice that the peer is silent") }
        if now > max(witness.sent, stoppedUntil[end]) + timeout / 4 + 1_000_000 { host.complain("it is silent") }
    }

    /// Whether an end may fail for this reason.
    private func isAllowed(_ cause: FRCPEnd.Cause, _ end: Int) -> Bool {
        let (host, witness, flow) = (hosts[end], witnesses[end], plan.flows[end >> 1])
        let quiet = now - min(witness.heard, now)
        switch cause {
        case .none: return host.machine.failure == .none
        case .abortedByPeer: return hosts[end ^ 1].machine.failure == .down
        case .brokenMessages: return plan.kind == .rogue && end == 1 && host.machine.profile1.receiver.isReliable
        case .silence: return quiet >= (flow.timeout > 0 ? flow.timeout : 120_000_000_000)
        case .undelivered:
            let closed = now - host.closedAt
            return !host.plan.lingers && closed == 0 || min(quiet, closed) >= 5_000_000_000 || closed >= 120_000_000_000
        case .vainRepetition:
            let oldest = watches[end].heardUpTo
            guard watches[end].packets.indices.contains(oldest),
                min(quiet, now - min(host.closedAt, now)) < 30_000_000_000
            else { return false }
            let packet = watches[end].packets[oldest]
            return packet.transmissions > 5 && now - packet.firstSent >= 30_000_000_000
        }
    }
}
