// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The destinations to which pieces of some length could not be sent as one message, so that it is not tried with each
/// batch. For a while only, because paths change.
struct SplitRefusals: ~Copyable {
    // Not private: as `DepartingDatagrams.Batch`.
    struct Refusal {
        let destination: DatagramAddress
        /// Shorter ones may be sent so.
        let bytes: Int
        let end: Instant
    }

    /// Each destination has one place; who comes later takes it.
    private let places = KernelArray<Refusal?>(repeating: nil, count: Limits.splitRefusals)
    private let last = KernelArray(repeating: Instant(nanoseconds: 0), count: 1)

    private func place(_ destination: DatagramAddress) -> Int {
        Int(UInt(bitPattern: destination.hashValue) % UInt(places.count))
    }

    /// Beyond it datagrams go one by one.
    func longestPiece(to destination: DatagramAddress) -> Int {
        guard last[0].nanoseconds > 0 else { return .max }
        guard let refusal = places[place(destination)], refusal.destination == destination else { return .max }
        let now = Clock.now()
        if last[0] < now { last[0] = Instant(nanoseconds: 0) }
        return refusal.end < now ? .max : refusal.bytes - 1
    }

    func add(_ destination: DatagramAddress, _ bytes: Int, now: Instant) {
        let end = now + Limits.splitRefusalSpan
        // A longer one that was refused says less.
        let known = min(bytes - 1, longestPiece(to: destination)) + 1
        places[place(destination)] = Refusal(destination: destination, bytes: known, end: end)
        last[0] = end
    }
}
