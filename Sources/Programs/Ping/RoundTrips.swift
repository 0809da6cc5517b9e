// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Round-trip times as they come in: mean and deviation exact, percentiles to within one percent, in fixed memory,
/// however many there are.
package struct RoundTrips: Hashable, Sendable {
    package private(set) var count: UInt64 = 0
    package private(set) var minimum = TimeSpan(nanoseconds: .max)
    package private(set) var maximum = TimeSpan(nanoseconds: 0)
    /// In nanoseconds. Welford's method: no sum of squares that loses digits.
    private var mean = 0.0
    private var squares = 0.0
    /// 128 steps for each power of two.
    private var steps = [UInt64](repeating: 0, count: 58 * 128)

    package init() {}

    package mutating func add(_ span: TimeSpan) {
        count += 1
        minimum = min(minimum, span)
        maximum = max(maximum, span)
        let value = Double(span.nanoseconds)
        let difference = value - mean
        mean += difference / Double(count)
        squares += difference * (value - mean)
        steps[RoundTrips.step(of: span.nanoseconds)] += 1
    }

    package var averageMilliseconds: Double { mean / 1_000_000 }

    /// The deviation of a sample: of a single value it is no number.
    package var deviationMilliseconds: Double {
        count < 2 ? .nan : (squares / Double(count - 1)).squareRoot() / 1_000_000
    }

    /// The time that `share` of all were not longer than; `share` is between 0 and 1. Nil without any.
    package func percentile(_ share: Double) -> TimeSpan? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((share * Double(count)).rounded(.up)))
        // The extremes are known exactly.
        if rank >= count { return maximum }
        if rank == 1 { return minimum }
        var seen: UInt64 = 0
        for (index, number) in steps.enumerated() where number > 0 {
            seen += number
            guard seen >= rank else { continue }
            return max(minimum, min(maximum, TimeSpan(nanoseconds: RoundTrips.middle(of: index))))
        }
        return maximum
    }

    /// Below 128 every value has its own step, above it those that share their first eight bits.
    private static func step(of value: UInt64) -> Int {
        guard value >= 128 else { return Int(value) }
        let shift = 56 - value.leadingZeroBitCount
        return shift * 128 + Int(value >> UInt64(shift))
    }

    private static func middle(of step: Int) -> UInt64 {
        guard step >= 256 else { return UInt64(step) }
        let shift = UInt64(step / 128 - 1)
        let first = UInt64(step % 128 + 128) << shift
        return first + (1 << shift) / 2
    }
}
