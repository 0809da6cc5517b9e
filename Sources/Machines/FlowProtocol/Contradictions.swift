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
        duplicates += other.duplicates
        beyondEdge += other.beyondEdge
        withoutMemory += other.withoutMemory
        passed += other.passed
        incomplete += other.incomplete
        acknowledgements += other.acknowledgements
    }
}
