// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import HeapModule

/// Deadlines with what is due at them. A cancelled or moved timer is left in the queue and recognised by its owner when
/// it comes up, which is cheaper than finding it here.
package struct TimerQueue<Due: Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let deadline: Instant
        /// Equal deadlines come up in the order in which they were set.
        let order: UInt64
        let due: Due

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.order) < (right.deadline, right.order)
        }
        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var entries = Heap<Entry>()
    private var nextOrder: UInt64 = 0
    /// When the next timer is due. Stored, because loops ask on the way of packets, and a heap whose elements its compiler
    /// does not know takes memory to say it.
    package private(set) var deadline: Instant?

    package init() {}

    package mutating func set(_ due: Due, at deadline: Instant) {
        self.deadline = min(deadline, self.deadline ?? deadline)
        entries.insert(Entry(deadline: deadline, order: nextOrder, due: due))
        nextOrder += 1
    }

    /// Removes and returns the earliest timer that is due.
    package mutating func next(now: Instant) -> Due? {
        guard let deadline, deadline <= now else { return nil }
        defer { self.deadline = entries.min?.deadline }
        return entries.popMin()?.due
    }
}
