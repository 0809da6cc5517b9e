// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import HeapModule

/// Gives out the lowest number that nobody has, from `first` to below `limit`.
package struct LowestFree: Sendable {
    /// Lower than `fresh`, and free.
    private var returned = Heap<UInt32>()
    private var fresh: UInt32
    private let limit: UInt32

    package init(from first: UInt32, below limit: UInt32) {
        fresh = first
        self.limit = limit
    }

    /// Nil if all are taken.
    package mutating func take() -> UInt32? {
        if let number = returned.popMin() { return number }
        guard fresh < limit else { return nil }
        defer { fresh += 1 }
        return fresh
    }

    /// Gives back a number that `take` gave, once.
    package mutating func giveBack(_ number: UInt32) {
        precondition(number < fresh, "number \(number) was never taken")
        returned.insert(number)
    }
}
