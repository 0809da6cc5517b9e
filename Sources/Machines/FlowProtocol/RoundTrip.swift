// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What an end knows of the time that a packet and its acknowledgement need. Nanoseconds. spec: frcp-profile-1 §6, frcp §9
package struct RoundTrip: Sendable {
    /// The longest delay of an acknowledgement that the peer has announced.
    let peersDelay: UInt64
    package private(set) var smoothed: UInt64 = 0
    private(set) var deviation: UInt64 = 0
    package private(set) var last: UInt64 = 0
    package private(set) var lastSample: UInt64 = 0
    private var least = LeastInTime()

    private static let window: UInt64 = 10_000_000_000
    private static let leastTimeout: UInt64 = 50_000_000
    /// An acknowledgement that was lost for long makes a sample that says nothing of the path.
    private static let longestTimeout: UInt64 = 60_000_000_000
    private static let firstTimeout: UInt64 = 1_000_000_000

    init(peersDelay: UInt64) { self.peersDelay = peersDelay }

    package var isKnown: Bool { smoothed > 0 }
    /// The least age of a packet when it was acknowledged, in the last 10 s; 0: there was none.
    package func minimum(now: UInt64) -> UInt64 {
        now - min(lastSample, now) > RoundTrip.window ? 0 : least.value
    }

    /// - Parameters:
    ///   - age: Of the transmission that is acknowledged.
    ///   - delay: How long the peer says that it held the acknowledgement back.
    mutating func sample(age: UInt64, delay: UInt64, now: UInt64) {
        let age = max(age, 1)
        least.add(age, now: now, window: RoundTrip.window)
        let held = min(delay, peersDelay)
        let sample = max(age > held ? age - held : 0, least.value)
        last = sample
        lastSample = now
        guard smoothed > 0 else {
            smoothed = sample
            deviation = sample / 2
            return
        }
        let difference = Int64(sample) - Int64(smoothed)
        smoothed = UInt64(max(Int64(smoothed) + difference >> 3, 1_000))
        var error = (Int64(difference.magnitude) - Int64(deviation)) >> 2
        if error < 0 { error >>= 3 }
        deviation = UInt64(max(Int64(deviation) + error, 100))
    }

    /// RTO without doubling.
    package var timeout: UInt64 {
        guard isKnown else { return RoundTrip.firstTimeout }
        return min(max(RoundTrip.leastTimeout, smoothed + 4 * deviation) + peersDelay, RoundTrip.longestTimeout)
    }

    /// PTO: after so long without an acknowledgement the end of what was sent may be lost.
    var probeTimeout: UInt64 {
        guard isKnown else { return RoundTrip.firstTimeout }
        return min(timeout, 2 * smoothed + peersDelay)
    }
}

/// The least value of a time, by three candidates, each younger and larger than the one before.
struct LeastInTime: Sendable {
    private var candidates = (first: Candidate(), second: Candidate(), third: Candidate())

    private struct Candidate: Sendable {
        var value: UInt64 = 0
        var time: UInt64 = 0
    }

    /// 0: there is none.
    var value: UInt64 { candidates.first.value }

    mutating func add(_ value: UInt64, now: UInt64, window: UInt64) {
        let new = Candidate(value: value, time: now)
        if candidates.first.value == 0 || value <= candidates.first.value || now - candidates.third.time > window {
            candidates = (new, new, new)
            return
        }
        if value <= candidates.second.value {
            candidates.second = new
            candidates.third = new
        } else if value <= candidates.third.value {
            candidates.third = new
        }
        if now - candidates.first.time > window {
            candidates = (candidates.second, candidates.third, new)
            if now - candidates.first.time > window { candidates = (candidates.second, candidates.third, new) }
        } else if candidates.second.time == candidates.first.time, now - candidates.first.time > window / 4 {
            candidates.second = new
            candidates.third = new
        } else if candidates.third.time == candidates.second.time, now - candidates.first.time > window / 2 {
            candidates.third = new
        }
    }
}
