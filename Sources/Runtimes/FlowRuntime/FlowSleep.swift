// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

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
    /// With a lock of the end held: from here to `leaveSleep` the flow's memory stays.
    func enterSleep() { _ = cl_add32(&pointee.sleepers, 1) }

    /// Sleeps, with no lock held, after `enterSleep`; not at all without a place. Returns when it is worth to look again.
    ///
    /// - Parameter leave: What the thread does behind its sleep, also when it is cancelled in it.
    func sleep(
        on place: SleepingPlace?, until deadline: Instant?,
        leave: @convention(c) (UnsafeMutableRawPointer?) -> Void = {
            $0?.assumingMemoryBound(to: OpenFlow.self).leaveSleep()
        }
    ) throws(Failure) {
        var result: Int32 = 0
        if let place {
            if let deadline {
                var moment = timespec(deadline)
                result = cl_futex_sleep(
                    place.word, place.expected, place.alarm, place.quiet, &moment, leave, self)
            } else {
                result = cl_futex_sleep(place.word, place.expected, place.alarm, place.quiet, nil, leave, self)
            }
        }
        leave(self)
        // Expired: the caller looks once more and finds its deadline passed.
        if result == -EINTR { throw .interrupted }
    }

    func leaveSleep() {
        let left = cl_add32(&pointee.sleepers, UInt32.max) &- 1
        if left == OpenFlow.closing { FlowProcess.shared.locked { $0.tearDown(self) } }
    }
}
