// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import Ouroboros

@Suite(.timeLimit(.minutes(5))) struct FlowStatisticsTests {
    @Test func messagesAreCountedAtBothEnds() throws {
        let (client, server) = try makeFlow()
        try client.write([1, 2, 3])
        try client.write([4])
        #expect(try server.statistics.messages.unread == 2)
        #expect(try server.read() == [1, 2, 3])
        let written = try client.statistics
        #expect(written.kind == .inside && written.ending == nil && written.time > .zero)
        #expect(written.messages.written == 2 && written.messages.bytesWritten == 4)
        #expect(written.unacknowledgedPackets == 1 && written.payload == 16_777_216)
        let read = try server.statistics
        #expect(read.messages.read == 1 && read.messages.bytesRead == 3 && read.messages.unread == 1)
        // There is no FRCP.
        #expect(written.roundTrip == nil && written.leastRoundTrip == nil && written.window == nil)
        #expect(written.rate == nil && written.packets.sent == 0 && written.timeouts == 0)
    }

    @Test func theReasonOfTheEndStandsUntilTheFlowIsClosed() throws {
        let (client, server) = try makeFlow()
        server.close()
        #expect(throws: OuroborosError.self) { try client.read() }
        #expect(try client.statistics.ending == .closed)
        client.close()
        #expect { try client.statistics } throws: { ($0 as? OuroborosError)?.code == .notAllocated }
    }

    @Test func everyNumberHasItsPlace() {
        let statistics = Ouroboros.FlowStatistics(Vocabulary.FlowStatistics(numbers: Array(1...35)))
        #expect(statistics.kind == .inside && statistics.ending == .down && statistics.time == .nanoseconds(3))
        #expect(statistics.messages.written == 4 && statistics.messages.bytesUnread == 9)
        #expect(statistics.unacknowledgedPackets == 10 && statistics.unacknowledgedBytes == 11)
        #expect(statistics.roundTrip == .nanoseconds(12) && statistics.roundTripDeviation == .nanoseconds(13))
        #expect(statistics.leastRoundTrip == .nanoseconds(14) && statistics.retransmissionTimeout == .nanoseconds(15))
        #expect(statistics.window == 16 && statistics.bytesInFlight == 17 && statistics.rate == 18)
        #expect(statistics.creditPackets == 19 && statistics.creditBytes == 20 && statistics.payload == 21)
        #expect(statistics.packets.sent == 22 && statistics.packets.received == 23)
        #expect(statistics.packets.controlSent == 24 && statistics.packets.lost == 25)
        #expect(statistics.packets.repeated == 26 && statistics.packets.spurious == 27)
        #expect(statistics.reductions == 28 && statistics.undone == 29 && statistics.timeouts == 30)
        #expect(statistics.packets.reordered == 31 && statistics.packets.duplicates == 32)
        #expect(statistics.packets.damaged == 33 && statistics.packets.refused == 34)
        #expect(statistics.packets.missing == 35)
        // A later version has this value.
        let later = Ouroboros.FlowStatistics(Vocabulary.FlowStatistics(numbers: [99, 98]))
        #expect(later.kind == nil && later.ending == .down)
    }
}
