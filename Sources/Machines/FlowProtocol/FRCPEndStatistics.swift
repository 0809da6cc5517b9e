// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an end tells of itself to people. Looking changes nothing.
extension FRCPEnd {
    /// - Parameter now: Of the look: the least round trip is that of the 10 s before.
    package func statistics(
        now: UInt64, _ sentTable: borrowing MutableSpan<SentPacket>
    ) -> FlowStatistics {
        var statistics = FlowStatistics()
        statistics.kind = .profile1
        statistics.ending = ending
        statistics.time = now
        transmitter.tell(&statistics, now: now, sentTable)
        receiver.tell(&statistics)
        statistics.refused += dropped
        return statistics
    }

    private var ending: FlowStatistics.Ending {
        let ending = FlowStatistics.Ending(cause, isDown: failure != .none)
        return cause == .none && receiver.hasEnded ? .closed : ending
    }
}

extension FlowStatistics.Ending {
    init(_ cause: FRCPEnd.Cause, isDown: Bool) {
        self =
            switch cause {
            case .none: isDown ? .down : .none
            case .abortedByPeer: .aborted
            case .brokenMessages: .violated
            case .vainRepetition: .vain
            case .silence: .silent
            case .undelivered: .undelivered
            }
    }
}

extension Transmitter {
    fileprivate func tell(
        _ statistics: inout FlowStatistics, now: UInt64, _ table: borrowing MutableSpan<SentPacket>
    ) {
        statistics.messagesWritten = counters.messages
        statistics.bytesWritten = written
        statistics.unacknowledgedPackets = UInt64(unacknowledgedPackets)
        statistics.unacknowledgedBytes = UInt64(waiting(table))
        statistics.roundTrip = roundTrip.smoothed
        statistics.roundTripDeviation = roundTrip.deviation
        statistics.leastRoundTrip = roundTrip.minimum(now: now)
        statistics.timeout = max(roundTrip.timeout, backedOff)
        statistics.flight = flight
        if controlsRate {
            statistics.window = rate.window
            statistics.rate = paceEachSecond
        }
        statistics.creditPackets = UInt64(max(edge - next, 0))
        statistics.creditBytes = limit > costSent ? limit - costSent : 0
        statistics.payload = UInt64(payload)
        statistics.packetsSent = counters.sent
        statistics.lost = counters.lost
        statistics.repeated = counters.repeated
        statistics.spurious = counters.spurious
        statistics.reductions = counters.reductions
        statistics.undone = counters.undone
        statistics.timeouts = counters.timeouts
        statistics.reordered = counters.reordered
    }

    /// 1.25 windows in a round trip. spec: frcp-profile-1 §11
    private var paceEachSecond: UInt64 {
        guard roundTrip.isKnown else { return 0 }
        return UInt64(min(1.25e9 * Double(rate.window) / Double(roundTrip.smoothed), 1e18))
    }
}

extension Receiver {
    fileprivate func tell(_ statistics: inout FlowStatistics) {
        statistics.unreadMessages = UInt64(messages)
        statistics.bytesRead = counters.readBytes
        statistics.unreadBytes = isDiscarding ? 0 : counters.bytes - min(counters.readBytes, counters.bytes)
        statistics.packetsReceived = counters.accepted
        statistics.controlPacketsSent = counters.acknowledgements
        statistics.duplicates = counters.duplicates
        statistics.refused = counters.beyondEdge + counters.withoutMemory
        statistics.missing = counters.passed
    }
}
