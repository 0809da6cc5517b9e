// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an end with profile 0 tells of itself to people. Looking changes nothing.
extension Profile0End {
    /// - Parameter now: Of the look: the least round trip is that of the 10 s before.
    package func statistics(now: UInt64, _ table: borrowing MutableSpan<SentPacket>) -> FlowStatistics {
        var statistics = FlowStatistics()
        statistics.kind = .profile0
        statistics.ending = ending
        statistics.time = now
        statistics.messagesWritten = UInt64(admitted)
        statistics.bytesWritten = writtenBytes
        statistics.unacknowledgedPackets = UInt64(unacknowledgedPackets)
        statistics.unacknowledgedBytes = UInt64(waiting(table))
        statistics.roundTrip = roundTrip.smoothed
        statistics.roundTripDeviation = roundTrip.deviation
        statistics.leastRoundTrip = roundTrip.minimum(now: now)
        statistics.timeout = max(roundTrip.timeout, backedOff)
        statistics.window = min(rate.window, Profile0End.mostCostInFlight)
        statistics.flight = flight
        statistics.creditPackets = UInt64(max(edge - next, 0))
        statistics.payload = UInt64(payload)
        statistics.packetsSent = counters.sent
        statistics.repeated = counters.repeated
        statistics.timeouts = counters.timeouts
        statistics.unreadMessages = UInt64(messages)
        statistics.bytesRead = counters.readBytes
        statistics.unreadBytes = counters.bytes - min(counters.readBytes, counters.bytes)
        statistics.packetsReceived = counters.received
        statistics.controlPacketsSent = counters.acknowledgements + counters.questions
        statistics.duplicates = counters.duplicates
        statistics.refused = counters.beyondEdge + dropped
        statistics.missing = counters.passed
        return statistics
    }

    private var ending: FlowStatistics.Ending {
        switch cause {
        case .none: failure == .none ? .none : .down
        case .silence: .silent
        case .undelivered: .undelivered
        case .abortedByPeer, .brokenMessages, .vainRepetition: .down
        }
    }
}
