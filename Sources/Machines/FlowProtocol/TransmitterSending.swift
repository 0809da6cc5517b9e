// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Which packet goes next. spec: frcp-profile-1 §3, §5, §11
extension Transmitter {
    /// What is sent: the number of a packet, and the flags of its header that the transmitter knows.
    package struct Departure: Hashable, Sendable {
        package let number: Int
        package let position: UInt64
        package let length: Int
        package let flags: FRCPHeader.Flags
    }

    /// Takes the packet that may be sent now; nil if none may.
    mutating func depart(now: UInt64, in table: inout MutableSpan<SentPacket>) -> Departure? {
        if probe >= acknowledged, probe < next || probe < admitted {
            let number = probe
            probe = -1
            if number < next, table[place(number, table)].state == .acknowledged { return nil }
            if number >= next, !isAllowed(next, in: table) { return nil }
            counters.probes += 1
            if number < next { reordering.unseenProbes += 1 }
            return send(number, asks: true, now: now, in: &table)
        }
        probe = -1
        if !lost.isEmpty {
            let number = self.number(at: Int(lost.first), in: table)
            guard hasWindow(table[Int(lost.first)].cost, now: now) else { return nil }
            return send(number, asks: false, now: now, in: &table)
        }
        guard next < admitted else { return nil }
        let packet = table[place(next, table)]
        guard packet.flags != .end else { return send(next, asks: true, now: now, in: &table) }
        guard isAllowed(next, in: table) else {
            if exhaustedSince == 0 {
                exhaustedSince = max(now, 1)
                rules.note(next >= edge ? .edgeHoldsBack : .limitHoldsBack)
            }
            return nil
        }
        exhaustedSince = 0
        persists = 0
        guard hasWindow(packet.cost, now: now) else { return nil }
        return send(next, asks: false, now: now, in: &table)
    }

    /// The number of the packet that stands at a place of the table.
    func number(at place: Int, in table: borrowing MutableSpan<SentPacket>) -> Int {
        acknowledged + (place - acknowledged) & (table.count - 1)
    }

    private func isAllowed(_ number: Int, in table: borrowing MutableSpan<SentPacket>) -> Bool {
        let packet = table[place(number, table)]
        return packet.flags == .end || number < edge && costSent + packet.cost <= limit
    }

    private mutating func hasWindow(_ cost: UInt64, now: UInt64) -> Bool {
        guard controlsRate else { return true }
        guard flight == 0 || flight + cost <= rate.window else {
            rules.note(.windowHoldsBack)
            return false
        }
        let isInTime = pace.take(cost, window: rate.window, payload: payload, roundTrip: roundTrip, now: now)
        if !isInTime { rules.note(.paceHoldsBack) }
        return isInTime
    }

    private mutating func send(
        _ number: Int, asks: Bool, now: UInt64, in table: inout MutableSpan<SentPacket>
    ) -> Departure {
        let place = place(number, table)
        var packet = table[place]
        if flight == 0, flying.isEmpty { leaveIdleness(now: now) }
        switch packet.state {
        case .inFlight: flying.remove(UInt16(place), in: &table)
        case .lost:
            lost.remove(UInt16(place), in: &table)
            flight += packet.cost
        case .unsent:
            flight += packet.cost
            costSent += packet.cost
            next += 1
        case .acknowledged: break
        }
        let isRepeated = packet.transmissions > 0
        if isRepeated {
            let since = (now - packet.sent) / 1_000 + UInt64(packet.sinceFirst)
            packet.sinceFirst = UInt32(clamping: since)
            counters.repeated += 1
            if episode.end >= 0 { episode.repeats += 1 }
        }
        packet.sent = now
        packet.order = orders
        packet.state = .inFlight
        packet.countTransmission()
        orders &+= 1
        table[place] = packet
        flying.append(UInt16(place), in: &table)
        lastSent = now
        counters.sent += 1
        var flags: FRCPHeader.Flags = [.data, .acknowledges, .credits, packet.flags]
        if isRepeated { flags.insert(.repeated) }
        if packet.flags == .end { rules.note(isRepeated ? .endRepeated : .endSent) }
        if let reason = question(packet, isFirst: number == 0 && !isRepeated, asks: asks, now: now) {
            flags.insert(.rendezvous)
            rules.note(reason)
            asked()
        } else {
            costSinceQuestion += packet.cost
            packetsSinceQuestion += 1
        }
        return Departure(number: number, position: packet.position, length: Int(packet.length), flags: flags)
    }

    /// Something goes, and nothing is in flight.
    private mutating func leaveIdleness(now: UInt64) {
        // A flow that was idle for a timeout begins with the first window.
        if lastSent > 0, now - lastSent > roundTrip.timeout {
            rules.note(.restarts)
            rate.restart()
        }
        news = now
    }

    /// Why the peer shall answer this packet at once; nil: it need not.
    private func question(_ packet: SentPacket, isFirst: Bool, asks: Bool, now: UInt64) -> Rule? {
        if packet.flags == .end { return .asksWithEnd }
        if isFirst { return .asksFirst }
        if asks { return .asksWithProbe }
        if packetsSinceQuestion >= 2, costSinceQuestion >= rate.window / 8 { return .asksAfterShare }
        let full = UInt64(payload) + FlowCost.overhead
        if controlsRate, flight + full > rate.window { return .asksAtWindow }
        if next >= edge { return .asksAtEdge }
        if costSent + full > limit { return .asksAtLimit }
        return now - min(roundTrip.lastSample, now) > 1_000_000_000 ? .asksAfterLongTime : nil
    }

    /// A packet that asks for an answer was sent.
    mutating func asked() {
        costSinceQuestion = 0
        packetsSinceQuestion = 0
    }
}

extension Pace {
    /// Whether a packet of this cost may go now.
    mutating func take(_ cost: UInt64, window: UInt64, payload: Int, roundTrip: RoundTrip, now: UInt64) -> Bool {
        guard roundTrip.isKnown else { return true }
        let full = UInt64(payload) + FlowCost.overhead
        let perMillisecond = rate(window, roundTrip) * 1_000_000
        let most = min(max(10 * full, UInt64(perMillisecond)), 256 * full)
        let elapsed = now - min(filled, now)
        budget = min(most, budget + UInt64(min(rate(window, roundTrip) * Double(elapsed), Double(most))))
        filled = now
        guard budget >= cost else { return false }
        budget -= cost
        return true
    }

    /// Cost for each nanosecond.
    private func rate(_ window: UInt64, _ roundTrip: RoundTrip) -> Double {
        1.25 * Double(window) / Double(max(roundTrip.smoothed, 1))
    }

    /// When a packet of this cost may go.
    func moment(_ cost: UInt64, window: UInt64, roundTrip: RoundTrip) -> UInt64 {
        guard roundTrip.isKnown, budget < cost else { return filled }
        return filled + UInt64(Double(cost - budget) / max(rate(window, roundTrip), 1e-9)) + 1
    }
}
