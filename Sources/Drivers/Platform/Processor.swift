// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A run of yields of a thread that looks for something, yields, and looks again, without a sleep between them.
package struct Yielding: Sendable {
    /// A peer that only answers us keeps the processor for less: whoever keeps it longer has work of its own.
    private static var others: UInt64 { 500_000 }
    /// When the last yield ended; 0: there was none.
    private var last: UInt64 = 0

    package init() {}

    /// Lets other threads run. True if they kept the processor for long: then more threads want to run than there are
    /// processors. A thread that yields to them waits for a whole slice of theirs; a thread that sleeps is let in at once
    /// when it is woken.
    package mutating func meetsOthers() -> Bool {
        let before = last == 0 ? cl_monotonic_nanoseconds() : last
        sched_yield()
        last = cl_monotonic_nanoseconds()
        return last &- before > Yielding.others
    }
}

/// For how many waits from now on nobody yields, because others were met. Zero is the state of nobody met.
package struct Crowd: Sendable {
    private static let waits: UInt8 = 255
    private var left: UInt8 = 0

    package init() {}

    /// A wait begins: whether it may yield.
    package mutating func allowsYields() -> Bool {
        guard left > 0 else { return true }
        left -= 1
        return false
    }

    package mutating func wasMet() { left = Crowd.waits }
}
