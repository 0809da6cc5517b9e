// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The waits that have a deadline. Most end before it: what the queue keeps of those is swept out once it is more than
/// what is alive, so that memory follows the waits that there are.
struct Deadlines {
    private var queue = TimerQueue<ObjectIdentifier>()
    private var queued = 0
    private var alive: [ObjectIdentifier: (waiter: Waiter, instant: Instant)] = [:]

    /// The end of time if there is none.
    var next: Instant { queue.deadline ?? Deadline.never.instant }

    mutating func set(_ waiter: Waiter, at instant: Instant) {
        alive[ObjectIdentifier(waiter)] = (waiter, instant)
        insert(ObjectIdentifier(waiter), instant)
    }

    mutating func remove(_ waiter: Waiter) {
        alive[ObjectIdentifier(waiter)] = nil
        guard queued > 2 * alive.count + 64 else { return }
        queue = TimerQueue()
        queued = 0
        for (identifier, wait) in alive { insert(identifier, wait.instant) }
    }

    mutating func takeDue(_ now: Instant) -> [Waiter] {
        var due: [Waiter] = []
        while let identifier = queue.next(now: now) {
            queued -= 1
            // What is not alive has ended; what is alive but not due has the identifier of one that ended.
            guard let wait = alive[identifier], wait.instant <= now else { continue }
            alive[identifier] = nil
            due.append(wait.waiter)
        }
        return due
    }

    private mutating func insert(_ identifier: ObjectIdentifier, _ instant: Instant) {
        queue.set(identifier, at: instant)
        queued += 1
    }
}
