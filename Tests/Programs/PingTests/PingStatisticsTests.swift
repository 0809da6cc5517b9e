// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ping
import Testing
import Vocabulary

@Suite struct PingStatisticsTests {
    private func statistics(_ microseconds: [UInt64], sent: Int) -> PingStatistics {
        var statistics = PingStatistics(server: Array("srv".utf8), size: 64)
        for _ in 0..<sent { statistics.sent() }
        for (index, time) in microseconds.enumerated() {
            _ = statistics.replied(UInt32(index), after: TimeSpan(nanoseconds: time * 1_000))
        }
        return statistics
    }

    @Test("the summary is that of the prototype's tutorial")
    func summary() {
        // spec: tutorial-transcripts §1
        #expect(
            statistics([124, 57, 164], sent: 3).summary(elapsed: TimeSpan(nanoseconds: 600_679_000)) == """

                --- srv ping statistics ---
                3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss, time: 600.679 ms
                rtt min/avg/max/mdev = 0.057/0.115/0.164/0.054 ms

                """)
    }

    @Test("short times are in microseconds, and one sample has no deviation")
    func microseconds() {
        let text = statistics([57], sent: 1).summary(elapsed: TimeSpan(seconds: 1))
        #expect(text.hasSuffix("time: 1000.000 ms\nrtt min/avg/max/mdev = 57.000/57.000/57.000/NaN µs\n"))
    }

    @Test("without a reply there are no round trips, and the loss is total")
    func totalLoss() {
        let lost = statistics([], sent: 2)
        #expect(lost.isTotalLoss)
        #expect(
            lost.summary(elapsed: TimeSpan(seconds: 0)) == """

                --- srv ping statistics ---
                2 packets transmitted, 0 received, 0 out-of-order, 100% packet loss, time: 0.000 ms

                """)
        #expect(!statistics([], sent: 0).isTotalLoss)
        #expect(statistics([], sent: 0).lossPercent == 0)
    }

    @Test("any loss is at least one percent", arguments: [(1_000, 999, 1), (3, 2, 34), (100, 50, 50), (4, 4, 0)])
    func loss(_ sent: Int, _ received: Int, _ percent: UInt64) {
        #expect(statistics(Array(repeating: 1, count: received), sent: sent).lossPercent == percent)
    }

    @Test("a reply that a later one has overtaken is out of order")
    func order() {
        var statistics = PingStatistics(server: Array("srv".utf8), size: 64)
        for _ in 0..<4 { statistics.sent() }
        let late = [0, 2, 1, 3].map { statistics.replied($0, after: TimeSpan(milliseconds: 1)) }
        #expect(late == [false, false, true, false])
        #expect(statistics.summary(elapsed: TimeSpan(seconds: 0)).contains("4 received, 1 out-of-order"))
    }

    @Test("lines are those of the prototype")
    func lines() {
        let statistics = statistics([], sent: 1)
        let short = TimeSpan(nanoseconds: 57_000)
        #expect(
            statistics.line(bytes: 64, 1, short, isLate: false, time: nil)
                == "64 bytes from srv: seq=1 time=57.000 µs")
        #expect(
            statistics.line(bytes: 64, 0, TimeSpan(nanoseconds: 124_000), isLate: true, time: 1_795_253_371_000_456_000)
                == "[1795253371.000456] 64 bytes from srv: seq=0 time=0.124 ms [out-of-order]")
        var options = PingOptions()
        options.count = 3
        #expect(statistics.header(options) == "Pinging srv with 64 bytes of data (3 packets):\n\n")
        options.pace = .floodBusy
        #expect(statistics.header(options) == "Pinging srv with 64 bytes of data (3 packets, busy-poll):\n\n")
    }

    @Test("JSON has percentiles, or null without replies")
    func json() {
        #expect(statistics([100], sent: 1).json(elapsed: TimeSpan(seconds: 1)).contains("\"p99.9\": 0.1"))
        #expect(statistics([], sent: 1).json(elapsed: TimeSpan(seconds: 1)).contains("\"rtt_ms\": null"))
        #expect(statistics([], sent: 0).json(elapsed: TimeSpan(seconds: 1)).contains("\"loss_percent\": null"))
    }
}

@Suite struct RoundTripsTests {
    @Test("percentiles are right to one percent, the extremes exactly")
    func percentiles() throws {
        var trips = RoundTrips()
        for nanoseconds in 1...100_000 as ClosedRange<UInt64> { trips.add(TimeSpan(nanoseconds: nanoseconds)) }
        for share in [0.001, 0.01, 0.5, 0.9, 0.99, 0.999] {
            let value = Double(try #require(trips.percentile(share)).nanoseconds)
            #expect(abs(value - share * 100_000) <= max(1, share * 1_000))
        }
        #expect(trips.percentile(0)?.nanoseconds == 1)
        #expect(trips.percentile(1)?.nanoseconds == 100_000)
        #expect(trips.minimum.nanoseconds == 1)
        #expect(trips.maximum.nanoseconds == 100_000)
        #expect(abs(trips.averageMilliseconds - 0.0500005) < 1e-9)
        #expect(abs(trips.deviationMilliseconds - 0.028867657) < 1e-7)
    }

    @Test("every length of time has a place")
    func extremes() {
        var trips = RoundTrips()
        #expect(trips.percentile(0.5) == nil)
        for bit in 0..<64 {
            trips.add(TimeSpan(nanoseconds: 1 << UInt64(bit)))
            trips.add(TimeSpan(nanoseconds: (1 << UInt64(bit)) - 1))
        }
        trips.add(TimeSpan(nanoseconds: .max))
        #expect(trips.percentile(1)?.nanoseconds == .max)
        #expect(trips.count == 129)
    }
}
