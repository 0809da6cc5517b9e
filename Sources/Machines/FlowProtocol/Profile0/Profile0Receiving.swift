// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What an end with profile 0 takes, and its timers. spec: frcp §7, §8, §9, §10
extension Profile0End {
    /// Whole messages that can be read: each is one packet.
    package var messages: Int { want - read }
    /// Nothing is here that is to be read, and nothing is missing.
    package var isEmpty: Bool { read >= end }
    /// Bytes that were stored ever.
    package var arrivedBytes: UInt64 { log.storedBytes }
    /// The first number that the peer may not send.
    var ownEdge: Int { read + Profile0End.window }

    /// A packet came. `length`: of what follows the header.
    ///
    /// - Parameter capacity: Of the store of what arrives, bytes; a power of two.
    package mutating func arrived(
        _ header: FRCPHeader, length: Int, capacity: Int, now: UInt64,
        _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        let flags = header.flags
        let hasData = flags.contains(.data)
        // Repetitions of 0.23 can be bytes of an application that look like a header.
        guard flags.isDisjoint(with: [.last, .middle, .end]), !(hasData && flags.contains(.rendezvous)),
            hasData == (length > 0), length <= UInt16.max
        else {
            dropped += 1
            rules.note(.dropsWrongForm)
            return .nothing
        }
        heard = now
        guard failure == .none else { return .nothing }
        if flags.contains(.rendezvous) {
            if base != nil { rules.note(.answersQuestion) }
            isDue = true
            return .nothing
        }
        if flags.contains(.acknowledges) { hearAcknowledgement(header, now: now, in: &sentTable) }
        if flags.contains(.credits) { hearEdge(header.edge, now: now) }
        let result = hasData ? accept(header, length, capacity, now: now, &arrivedTable) : .nothing
        advancePhase(now: now)
        return result
    }

    /// An empty packet came: the peer is there.
    package mutating func heardLife(now: UInt64) { heard = now }

    private mutating func accept(
        _ header: FRCPHeader, _ length: Int, _ capacity: Int, now: UInt64, _ table: inout MutableSpan<ArrivedPacket>
    ) -> Receiver.Arrival {
        if header.flags.contains(.run), beginsRun(header.sequence, now: now) {
            base = header.sequence + -want
            counters.runs += 1
        }
        guard let base else {
            dropped += 1
            rules.note(.dropsWithoutRun)
            return .nothing
        }
        guard !isDiscarding else {
            rules.note(.discardsAfterClose)
            // What the program took before is acknowledged again; nothing more is.
            isDue = true
            return .nothing
        }
        var number = want + (base + want).distance(to: header.sequence)
        guard number >= want else { return refuse(\.duplicates, .dropsDuplicate) }
        if !isReliable, number > want {
            // What was overtaken is not awaited.
            counters.passed += UInt64(number - want)
            rules.note(.passesGap)
            self.base = header.sequence + -want
            number = want
        }
        guard number < ownEdge else { return refuse(\.beyondEdge, .refusesBeyondEdge) }
        let place = number & (table.count - 1)
        guard table[place].state == .awaited else { return refuse(\.duplicates, .dropsDuplicate) }
        let stored = read..<max(end, read)
        guard let position = log.take(length, capacity: capacity, stored: stored, in: table) else {
            return refuse(\.beyondEdge, .refusesBeyondEdge)
        }
        if number > want { rules.note(.keepsAhead) }
        table[place] = ArrivedPacket(position: position, length: UInt16(length), flags: [], state: .here)
        counters.received += 1
        dataHeard = now
        end = max(end, number + 1)
        while want < end, table[want & (table.count - 1)].state == .here {
            counters.bytes += UInt64(table[want & (table.count - 1)].length)
            want += 1
        }
        noteArrival(now: now)
        return .store(at: Int(position) * ArrivalLog.unit & (capacity - 1))
    }

    private mutating func refuse(
        _ counter: WritableKeyPath<Counters, UInt64>, _ rule: Profile0Rule
    ) -> Receiver.Arrival {
        counters[keyPath: counter] += 1
        rules.note(rule)
        isDue = true
        return .nothing
    }

