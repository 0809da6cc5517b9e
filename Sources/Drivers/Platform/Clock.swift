// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The only place that knows what time it is.
package enum Clock {
    /// Monotonic; does not jump when the date is set.
    package static func now() -> Instant { Instant(nanoseconds: cl_monotonic_nanoseconds()) }

    /// As this host believes: for what hosts tell each other.
    package static func wallTime() -> WallTime { WallTime(nanoseconds: cl_realtime_nanoseconds()) }
}

extension timespec {
    /// The same moment, as the kernel takes it.
    package init(_ instant: Instant) {
        self.init(
            tv_sec: Int(clamping: instant.nanoseconds / 1_000_000_000),
            tv_nsec: Int(instant.nanoseconds % 1_000_000_000))
    }
}

/// Unpredictable numbers from the kernel.
package enum Entropy {
    package static func word() throws(RefusedCall) -> UInt64 {
        var word: UInt64 = 0
        let result = cl_random(&word, MemoryLayout<UInt64>.size)
        guard result == 0 else { throw RefusedCall("getrandom", Failure(result: Int(result))) }
        return word
    }
}
