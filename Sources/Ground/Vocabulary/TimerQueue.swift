// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import HeapModule

/// Deadlines with what is due at them. A cancelled timer stays in the heap until it comes to the top, or until half of the
/// heap is cancelled timers, which are thrown out together then: so the queue needs memory for the timers that are set,
/// and each operation costs O(log n), spread over the operations.
package struct TimerQueue<Due: Sendable>: Sendable {
    /// One call of `set`; never given out twice.
    package struct Timer: Hashable, Sendable {
        fileprivate let order: UInt64
    }

    private var entries = Heap<TimerEntry>()
    private var dues: [UInt64: Due] = [:]
    private var nextOrder: UInt64 = 0
    /// When the next timer is due. Stored, because loops ask on the way of packets, and a heap whose elements its compiler
    /// does not know takes memory to say it.
    package private(set) var deadline: Instant?

    package init() {}

    /// Timers that are set.
    package var count: Int { dues.count }
    /// Places of the heap; for tests.
    package var places: Int { entries.count }

    @discardableResult
    package mutating func set(_ due: Due, at deadline: Instant) -> Timer {
        self.deadline = min(deadline, self.deadline ?? deadline)
        let timer = Timer(order: nextOrder)
        entries.insert(TimerEntry(deadline: deadline, order: nextOrder))
        dues[nextOrder] = due
        nextOrder += 1
        return timer
    }

    /// Nothing if the timer came up or was cancelled before.
    package mutating func cancel(_ timer: Timer) {
        guard dues.removeValue(forKey: timer.order) != nil else { return }
        if entries.count > 64, entries.count > dues.count * 2 {
            entries = Heap(entries.unordered.filter { dues[$0.order] != nil })
        }
        settle()
    }

    /// Removes and returns the earliest timer that is due.
    package mutating func next(now: Instant) -> Due? {
        guard let deadline, deadline <= now, let entry = entries.popMin() else { return nil }
        defer { settle() }
        return dues.removeValue(forKey: entry.order)
    }

    /// The earliest entry is one that is set.
    private mutating func settle() {
        while let first = entries.min, dues[first.order] == nil { _ = entries.popMin() }
        deadline = entries.min?.deadline
    }
}

/// Outside the queue, so that the heap is compiled for it.
private struct TimerEntry: Comparable, Sendable {
    let deadline: Instant
    /// Equal deadlines come up in the order in which they were set.
    let order: UInt64

    static func < (left: TimerEntry, right: TimerEntry) -> Bool {
        left.deadline == right.deadline ? left.order < right.order : left.deadline < right.deadline
    }
}
