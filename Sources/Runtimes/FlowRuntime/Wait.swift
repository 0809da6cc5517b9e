// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Whether it pays to try for a while before a sleep, learnt from the waits before. Trying catches a peer that answers at
/// once; with a peer that lets us wait it only keeps the processor from it. So each wait that ended in a sleep halves
/// what the next one may try, each that did not gives it back, and now and then one tries in full, to find out whether
/// things have changed. On a crowded machine nobody yields at all (`Yielding`). A peer on the same processor cannot answer
/// during a pause: after some waits in a row that ended with a yield, the next ones yield at once.
struct Patience {
    private static let yields: UInt8 = 64
    private static let pauses: UInt8 = 16
    private static let trialInterval: UInt8 = 16
    /// So many waits in a row that ended with a yield say that the peer is on this processor.
    private static let neighbours: UInt8 = 4
    /// Zeroes are the state of a new flow: what was learnt to leave out.
    private var withheld: UInt8 = 0
    private var yielded: UInt8 = 0
    private var waits: UInt8 = 0
    private var crowd = Crowd()

    /// What a wait that begins may try: pauses first, yields then.
    mutating func begin() -> (pauses: Int, yields: Int) {
        guard crowd.allowsYields() else { return (0, 0) }
        waits = (waits + 1) % Patience.trialInterval
        guard waits > 0 else { return (Int(Patience.pauses), Int(Patience.yields)) }
        guard !isExhausted else { return (Int(Patience.yields - withheld), 0) }
        return (yielded < Patience.neighbours ? Int(Patience.pauses) : 0, Int(Patience.yields - withheld))
    }

    /// Hardly any wait succeeds without a sleep.
    var isExhausted: Bool { withheld >= Patience.yields - 4 }
    /// Nothing is withheld.
    var isFull: Bool { withheld == 0 }

    mutating func metOthers() { crowd.wasMet() }
    mutating func slept() { withheld = Patience.yields - (Patience.yields - withheld) / 2 }

    /// A wait ended without a sleep; `hasYielded`: during or after a yield.
    mutating func succeeded(hasYielded: Bool) {
        withheld /= 2
        yielded = hasYielded ? min(yielded + 1, Patience.neighbours) : 0
    }
}

/// How long a blocked call tries before it sleeps: a few pauses for a peer that runs on another processor, then yields
/// for one that shares ours. design: flow-memory §3
struct Wait {
    /// Set when the wait begins.
    private var tries: (pauses: Int, yields: Int)?
    private var rounds = 0
    private var yielding = Yielding()
    private var deadline: Instant?

    /// A flow that is closed under somebody who waits is down; one that was closed before is no flow.
    private(set) var hasBegun = false
    private var hasSlept = false

    /// Set when the wait begins.
    private var expectsAnswer: Bool?

    /// Whether this end has written since its wait before, so that what it waits for is likely an answer: a single
    /// message, and soon. `written` is what it has written.
    mutating func isForAnswer(_ written: UInt64, _ writtenBefore: inout UInt64) -> Bool {
        if let expectsAnswer { return expectsAnswer }
        let isForAnswer = written != writtenBefore
        writtenBefore = written
        expectsAnswer = isForAnswer
        return isForAnswer
    }

    enum Step {
        case again
        case sleep(until: Instant?)
        case expired
    }

    /// What to do next; pauses and yields have been done when it returns. Timeouts count from the first call, and the
    /// clock is read only if there is one.
    mutating func next(timeout: UInt64, _ patience: inout Patience) -> Step {
        let tries = tries ?? patience.begin()
        self.tries = tries
        hasBegun = true
        if timeout != FlowSettings.noTimeout {
            if timeout == 0 { return .expired }
            let now = Clock.now()
            if let deadline {
                if now >= deadline { return .expired }
            } else {
                deadline = now + TimeSpan(nanoseconds: timeout)
            }
        }
        guard rounds < tries.pauses + tries.yields else {
            if !hasSlept { patience.slept() }
            rounds = 0
            yielding = Yielding()
            hasSlept = true
            return .sleep(until: deadline)
        }
        rounds += 1
        if rounds <= tries.pauses {
            cl_pause()
        } else if yielding.meetsOthers() {
            patience.metOthers()
            rounds = Int.max
        }
        return .again
    }
}

extension Wait {
    /// What was waited for is there.
    func end(_ patience: inout Patience) {
        if let tries, !hasSlept { patience.succeeded(hasYielded: rounds > tries.pauses) }
    }
}