    /// A sender begins a run with its first data, and after a long silence; the number can then be any.
    private mutating func beginsRun(_ sequence: SequenceNumber, now: UInt64) -> Bool {
        guard let base else {
            rules.note(.beginsRun)
            return true
        }
        if now - min(dataHeard, now) > inactivity {
            rules.note(.beginsRunAfterSilence)
            return true
        }
        guard isReliable, end == want else { return false }
        let distance = (base + want).distance(to: sequence)
        guard distance < -2 * Profile0End.window || distance >= 2 * Profile0End.window else { return false }
        // A copy of an old packet, which many have overtaken, is no run. It left before the newest that is here.
        guard now - min(dataHeard, now) > 2 * settings.lifetime else {
            rules.note(.ignoresOldRun)
            return false
        }
        return true
    }

    /// Every packet is acknowledged at once: 0.23 repeats after 250 µs, and what it repeats can be wrong. spec: frcp §9
    private mutating func noteArrival(now: UInt64) {
        guard isReliable else {
            // Only the edge is told, and only when half of it is used.
            if toldEdge - want <= Profile0End.window / 2 { noteRoom() }
            return
        }
        isDue = true
    }

    /// The peer is told of room when what it knows of runs short.
    private mutating func noteRoom() {
        guard base != nil, !isDiscarding, ownEdge > toldEdge else { return }
        let left = toldEdge - end
        guard left <= 0 || left < Profile0End.window / 2 && ownEdge - toldEdge >= Profile0End.window / 8 else { return }
        if !isDue { rules.note(.tellsRoom) }
        isDue = true
    }

    // Reading.

    /// The next message, if one is here. A message is one piece.
    package func piece(
        after previous: Receiver.Piece?, capacity: Int, in table: borrowing MutableSpan<ArrivedPacket>
    ) -> Receiver.Piece? {
        guard previous == nil, read < want else { return nil }
        let packet = table[read & (table.count - 1)]
        return Receiver.Piece(
            place: Int(packet.position) * ArrivalLog.unit & (capacity - 1), length: Int(packet.length), isLast: true,
            number: read)
    }

    /// The program has read a message.
    package mutating func finish(_ piece: Receiver.Piece, _ table: inout MutableSpan<ArrivedPacket>) {
        while read <= piece.number, read < want {
            counters.readBytes += UInt64(table[read & (table.count - 1)].length)
            table[read & (table.count - 1)] = ArrivedPacket()
            read += 1
        }
        if read == end { log.empty() }
        noteRoom()
    }

    // Timers.

    /// When `expire` wants to be called; nil: not because of time.
    package mutating func deadline(_ table: inout MutableSpan<SentPacket>) -> UInt64? {
        guard phase != .over else { return nil }
        if phase == .resting { return phaseBegan + rest }
        var earliest = sendingDeadline(table)
        if let again = tellAgainAt { earliest = min(earliest, again) }
        if phase == .closing {
            earliest = min(earliest, heard + patience, phaseBegan + Profile0End.repetition)
        } else if settings.timeout > 0 {
            earliest = min(earliest, heard + settings.timeout)
        }
        if settings.timeout > 0 { earliest = min(earliest, sent + settings.timeout / 4) }
        return earliest == .max ? nil : earliest
    }

    /// A deadline may have come. What arrived was processed before.
    package mutating func expire(now: UInt64, _ table: inout MutableSpan<SentPacket>) {
        switch phase {
        case .over: return
        case .resting:
            if now >= phaseBegan + rest { enter(.over, now: now) }
            return
        case .open, .closing, .aborting: break
        }
        if let again = tellAgainAt, now >= again {
            toldAgain += 1
            rules.note(.tellsRoomAgain)
            isDue = true
        }
        expireSending(now: now, table)
        guard phase != .over else { return }
        if settings.timeout > 0, now >= sent + settings.timeout / 4 { mustShowLife = true }
        if phase == .closing {
            if now >= heard + patience || now >= phaseBegan + Profile0End.repetition {
                rules.note(now >= heard + patience ? .closingIsSilent : .closingIsTooLong)
                end(.down, .undelivered, now: now)
            }
        } else if settings.timeout > 0, now >= heard + settings.timeout {
            rules.note(.silentForTimeout)
            end(.silent, .silence, now: now)
        }
    }

    /// An update that opens a closed window is told again: it can be lost, and a 0.23 sender may never ask.
    private var tellAgainAt: UInt64? {
        guard base != nil, phase == .open, toldAgain < 10, toldAt > dataHeard, toldEdge > end else { return nil }
        return toldAt + min(Profile0End.questionInterval << UInt64(toldAgain), 5_000_000_000)
    }

    private var rest: UInt64 { settings.rest(roundTrip) }
    private var patience: UInt64 { FRCPEnd.Settings.patience(roundTrip) }
}
