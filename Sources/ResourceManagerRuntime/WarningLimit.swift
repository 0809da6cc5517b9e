// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Keeps those who annoy irmd from filling its log: so many warnings a second, then one line that says how many more
/// there were.
struct WarningLimit {
    /// Enough to see what is going on.
    private static let warningsPerSecond = 20

    private var second = Instant(nanoseconds: 0)
    private var count = 0

    enum Verdict {
        case write
        /// Write it, and first that so many were not.
        case writeAfter(suppressed: Int)
        case suppress
    }

    mutating func verdict(now: Instant) -> Verdict {
        if now.since(second) >= TimeSpan(seconds: 1) {
            let suppressed = count - WarningLimit.warningsPerSecond
            second = now
            count = 1
            return suppressed > 0 ? .writeAfter(suppressed: suppressed) : .write
        }
        count += 1
        return count <= WarningLimit.warningsPerSecond ? .write : .suppress
    }
}
