// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Ends of flows that were said and will be said again, because nobody answers them and packets are lost.
struct Goodbyes: Sendable {
    struct Goodbye: Sendable {
        let message: [UInt8]
        let peer: DatagramAddress
        /// How often it was sent.
        fileprivate var count = 1
        fileprivate var interval = Limits.goodbyeInterval

        init(_ message: [UInt8], to peer: DatagramAddress) {
            self.message = message
            self.peer = peer
        }
    }

    private var timers = TimerQueue<Goodbye>()

    var count: Int { timers.count }
    /// When `next` wants to be called.
    var deadline: Instant? { timers.deadline }

    /// It was sent now. Not again if there are too many.
    mutating func sent(_ goodbye: Goodbye, now: Instant) {
        guard goodbye.count < Limits.goodbyes, timers.count < Limits.repeatedGoodbyes else { return }
        timers.set(goodbye, at: now + goodbye.interval)
    }

    /// One that is to be sent now.
    mutating func next(now: Instant) -> Goodbye? {
        guard var goodbye = timers.next(now: now) else { return nil }
        goodbye.count += 1
        goodbye.interval = TimeSpan(nanoseconds: goodbye.interval.nanoseconds * 2)
        return goodbye
    }
}
