// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Timers of flows. One that is set for a flow that has gone comes up all the same, perhaps for another flow with the
/// same number: the flow's entry says whether it is still meant.
struct FlowTimers {
    /// Made for the first timer: what is made with the process is made when the library is loaded.
    private var queue: TimerQueue<Int32>?

    var deadline: Instant { queue?.deadline ?? Instant(nanoseconds: .max) }

    mutating func set(_ descriptor: Int32, at deadline: Instant) {
        if queue == nil { queue = TimerQueue() }
        queue?.set(descriptor, at: deadline)
    }

    mutating func next(now: Instant) -> Int32? { queue?.next(now: now) }
}
