// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

/// What a client has seen, and how it says so. spec: tools §1 client output
package struct PingStatistics: Hashable, Sendable {
    private let server: [UInt8]
    private let size: Int
    package private(set) var transmitted: UInt64 = 0
    package private(set) var received: UInt64 = 0
    private var outOfOrder: UInt64 = 0
    private var expected: UInt64 = 0
    private var roundTrips = RoundTrips()

    package init(server: [UInt8], size: Int) {
        self.server = server
        self.size = size
    }

    /// The number of the next packet.
    package var nextSequence: UInt32 { UInt32(truncatingIfNeeded: transmitted) }

    package mutating func sent() { transmitted += 1 }

    /// Counts a reply; true if a later one was here before. The sequence must be one that was sent.
    package mutating func replied(_ sequence: UInt32, after span: TimeSpan) -> Bool {
        received += 1
        roundTrips.add(span)
        let isLate = UInt64(sequence) < expected
        if isLate { outOfOrder += 1 } else { expected = UInt64(sequence) + 1 }
        return isLate
    }

    /// Percent, rounded up: one lost packet of a million is a loss.
    package var lossPercent: UInt64 {
        guard transmitted > received else { return 0 }
        return ((transmitted - received) * 100 + transmitted - 1) / transmitted
    }

    /// Packets were sent, and not one came back.
    package var isTotalLoss: Bool { transmitted > 0 && received == 0 }

    package func header(_ options: PingOptions) -> String {
        let busy = options.pace == .floodBusy ? ", busy-poll" : ""
        return "Pinging \(printable(server)) with \(size) bytes of data (\(options.count) packets\(busy)):\n\n"
    }

    /// The line for one reply. `time` is the time of day, if that is wanted.
    package func line(bytes: Int, _ sequence: UInt32, _ span: TimeSpan, isLate: Bool, time: UInt64?) -> String {
        let stamp = time.map { time in
            "[\(time / 1_000_000_000)." + String(String(time % 1_000_000_000 / 1_000 + 1_000_000).dropFirst()) + "] "
        }
        let milliseconds = Double(span.nanoseconds) / 1_000_000
        let unit = PingStatistics.unit(milliseconds)
        return (stamp ?? "") + "\(bytes) bytes from \(printable(server)): seq=\(sequence) time="
            + fixed(milliseconds * unit.factor, decimals: 3) + " " + unit.name + (isLate ? " [out-of-order]" : "")
    }

    package func summary(elapsed: TimeSpan) -> String {
        var text = """

            --- \(printable(server)) ping statistics ---
            \(transmitted) packets transmitted, \(received) received, \(outOfOrder) out-of-order, \
            \(lossPercent)% packet loss, time: \(fixed(Double(elapsed.nanoseconds) / 1_000_000, decimals: 3)) ms

            """
        guard received > 0 else { return text }
        let unit = PingStatistics.unit(roundTrips.averageMilliseconds)
        let figures = [
            Double(roundTrips.minimum.nanoseconds) / 1_000_000, roundTrips.averageMilliseconds,
            Double(roundTrips.maximum.nanoseconds) / 1_000_000, roundTrips.deviationMilliseconds,
        ].map { fixed($0 * unit.factor, decimals: 3) }
        text += "rtt min/avg/max/mdev = \(figures.joined(separator: "/")) \(unit.name)\n"
        return text
    }

    package func json(elapsed: TimeSpan) -> String {
        JSON.members([
            "server": .string(server), "packet_bytes": .natural(UInt64(size)),
            "transmitted": .natural(transmitted), "received": .natural(received),
            "out_of_order": .natural(outOfOrder),
            "loss_percent": transmitted == 0
                ? .null : .number(100 * (1 - Double(min(received, transmitted)) / Double(transmitted))),
            "time_ms": .number(Double(elapsed.nanoseconds) / 1_000_000), "rtt_ms": roundTripsJSON,
        ]).text + "\n"
    }

    private var roundTripsJSON: JSON {
        guard received > 0 else { return .null }
        func milliseconds(_ span: TimeSpan?) -> JSON {
            span.map { .number(Double($0.nanoseconds) / 1_000_000) } ?? .null
        }
        return .members([
            "min": milliseconds(roundTrips.minimum), "p50": milliseconds(roundTrips.percentile(0.5)),
            "p90": milliseconds(roundTrips.percentile(0.9)), "p99": milliseconds(roundTrips.percentile(0.99)),
            "p99.9": milliseconds(roundTrips.percentile(0.999)), "max": milliseconds(roundTrips.maximum),
            "avg": .number(roundTrips.averageMilliseconds), "mdev": .number(roundTrips.deviationMilliseconds),
        ])
    }

    /// Microseconds for what is shorter than a tenth of a millisecond.
    private static func unit(_ milliseconds: Double) -> (name: String, factor: Double) {
        milliseconds < 0.1 ? ("µs", 1_000) : ("ms", 1)
    }
}
