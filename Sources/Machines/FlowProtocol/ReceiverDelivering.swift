// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// From packets to messages, and from messages to the reader. spec: frcp-profile-1 §3, §8, §9
extension Receiver {
    /// The packet at `want` is here, or is not awaited any more.
    mutating func advance(in table: inout MutableSpan<ArrivedPacket>) {
        arrived: while want < end {
            let place = place(want, table)
            let packet = table[place]
            switch packet.state {
            case .awaited: break arrived
            case .passed: drop(want, in: &table)
            case .here:
                if packet.flags == .end {
                    endMessages(in: &table)
                    table[place].state = .passed
                } else if isDiscarding {
                    table[place].state = .passed
                } else {
                    ahead -= packet.cost
                    unread += packet.cost
                    counters.bytes += UInt64(packet.length)
                    compose(want, packet, in: &table)
                }
            }
            want += 1
        }
        if isDiscarding { clearPassed(in: &table) }
        forgetPassed(in: &table)
    }

    private mutating func clearPassed(in table: inout MutableSpan<ArrivedPacket>) {
        while read < want {
            table[place(read, table)] = ArrivedPacket()
            read += 1
        }
    }

    /// The peer's end has come, and all before it.
    package var hasEnded: Bool { endNumber >= 0 && want > endNumber }

    /// Puts a packet behind the message that is not whole yet.
    private mutating func compose(_ number: Int, _ packet: ArrivedPacket, in table: inout MutableSpan<ArrivedPacket>) {
        guard !isBroken else { return }
        let begins = packet.flags == [] || packet.flags == .first
        if begins, messageBytes >= 0 {
            // The message before lacks its end.
            guard !isReliable else { return isBroken = true }
            rules.note(.dropsBrokenMessage)
            dropIncomplete(upTo: number, in: &table)
        }
        if !begins, messageBytes < 0 {
            guard !isReliable else { return isBroken = true }
            rules.note(.dropsBrokenMessage)
            return dropOne(number, in: &table)
        }
        if begins { messageBytes = 0 }
        messageBytes += Int(packet.length)
        let ends = packet.flags == [] || packet.flags == .last
        guard messageBytes <= longestMessage, ends || packet.length >= FlowCost.shortestFragment else {
            guard !isReliable else { return isBroken = true }
            rules.note(.dropsBrokenMessage)
            return dropIncomplete(upTo: number + 1, in: &table)
        }
        guard ends else { return }
        messageBytes = -1
        messages += 1
        complete = number + 1
    }

    /// A message has lost a packet.
    private mutating func drop(_ number: Int, in table: inout MutableSpan<ArrivedPacket>) {
        guard messageBytes >= 0 else { return }
        rules.note(.dropsIncompleteMessage)
        dropIncomplete(upTo: number, in: &table)
    }

    private mutating func dropIncomplete(upTo number: Int, in table: inout MutableSpan<ArrivedPacket>) {
        for dropped in complete..<number { dropOne(dropped, in: &table) }
        messageBytes = -1
        counters.incomplete += 1
    }

    private mutating func dropOne(_ number: Int, in table: inout MutableSpan<ArrivedPacket>) {
        guard table[place(number, table)].state == .here else { return }
        unread -= table[place(number, table)].cost
        counters.bytes -= UInt64(table[place(number, table)].length)
        table[place(number, table)].state = .passed
    }

    /// No packet follows the end, so a message that is not whole now stays so.
    private mutating func endMessages(in table: inout MutableSpan<ArrivedPacket>) {
        guard messageBytes >= 0 else { return }
        if isReliable { isBroken = true } else { dropIncomplete(upTo: want, in: &table) }
    }

    /// What is missing before `number` is not awaited any more.
    mutating func skip(to number: Int, in table: inout MutableSpan<ArrivedPacket>) {
        while want < number {
            let place = place(want, table)
            if table[place].state == .awaited {
                table[place].state = .passed
                table[place].length = 0
                counters.passed += 1
            }
            end = max(end, want + 1)
            advance(in: &table)
        }
        advance(in: &table)
        makeDue(.tellsForPassedGap)
    }

    // Reading.

    /// A piece of the message that is read next.
    package struct Piece: Hashable, Sendable {
        /// The offset of the piece in the store.
        package let place: Int
        package let length: Int
        /// The message ends with this piece.
        package let isLast: Bool
        let number: Int
    }

    /// The first piece of the next message, or the one behind `previous`. Nil: no whole message is here.
    package func piece(
        after previous: Piece? = nil, capacity: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> Piece? {
        guard messages > 0 else { return nil }
        var number = previous.map { $0.number + 1 } ?? read
        while number < complete {
            let packet = table[place(number, table)]
            if packet.state == .here {
                return Piece(
                    place: Int(packet.position) * ArrivalLog.unit & (capacity - 1), length: Int(packet.length),
                    isLast: packet.flags == [] || packet.flags == .last, number: number)
            }
            number += 1
        }
        return nil
    }

    /// The message whose last piece this is was read: its room comes back.
    package mutating func finish(_ piece: Piece, in table: inout MutableSpan<ArrivedPacket>) {
        while read <= piece.number {
            let place = place(read, table)
            if table[place].state == .here {
                unread -= table[place].cost
                counters.readBytes += UInt64(table[place].length)
            }
            table[place] = ArrivedPacket()
            read += 1
        }
        messages -= 1
        forgetPassed(in: &table)
        if roomTold < bound / 4, room > bound / 2 { makeDue(.tellsForRoom) }
    }

    /// Places behind the last message, of which nothing is read.
    private mutating func forgetPassed(in table: inout MutableSpan<ArrivedPacket>) {
        while read < want, table[place(read, table)].state == .passed {
            table[place(read, table)] = ArrivedPacket()
            read += 1
        }
        complete = max(complete, read)
        if read == end { log.empty() }
    }

    /// The program lets go of the flow. Data that was not read is dropped, and its room is given back.
    package mutating func discard(in table: inout MutableSpan<ArrivedPacket>) {
        guard !isDiscarding else { return }
        isDiscarding = true
        for number in read..<max(want, read) { table[place(number, table)] = ArrivedPacket() }
        for number in want..<max(end, want) where table[place(number, table)].state == .here {
            table[place(number, table)].length = 0
        }
        read = want
        complete = want
        (messages, unread, ahead, messageBytes) = (0, 0, 0, -1)
        log.empty()
        if endNumber >= want { skip(to: endNumber + 1, in: &table) }
        makeDue(.tellsForClose)
    }
}
