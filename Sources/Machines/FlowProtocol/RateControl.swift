// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// How much may be in flight: CUBIC with HyStart++. The transmitter tells what happens; it asks for `window` only, so that
/// another rule can take this one's place. Costs as in `FlowCost`, times in nanoseconds.
/// spec: frcp-profile-1 §11
package struct RateControl: Sendable {
    package private(set) var window: UInt64
    /// Below, the window grows by what is acknowledged.
    private(set) var threshold = UInt64.max
    /// The cost of a full packet.
    private let packet: UInt64
    private let firstWindow: UInt64

    // CUBIC, in full packets.
    private var mostBefore = 0.0
    private var epoch: UInt64 = 0
    private var timeToMost = 0.0
    private var likeReno = 0.0
    private var windowAtEpoch = 0.0

    private var start = SlowStart()
    /// What the last reduction took, until it cannot be undone any more.
    private var before: Before?

    private struct Before: Sendable {
        let window: UInt64
        let threshold: UInt64
        let mostBefore: Double
    }

    private static let scale = 0.4
    private static let decrease = 0.7

    /// - Parameter payload: Of a full packet.
    init(payload: Int) {
        packet = UInt64(payload) + FlowCost.overhead
        firstWindow = min(10 * UInt64(payload), max(2 * UInt64(payload), 14_720)) + 10 * FlowCost.overhead
        window = firstWindow
    }

    private var least: UInt64 { 2 * packet }
    package var isStarting: Bool { window < threshold }

    /// - Parameters:
    ///   - cost: Of what is newly acknowledged.
    ///   - flight: The cost in flight before.
    mutating func acknowledged(cost: UInt64, flight: UInt64, roundTrip: UInt64, now: UInt64) {
        if isStarting {
            guard flight * 2 >= window else { return }
            window += start.isSlowed ? cost / 4 : cost
            return
        }
        guard flight + 3 * packet >= window else { return }
        growLikeCubic(cost: cost, roundTrip: roundTrip, now: now)
    }

    private mutating func growLikeCubic(cost: UInt64, roundTrip: UInt64, now: UInt64) {
        let current = Double(window) / Double(packet)
        if epoch == 0 {
            epoch = now
            windowAtEpoch = current
            likeReno = current
            mostBefore = max(mostBefore, current)
            timeToMost = RateControl.cubeRoot((mostBefore - current) / RateControl.scale)
        }
        let acknowledged = Double(cost) / Double(packet)
        let elapsed = Double(now - epoch + roundTrip) / 1e9 - timeToMost
        let target = min(
            max(RateControl.scale * elapsed * elapsed * elapsed + mostBefore, current), 1.5 * current)
        let slope =
            likeReno >= mostBefore ? 1 : 3 * (1 - RateControl.decrease) / (1 + RateControl.decrease)
        likeReno += slope * acknowledged / current
        let grown = max(current + (target - current) / current * acknowledged, likeReno)
        window = UInt64(grown * Double(packet))
    }

    /// By Newton: the pure targets have no mathematics library.
    private static func cubeRoot(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var root = max(value / 3, 1)
        for _ in 0..<40 {
            let next = (2 * root + value / (root * root)) / 3
            if abs(next - root) < 1e-9 * root { return next }
            root = next
        }
        return root
    }

    /// The path is congested. At most once a round trip.
    mutating func reduce() {
        before = Before(window: window, threshold: threshold, mostBefore: mostBefore)
        let current = Double(window) / Double(packet)
        mostBefore = current < mostBefore ? current * (1 + RateControl.decrease) / 2 : current
        threshold = max(UInt64(Double(window) * RateControl.decrease), least)
        window = threshold
        epoch = 0
    }

    /// What the last reduction was for has turned out not to be lost.
    mutating func undo() {
        guard let before else { return }
        window = max(window, before.window)
        threshold = max(threshold, before.threshold)
        mostBefore = before.mostBefore
        epoch = 0
        self.before = nil
    }

    /// Nothing came for two timeouts running.
    mutating func collapse() {
        threshold = max(window / 2, least)
        window = least
        epoch = 0
        before = nil
    }

    /// Nothing was sent for a timeout.
    mutating func restart() {
        window = min(window, firstWindow)
        epoch = 0
    }

    mutating func sample(_ roundTrip: UInt64) { start.sample(roundTrip) }

    /// A round trip is over.
    mutating func endRound() {
        if isStarting, start.endRound() { threshold = window }
    }
}

/// HyStart++: ends the first, exponential phase when round trips grow. Without a limit of the growth in one step.
/// RFC 9406
struct SlowStart: Sendable {
    private var least = UInt64.max
    private var leastBefore = UInt64.max
    private var samples = 0
    /// Rounds that are left of the careful phase; 0: not in it.
    private var roundsLeft = 0
    private var leastWhenSlowed = UInt64.max

    private static let samplesNeeded = 8
    private static let carefulRounds = 5

    var isSlowed: Bool { roundsLeft > 0 }

    mutating func sample(_ roundTrip: UInt64) {
        least = min(least, roundTrip)
        samples += 1
        guard samples >= SlowStart.samplesNeeded else { return }
        if isSlowed {
            if least < leastWhenSlowed { roundsLeft = 0 }
        } else if leastBefore != .max {
            let allowance = min(max(leastBefore / 8, 4_000_000), 16_000_000)
            if least >= leastBefore + allowance {
                leastWhenSlowed = least
                roundsLeft = SlowStart.carefulRounds
            }
        }
    }

    /// Returns true if the phase is over.
    mutating func endRound() -> Bool {
        if samples > 0 { leastBefore = least }
        least = .max
        samples = 0
        guard isSlowed else { return false }
        roundsLeft -= 1
        return roundsLeft == 0
    }
}
