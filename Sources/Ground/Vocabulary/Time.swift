// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// A moment on the monotonic clock of this host, in nanoseconds.
package struct Instant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at the end of time instead of overflowing.
    package static func + (instant: Instant, span: TimeSpan) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// How long ago `earlier` was; zero if it is later.
    package func since(_ earlier: Instant) -> TimeSpan {
        TimeSpan(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }
}

/// A length of time in nanoseconds; never negative.
package struct TimeSpan: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    package init(milliseconds: UInt64) { self.nanoseconds = milliseconds.multipliedReportingOverflow(by: 1_000_000).0 }
    package init(seconds: UInt64) { self.nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000).0 }

    /// Longer than anything waits.
    package static let unlimited = TimeSpan(nanoseconds: .max)

    /// Saturates.
    package static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return overflow ? .unlimited : TimeSpan(nanoseconds: sum)
    }

    package static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Instant {
    /// The one that comes first; nil is never.
    package static func earlier(_ first: Instant?, _ second: Instant?) -> Instant? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }
}
