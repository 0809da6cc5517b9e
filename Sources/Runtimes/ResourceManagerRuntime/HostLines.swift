// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// Which lines that other hosts cause are written. Each host, or network of IPv6, has a limit of its own, so that none keeps
/// the lines of others out of the log. Somebody can invent as many hosts as he likes, so there is one count for all.
struct HostLines: Sendable {
    private var limit = LineLimit<DatagramAddress>(
        most: Limits.hostLinesAtOnce, perSecond: Limits.hostLinesPerSecond)
    private var unsaid = 0
    /// For what is no address.
    private static let unknown = DatagramAddress(family: .ipv4, high: 0, low: 0, port: 0)

    /// `host`: its address and port, as a layer writes them.
    mutating func isAllowed(_ host: [UInt8], now: Instant) -> Bool {
        let address = (try? DatagramAddress(endpoint: host, defaultPort: 0))?.network
        switch limit.verdict(for: address ?? HostLines.unknown, now: now) {
        case .write: return true
        case .writeAfter(let suppressed):
            unsaid += suppressed
            return true
        case .suppress: return false
        }
    }

    /// How many were not, of hosts that are quiet now or have had a line since; each is told once.
    mutating func takeUnsaid(now: Instant) -> Int {
        for (_, suppressed) in limit.overdue(now: now) { unsaid += suppressed }
        defer { unsaid = 0 }
        return unsaid
    }
}
