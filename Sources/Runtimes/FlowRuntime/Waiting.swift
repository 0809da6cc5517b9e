// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// Whether it pays to try for a while before a sleep, learnt from the waits before. Trying catches a peer that answers at
/// once; with a peer that lets us wait it only keeps the processor from it. So each wait that ended in a sleep halves
/// what the next one may try, each that did not gives it back, and now and then one tries in full, to find out whether
/// things have changed. On a crowded machine nobody yields at all (`Processor`).
struct Patience {
    private static let yields: UInt8 = 64
    private static let trialInterval: UInt8 = 16
    /// Zeroes are the state of a new flow: what was learnt to leave out.
    private var withheld: UInt8 = 0
    private var waits: UInt8 = 0
    private var crowd = Crowd()

    /// Yields for a wait that begins.
    mutating func begin() -> Int {
        guard crowd.allowsYields() else { return 0 }
        waits = (waits + 1) % Patience.trialInterval
        return Int(waits == 0 ? Patience.yields : Patience.yields - withheld)
    }

    /// Hardly any wait succeeds without a sleep.
    var isExhausted: Bool { withheld >= Patience.yields - 4 }
    /// Nothing is withheld.
    var isFull: Bool { withheld == 0 }

    mutating func metOthers() { crowd.wasMet() }
    mutating func slept() { withheld = Patience.yields - (Patience.yields - withheld) / 2 }
    mutating func succeeded() { withheld /= 2 }
}

/// How long a blocked call tries before it sleeps: a few pauses for a peer that runs on another processor, then yields
/// for one that shares ours. design: flow-memory §3
struct Wait {
    private static let pauses = 16
    /// Set when the wait begins.
    private var yields: Int?
    private var rounds = 0
    private var deadline: Instant?

    /// A flow that is closed under somebody who waits is down; one that was closed before is no flow.
    private(set) var hasBegun = false
    private var hasSlept = false

    enum Step {
        case again
        case sleep(until: Instant?)
        case expired
    }

    /// What to do next; pauses and yields have been done when it returns. Timeouts count from the first call, and the
    /// clock is read only if there is one.
    mutating func next(timeout: UInt64, _ patience: inout Patience) -> Step {
        let yields = yields ?? patience.begin()
        self.yields = yields
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
        guard rounds < (yields > 4 ? Wait.pauses : 0) + yields else {
            if !hasSlept { patience.slept() }
            rounds = 0
            hasSlept = true
            return .sleep(until: deadline)
        }
        rounds += 1
        if rounds <= Wait.pauses {
            cl_pause()
        } else if Processor.yieldMeetsOthers() {
            patience.metOthers()
            rounds = Int.max
        }
        return .again
    }
}

extension Wait {
    /// What was waited for is there.
    func end(_ patience: inout Patience) {
        if hasBegun, !hasSlept { patience.succeeded() }
    }
}

/// Where a thread sleeps: a word that the peer changes when there is something to look at, and the alarm of the end.
struct SleepingPlace {
    let word: UnsafeMutablePointer<UInt32>
    let expected: UInt32
    let alarm: UnsafeMutablePointer<UInt32>
    let quiet: UInt32
}

extension WakeUp {
    /// When a sleeper looks again that cannot be certain to be woken.
    static let doubtfulSleep = TimeSpan(nanoseconds: 10_000_000)

    static func limit(_ deadline: Instant?, isCertain: Bool) -> Instant? {
        guard !isCertain else { return deadline }
        let soon = Clock.now() + doubtfulSleep
        return deadline.map { min($0, soon) } ?? soon
    }
}

extension FlowPointer {
    /// The end with its read lock held; nil if the flow is not open.
    func lockReading() -> FlowEnd? {
        guard let end = pointee.end else { return nil }
        lockReader(of: end)
        if pointee.end == end { return end }
        cl_unlock(end.readLock)
        return nil
    }

    /// The end with its write lock held; nil if the flow is not open.
    func lockWriting() -> FlowEnd? {
        guard let end = pointee.end else { return nil }
        lockWriter(of: end)
        if pointee.end == end { return end }
        cl_unlock(end.writeLock)
        return nil
    }

    @inline(__always) func lockReader(of end: FlowEnd) {
        if cl_lock(end.readLock) { recoverReading(end) }
    }

    @inline(__always) func lockWriter(of end: FlowEnd) {
        if cl_lock(end.writeLock) { recoverWriting(end) }
    }

    /// Who had the lock has died, at any point of any call.
    @inline(never) private func recoverReading(_ end: FlowEnd) {
        guard pointee.end == end else { return }
        end.receiving.pointee.consumer.recover(pointee.arriving)
        cl_store64_relaxed(&end.receiving.pointee.read, end.receiving.pointee.consumer.read)
        WakeUp.everybody(on: peerWriterWait)
    }

    @inline(never) private func recoverWriting(_ end: FlowEnd) {
        guard pointee.end == end else { return }
        end.sending.pointee.producer.recover(pointee.departing)
        pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.anyReader(
                of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: link.socket)
        }
    }

    /// With a lock of the end held: from here to `leaveSleep` the flow's memory stays.
    func enterSleep() { _ = cl_add32(&pointee.sleepers, 1) }

    /// Sleeps, with no lock held, after `enterSleep`; not at all without a place. Returns when it is worth to look again.
    func sleep(on place: SleepingPlace?, until deadline: Instant?) throws(Failure) {
        var result: Int32 = 0
        if let place {
            let cleanup: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
                argument?.assumingMemoryBound(to: FlowEntry.self).leaveSleep()
            }
            if let deadline {
                var moment = timespec(deadline)
                result = cl_futex_sleep(
                    place.word, place.expected, place.alarm, place.quiet, &moment, cleanup, self)
            } else {
                result = cl_futex_sleep(place.word, place.expected, place.alarm, place.quiet, nil, cleanup, self)
            }
        }
        leaveSleep()
        // Expired: the caller looks once more and finds its deadline passed.
        if result == -EINTR { throw .interrupted }
    }

    func leaveSleep() {
        let left = cl_add32(&pointee.sleepers, UInt32.max) &- 1
        if left == FlowEntry.closing { FlowProcess.shared.locked { $0.tearDown(self) } }
    }

    /// The peer broke the rules of the shared memory.
    func condemn(_ end: FlowEnd) {
        let before = cl_or32(&end.settings.pointee.fate, Fate.violated)
        guard before & Fate.violated == 0 else { return }
        "Flow \(pointee.flow): the peer wrote impossible positions; the flow is down.".withCString(cl_guest_report)
    }
}
