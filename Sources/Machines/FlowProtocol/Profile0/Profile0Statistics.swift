// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an end with profile 0 tells of itself to people. Looking changes nothing.
extension Profile0End {
    /// - Parameter now: Of the look: the least round trip is that of the 10 s before.
    package func statistics(now: UInt64, _ sentTable: borrowing MutableSpan<SentPacket>) -> FlowStatistics {
        var statistics = FlowStatistics()
        statistics.kind = .profile0
        statistics.ending = FlowStatistics.Ending(cause, isDown: failure != .none)
        statistics.time = now
        // A message is one packet.
        statistics.messagesWritten = UInt64(admitted)
        statistics.bytesWritten = writtenBytes
        statistics.unacknowledgedPackets = UInt64(unacknowledgedPackets)
        statistics.unacknowledgedBytes = UInt64(waiting(sentTable))
        statistics.payload = UInt64(payload)
        tellPath(&statistics, now: now)
        statistics.unreadMessages = UInt64(max(messages, 0))
        statistics.bytesRead = counters.readBytes
        statistics.unreadBytes = isDiscarding ? 0 : counters.bytes - min(counters.readBytes, counters.bytes)
        statistics.packetsReceived = counters.received
        statistics.duplicates = counters.duplicates
        statistics.refused = dropped + counters.beyondEdge
        statistics.missing = counters.passed
        return statistics
    }

    private func tellPath(_ statistics: inout FlowStatistics, now: UInt64) {
        statistics.roundTrip = roundTrip.smoothed
        statistics.roundTripDeviation = roundTrip.deviation
        statistics.leastRoundTrip = roundTrip.minimum(now: now)
        statistics.timeout = max(roundTrip.timeout, backedOff)
        // Without retransmission nothing is in flight: the edge alone holds packets back.
        statistics.window = isReliable ? min(rate.window, Profile0End.mostCostInFlight) : 0
        statistics.flight = flight
        statistics.creditPackets = UInt64(max(edge - next, 0))
        statistics.packetsSent = counters.sent
        statistics.controlPacketsSent = counters.acknowledgements + counters.questions
        statistics.repeated = counters.repeated
        statistics.timeouts = counters.timeouts
        statistics.reductions = counters.reductions
    }
}
