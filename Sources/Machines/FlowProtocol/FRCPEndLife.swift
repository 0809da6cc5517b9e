// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// How an end of a flow ends, and the timers of both halves. spec: frcp-profile-1 §9, §10
extension FRCPEnd {
    /// The program lets go of the flow.
    ///
    /// - Parameter lingers: What it wrote is repeated until the peer has it; else what is unacknowledged is lost.
    package mutating func close(
        lingers: Bool, now: UInt64, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        guard phase == .open else {
            receiver.discard(in: &arrivedTable)
            return
        }
        receiver.discard(in: &arrivedTable)
        guard failure == .none, !receiver.hasEnded else { return enter(.resting, now: now) }
        if !lingers, transmitter.isUnacknowledged {
            rules.note(.closesWithoutLingering)
            return abort(.undelivered, now: now)
        }
        heard = max(heard, now)
        enter(.closing, now: now)
    }

    /// Ends the flow at once, and tells the peer.
    package mutating func abort(_ cause: Cause, now: UInt64) {
        guard phase == .open || phase == .closing else { return }
        aborts = Aborts(isDue: true, count: 0, last: now)
        end(.down, cause, .aborting, now: now)
    }

    mutating func end(_ failure: FlowFailure, _ cause: Cause, _ phase: Phase, now: UInt64) {
        if self.failure == .none {
            self.failure = failure
            self.cause = cause
        }
        enter(phase, now: now)
    }

    private mutating func enter(_ phase: Phase, now: UInt64) {
        guard phase.rawValue > self.phase.rawValue else { return }
        self.phase = phase
        phaseBegan = now
    }

    /// The program may write.
    package var canWrite: Bool { phase == .open && failure == .none && !receiver.hasEnded }
    /// Nothing more will come for the program to read.
    package var hasEnded: Bool { failure != .none || receiver.hasEnded }

    mutating func advancePhase(now: UInt64) {
        guard phase == .closing else { return }
        // Whose end is acknowledged owes nothing more.
        if transmitter.isEndAcknowledged {
            rules.note(.endAcknowledged)
            enter(.over, now: now)
        } else if receiver.hasEnded {
            enter(.resting, now: now)
        }
    }

    /// When `expire` wants to be called; nil: not because of time.
    package mutating func deadline(_ sentTable: inout MutableSpan<SentPacket>) -> UInt64? {
        switch phase {
        case .over: return nil
        case .resting:
            // A flow that has failed tells nothing any more.
            return failure == .none ? min(phaseBegan + rest, receiver.deadline ?? .max) : phaseBegan + rest
        case .aborting: return aborts.last + transmitter.roundTrip.timeout
        case .open, .closing: break
        }
        var earliest = min(
            receiver.deadline ?? .max, receiver.hasEnded ? .max : transmitter.deadline(in: sentTable) ?? .max)
        if phase == .closing {
            earliest = min(earliest, heard + patience, phaseBegan + FRCPEnd.repetition)
        }
        guard !receiver.hasEnded, failure == .none else { return earliest == .max ? nil : earliest }
        if settings.timeout > 0 {
            earliest = min(earliest, sent + settings.timeout / 4, heard + settings.timeout)
            earliest = min(earliest, max(heard + settings.timeout / 2, questionedAt + settings.timeout / 16))
        } else if transmitter.isUnacknowledged {
            earliest = min(earliest, max(heard, transmitter.news) + FRCPEnd.repetition)
        }
        return earliest == .max ? nil : earliest
    }

    /// A deadline may have come. What arrived was processed before.
    package mutating func expire(
        now: UInt64, _ sentTable: inout MutableSpan<SentPacket>, _ arrivedTable: inout MutableSpan<ArrivedPacket>
    ) {
        switch phase {
        case .over: return
        case .aborting: return expireAbort(now: now)
        case .resting where now >= phaseBegan + rest: return enter(.over, now: now)
        case .open, .closing, .resting: break
        }
        receiver.expire(now: now, in: &arrivedTable)
        guard phase != .resting else { return }
        if failure == .none, !receiver.hasEnded {
            transmitter.expire(now: now, in: &sentTable)
            expireLiveness(now: now, sentTable)
        }
        if phase == .closing, now >= heard + patience || now >= phaseBegan + FRCPEnd.repetition {
            rules.note(now >= heard + patience ? .closingIsSilent : .closingIsTooLong)
            abort(.undelivered, now: now)
        }
        advancePhase(now: now)
    }

    private var rest: UInt64 { settings.rest(transmitter.roundTrip) }
    private var patience: UInt64 { Settings.patience(transmitter.roundTrip) }

    private mutating func expireAbort(now: UInt64) {
        guard now >= aborts.last + transmitter.roundTrip.timeout else { return }
        if aborts.count >= 3 { enter(.resting, now: now) } else { aborts.isDue = true }
    }

    private mutating func expireLiveness(now: UInt64, _ sentTable: borrowing MutableSpan<SentPacket>) {
        let isVain = transmitter.repeating(now: now, in: sentTable) >= FRCPEnd.vainRepetition
        if isVain, now - min(heard, now) < FRCPEnd.vainRepetition {
            rules.note(.repeatsInVain)
            return abort(.vainRepetition, now: now)
        }
        guard settings.timeout > 0 else {
            let quiet = now - min(max(heard, transmitter.news), now)
            if transmitter.isUnacknowledged, now - min(heard, now) >= FRCPEnd.repetition,
                quiet >= FRCPEnd.repetition || isVain
            {
                rules.note(.silentForRepetition)
                end(.down, .silence, .resting, now: now)
            }
            return
        }
        let quiet = now - min(heard, now)
        if quiet >= settings.timeout {
            rules.note(.silentForTimeout)
            return end(.silent, .silence, .resting, now: now)
        }
        if quiet >= settings.timeout / 2, now >= questionedAt + settings.timeout / 16 {
            questionedAt = now
            rules.note(.asksForSilence)
            transmitter.mustAsk = true
        } else if now >= sent + settings.timeout / 4 {
            receiver.makeDue(.silenceIsBroken)
        }
    }
}

extension FRCPEnd.Settings {
    /// How long an end that has sent its last waits for repetitions of the peer, to acknowledge them again. A peer that asks
    /// later gets no answer, and gives up after a while: what it had to say has arrived.
    func rest(_ roundTrip: RoundTrip) -> UInt64 { min(max(2 * lifetime, 1), 3 * roundTrip.timeout) }

    /// How long an end that closes waits without hearing anything: not less than a few repetitions take.
    static func patience(_ roundTrip: RoundTrip) -> UInt64 { max(FRCPEnd.lingering, 3 * roundTrip.timeout) }
}
