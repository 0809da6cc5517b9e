// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

// What ends with profile 0 must do, judged by all that happens in the world. Both ends are ours: so everything that a
// reliable flow was given arrives once, in order and whole, whatever the link does, unless the end that wrote it has
// failed. spec: frcp §12
extension FRCPWorld {
    /// Gives an end with profile 0 a packet. True: the end must answer at once.
    func arriveProfile0(_ parcel: Parcel, at end: Int, arrival: UInt64) -> Bool {
        let host = hosts[end]
        let before = host.machine.profile0
        host.arrive(parcel.bytes, arrival: arrival, now: now)
        let after = host.machine.profile0
        witnesses[end].heard = now
        guard let header = FRCPHeader(parcel.bytes.span), before.failure == .none else { return false }
        if header.flags.contains(.rendezvous) { return profile0Watches[end ^ 1].hasRun }
        profile0Watches[end].hears(header, now: now)
        compareProfile0Writer(end, after)
        guard header.flags.contains(.data) else { return false }
        var reception = Profile0Watch.Reception()
        reception.received = Int(after.counters.received - before.counters.received)
        reception.duplicates = Int(after.counters.duplicates - before.counters.duplicates)
        reception.beyondEdge = Int(after.counters.beyondEdge - before.counters.beyondEdge)
        reception.dropped = Int(after.dropped - before.dropped)
        reception.passed = Int(after.counters.passed - before.counters.passed)
        return profile0Watches[end ^ 1].came(header, read: host.readMessages, reception, now: now)
    }

    private func compareProfile0Writer(_ end: Int, _ machine: Profile0End) {
        let watch = profile0Watches[end]
        if watch.isReliable, machine.acknowledged != watch.heardUpTo {
            hosts[end].complain("\(watch.heardUpTo) is acknowledged, not \(machine.acknowledged)")
        }
        if machine.edge != watch.heardEdge {
            hosts[end].complain("the edge is \(machine.edge), not \(watch.heardEdge)")
        }
    }

    /// The next packet of an end with profile 0.
    func departsProfile0(from end: Int, _ departures: inout Departures) -> [UInt8]? {
        let host = hosts[end]
        guard let packet = host.depart(now: now) else { return nil }
        departures.count += 1
        guard departures.count <= 20_000 else {
            host.complain("it does not stop to send")
            return nil
        }
        witnesses[end].sent = now
        guard let header = FRCPHeader(packet.span) else { return packet }
        guard !header.flags.contains(.rendezvous) else {
            profile0Watches[end].asked(now: now)
            return packet
        }
        profile0Watches[end ^ 1].carries(header, read: host.readMessages)
        if header.flags.contains(.data) {
            profile0Watches[end].sent(
                header, length: packet.count - FRCPHeader.bytes, mayRepeat: plan.kind != .profile0Clean, now: now)
        } else {
            departures.controls += 1
        }
        return packet
    }

    /// After each turn of an end with profile 0.
    func inspectProfile0(_ end: Int, _ departures: Departures, mustAnswer: Bool) {
        let host = hosts[end]
        let machine = host.machine.profile0
        if departures.controls > 1 { host.complain("\(departures.controls) control packets go at once") }
        let isAlive = machine.failure == .none && machine.phase != .over
        if mustAnswer, isAlive, departures.controls == 0 { host.complain("it does not answer at once") }
        profile0Watches[end].looked(
            mustWait: isAlive && machine.phase != .resting && machine.admitted > machine.next,
            timeouts: machine.counters.timeouts - witnesses[end].timeouts, now: now)
        witnesses[end].timeouts = machine.counters.timeouts
        if isAlive { compareProfile0Timers(end) }
        if machine.failure != witnesses[end].failure {
            witnesses[end].failure = machine.failure
            if !isProfile0Allowed(machine.cause, end) {
                host.complain("it failed for no reason: \(machine.cause), \(state)")
            }
        }
        if isAlive, machine.phase == .closing, !machine.isUnacknowledged {
            host.complain("it has nothing more to say, and does not come to its end")
        }
        let watch = profile0Watches[end]
        let hasArrived = watch.packets.count == host.written && (!watch.isReliable || watch.want == host.written)
        if machine.phase == .over, machine.failure == .none, !hasArrived {
            host.complain("it is over, and the peer has not everything")
        }
    }

    private func compareProfile0Timers(_ end: Int) {
        let (host, watch) = (hosts[end], profile0Watches[end])
        let machine = host.machine.profile0
        guard machine.phase == .open || machine.phase == .closing else { return }
        func isLate(_ due: UInt64) -> Bool { now > max(due, stoppedUntil[end]) + 1_000_000 }
        if let due = watch.repeatsUntil(timeout: machine.roundTrip.timeout), isLate(due) {
            host.complain("\(watch.heardUpTo) is not repeated, due \((now - due) / 1_000) us ago")
        }
        if let since = watch.exhaustedSince, isLate(max(since, watch.askedAt ?? 0) + Profile0Watch.interval) {
            host.complain("it does not ask for room")
        }
        if watch.repeatsUntil(timeout: 0) == nil, watch.exhaustedSince == nil, machine.admitted > machine.next {
            host.complain("nothing holds \(machine.next) back, and it does not go")
        }
        let (witness, timeout) = (witnesses[end], plan.flows[end >> 1].timeout)
        guard timeout > 0 else { return }
        if machine.phase == .open, isLate(witness.heard + timeout) {
            host.complain("it does not notice that the peer is silent")
        }
        if isLate(witness.sent + timeout / 4) { host.complain("it is silent") }
    }

    /// Whether an end with profile 0 may fail for this reason.
    private func isProfile0Allowed(_ cause: FRCPEnd.Cause, _ end: Int) -> Bool {
        let (host, watch) = (hosts[end], profile0Watches[end])
        let quiet = now - min(witnesses[end].heard, now)
        let timeout = plan.flows[end >> 1].timeout
        switch cause {
        case .silence:
            if timeout > 0, quiet >= timeout { return true }
            guard watch.isReliable, watch.packets.indices.contains(watch.heardUpTo) else { return false }
            return now - watch.packets[watch.heardUpTo].firstSent >= 120_000_000_000
        case .undelivered:
            let closed = now - host.closedAt
            return !host.plan.lingers && closed == 0 || min(quiet, closed) >= 5_000_000_000 || closed >= 120_000_000_000
        case .none, .abortedByPeer, .brokenMessages, .vainRepetition: return false
        }
    }

    /// When all have let go: has everything arrived?
    func profile0Verdict(_ end: Int) -> String? {
        let (reader, writer) = (hosts[end], hosts[end ^ 1])
        guard reader.machine.failure == .none, writer.machine.failure == .none, !writer.isDead else { return nil }
        guard !reader.plan.closesEarly, reader.isReliable || plan.kind == .profile0Clean else { return nil }
        return reader.readMessages == writer.written ? nil : "end \(end) has not read everything: \(state)"
    }
}
