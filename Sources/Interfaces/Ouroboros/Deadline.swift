// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// The moment until which a call waits at most, on a clock that does not jump when the date is set. One deadline can go
/// through all calls of a conversation. No call gives up before its deadline.
public struct Deadline: Hashable, Comparable, Sendable {
    let instant: Instant

    /// Waits without limit.
    public static let never = Deadline(instant: Instant(nanoseconds: .max))
    /// Looks once and does not wait.
    public static let now = Deadline(instant: Instant(nanoseconds: 0))

    /// This duration from now; a duration that is zero or negative is `now`.
    public static func after(_ duration: Duration) -> Deadline {
        let span = TimeSpan(duration)
        return span.nanoseconds == 0 ? now : Deadline(instant: Clock.now() + span)
    }

    /// Nothing waits for it any more.
    public var hasPassed: Bool { instant.nanoseconds == 0 || Clock.now() >= instant }

    /// By time.
    public static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }

    /// From now. `TimeSpan(nanoseconds: .max)` is without limit everywhere below.
    var left: TimeSpan {
        switch self {
        case .never: TimeSpan(nanoseconds: .max)
        case .now: .zero
        default: instant.since(Clock.now())
        }
    }
}

extension TimeSpan {
    static let zero = TimeSpan(nanoseconds: 0)

    /// Rounded up, so that nothing is early. Negative is zero, more than five centuries the longest there is.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        let (scaled, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isJustTooLong) = scaled.addingReportingOverflow((UInt64(attoseconds) + 999_999_999) / 1_000_000_000)
        self.init(nanoseconds: isTooLong || isJustTooLong ? .max - 1 : sum)
    }

    var duration: Duration { .nanoseconds(Int64(clamping: nanoseconds)) }
}
