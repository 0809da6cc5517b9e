// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Keeps a log from being filled by those who can cause lines of it: each of them has a number of lines, which comes back
/// with time, and what is beyond that is counted and said later. One cannot use up what another has.
package struct LineLimit<Source: Hashable & Sendable>: Sendable {
    package enum Verdict: Hashable, Sendable {
        case write
        /// Write it, and first that so many were not.
        case writeAfter(suppressed: Int)
        case suppress
    }

    private struct Allowance {
        var lines: UInt64
        var since: Instant
        var suppressed = 0
    }

    /// At once, and a second.
    private let most: UInt64
    private let perSecond: UInt64
    private var allowances: [Source: Allowance] = [:]
    /// When to look again for quiet sources: a look is long, and each line of a new source could ask for one.
    private var nextLook = Instant(nanoseconds: 0)

    package init(most: Int = Limits.logLinesAtOnce, perSecond: Int = Limits.logLinesPerSecond) {
        self.most = UInt64(most)
        self.perSecond = UInt64(perSecond)
    }

    package mutating func verdict(for source: Source, now: Instant) -> Verdict {
        if allowances[source] == nil, allowances.count >= Limits.logSources { forgetQuiet(now) }
        // So many at a time that nobody reads their lines: they have to wait until others are quiet.
        guard allowances[source] != nil || allowances.count < Limits.logSources else { return .suppress }
        var allowance = allowances[source] ?? Allowance(lines: most, since: now)
        defer { allowances[source] = allowance }
        refill(&allowance, now)
        guard allowance.lines > 0 else {
            allowance.suppressed += 1
            return .suppress
        }
        allowance.lines -= 1
        defer { allowance.suppressed = 0 }
        return allowance.suppressed > 0 ? .writeAfter(suppressed: allowance.suppressed) : .write
    }

    /// Those of whom lines were suppressed and who have been quiet since, with how many: to be said now.
    package mutating func overdue(now: Instant) -> [(source: Source, suppressed: Int)] {
        var found: [(source: Source, suppressed: Int)] = []
        for (source, var allowance) in allowances where allowance.suppressed > 0 {
            refill(&allowance, now)
            guard allowance.lines > 0 else { continue }
            found.append((source, allowance.suppressed))
            allowance.suppressed = 0
            allowances[source] = allowance
        }
        return found
    }

    private func refill(_ allowance: inout Allowance, _ now: Instant) {
        let gained = now.since(allowance.since).nanoseconds / (1_000_000_000 / perSecond)
        guard gained > 0 else { return }
        allowance.lines = min(most, allowance.lines + gained)
        allowance.since =
            allowance.lines == most
            ? now : allowance.since + TimeSpan(nanoseconds: gained * (1_000_000_000 / perSecond))
    }

    private mutating func forgetQuiet(_ now: Instant) {
        guard nextLook <= now else { return }
        nextLook = now + Limits.logSourcesInterval
        for (source, var allowance) in allowances {
            refill(&allowance, now)
            if allowance.lines == most, allowance.suppressed == 0 { allowances[source] = nil }
        }
    }
}
