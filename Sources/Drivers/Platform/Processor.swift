// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The processor that a thread runs on, for those who try for a while before they sleep.
package enum Processor {
    /// So long nobody runs who only answers us: others have work of their own.
    private static var others: UInt64 { 500_000 }

    /// Lets other threads run. True if they kept the processor for long: more want to run than there are processors, and
    /// who yields to them waits for a whole slice of theirs, while who sleeps is let in at once when he is woken.
    package static func yieldMeetsOthers() -> Bool {
        let before = cl_monotonic_nanoseconds()
        sched_yield()
        return cl_monotonic_nanoseconds() &- before > others
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
