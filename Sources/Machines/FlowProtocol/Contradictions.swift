// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What must always be true of an end. The simulation asks; a program does not.

extension Transmitter {
    /// What is wrong with the books; nil: nothing.
    package func contradiction(in table: borrowing MutableSpan<SentPacket>) -> String? {
        var cost: UInt64 = 0
        var counts = (flying: 0, lost: 0)
        for number in acknowledged..<max(next, acknowledged) {
            let packet = table[place(number, table)]
            switch packet.state {
            case .inFlight:
                cost += packet.cost
                counts.flying += 1
            case .lost: counts.lost += 1
            case .acknowledged: break
            case .unsent: return "packet \(number) of \(acknowledged)..<\(next) was not sent"
            }
        }
        if cost != flight { return "\(cost) is in flight, the books say \(flight)" }
        if length(of: flying, table) != counts.flying { return "the list of packets in flight is wrong" }
        if isReliable, length(of: lost, table) != counts.lost { return "the list of lost packets is wrong" }
        if next > max(edge, 0), endNumber != next - 1 { return "\(next) was sent beyond the edge \(edge)" }
        if costSent > limit + (endNumber >= 0 ? FlowCost.overhead : 0) { return "more was sent than there is room" }
        return nil
    }

    private func length(of list: SentList, _ table: borrowing MutableSpan<SentPacket>) -> Int {
        var count = 0
        var place = list.first
        while place != SentList.none, count <= table.count {
            count += 1
            place = table[Int(place)].following
        }
        return count
    }
}

extension Transmitter.Counters {
    package mutating func add(_ other: Transmitter.Counters) {
        sent += other.sent
        lost += other.lost
        repeated += other.repeated
        probes += other.probes
        timeouts += other.timeouts
        undone += other.undone
        reductions += other.reductions
        persists += other.persists
        reordered += other.reordered
        messages += other.messages
        spurious += other.spurious
    }
}

extension Receiver {
    /// What is wrong with the books; nil: nothing.
    package func contradiction(in table: borrowing MutableSpan<ArrivedPacket>) -> String? {
        var unread: UInt64 = 0
        var ahead: UInt64 = 0
        var whole = 0
        for number in read..<max(end, read) {
            let packet = table[place(number, table)]
            guard packet.state == .here else { continue }
            if number < want {
                unread += packet.cost
                if packet.flags == [] || packet.flags == .last { whole += 1 }
            } else if packet.flags != .end, !isDiscarding {
                ahead += packet.cost
            }
        }
        if isBroken { return nil }
        if unread != self.unread { return "\(unread) is unread, the books say \(self.unread)" }
        if ahead != self.ahead { return "\(ahead) is ahead, the books say \(self.ahead)" }
        if whole != messages { return "\(whole) messages can be read, the books say \(messages)" }
        if want < read || complete > want { return "read \(read), complete \(complete), want \(want)" }
        return nil
    }
}

extension Receiver.Counters {
    package mutating func add(_ other: Receiver.Counters) {
        accepted += other.accepted
        duplicates += other.duplicates
        beyondEdge += other.beyondEdge
        withoutMemory += other.withoutMemory
        passed += other.passed
        incomplete += other.incomplete
        acknowledgements += other.acknowledgements
        bytes += other.bytes
        readBytes += other.readBytes
    }
}

extension FRCPEnd {
    /// How often each rule was used.
    package var ruleCounts: RuleCounts {
        var counts = rules
        counts.add(transmitter.rules)
        counts.add(receiver.rules)
        return counts
    }
}

extension Transmitter {
    /// Which packet should have been counted as lost before now, or repeated; nil: none. To be asked after `expire` and
    /// `depart`.
    package func delay(now: UInt64, in table: borrowing MutableSpan<SentPacket>) -> String? {
        if timeoutDeadline(in: table).map({ now > $0 + 1_000_000 }) ?? false { return "the timeout is late" }
        if let persistDeadline, now > persistDeadline + 1_000_000 {
            return "the question after an exhausted limit is late"
        }
        guard let latest else { return nil }
        let span = min(reordering.factor * roundTrip.minimum(now: now) / 4, roundTrip.smoothed)
        var oldest: Int?
        for number in acknowledged..<max(next, acknowledged) {
            let packet = table[place(number, table)]
            guard packet.state == .inFlight else { continue }
            if let oldest, Int32(bitPattern: packet.order &- table[place(oldest, table)].order) > 0 { continue }
            oldest = number
        }
        guard let oldest else { return nil }
        let packet = table[place(oldest, table)]
        let patience = !reordering.wasSeen && oldest < highest.2 ? 0 : span
        guard Int32(bitPattern: latest.order &- packet.order) > 0,
            now > packet.sent + latest.age + patience + 1_000_000
        else { return nil }
        return "\(oldest) is lost and does not count as lost"
    }

    /// The window was reduced in the recovery that goes on.
    package var hasReduced: Bool { episode.hasReduced }
}

extension Profile0End {
    /// What is wrong with the books; nil: nothing.
    package func contradiction(
        in sentTable: borrowing MutableSpan<SentPacket>, _ arrivedTable: borrowing MutableSpan<ArrivedPacket>
    ) -> String? {
        var cost: UInt64 = 0
        for number in acknowledged..<max(next, acknowledged) { cost += sentTable[number & (sentTable.count - 1)].cost }
        if cost != flight { return "\(cost) is in flight, the books say \(flight)" }
        if next > admitted || acknowledged > next { return "sent \(next) of \(admitted), acknowledged \(acknowledged)" }
        if next > edge { return "\(next) was sent beyond the edge \(edge)" }
        if want < read || end < want { return "read \(read), want \(want), end \(end)" }
        for number in read..<end {
            let isHere = arrivedTable[number & (arrivedTable.count - 1)].state == .here
            if number < want && !isHere || number == want && isHere { return "\(number) is wrong before \(want)" }
        }
        return nil
    }
}

extension Profile0End.Counters {
    package mutating func add(_ other: Profile0End.Counters) {
        sent += other.sent
        repeated += other.repeated
        timeouts += other.timeouts
        questions += other.questions
        received += other.received
        duplicates += other.duplicates
        beyondEdge += other.beyondEdge
        passed += other.passed
        runs += other.runs
        acknowledgements += other.acknowledgements
        reductions += other.reductions
        bytes += other.bytes
        readBytes += other.readBytes
    }
}
