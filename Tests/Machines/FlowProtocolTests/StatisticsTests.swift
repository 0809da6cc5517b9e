// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import FlowProtocol

/// Two ends, between which a test carries packets itself.
private struct Ends {
    var first: FRCPEnd
    var second: FRCPEnd
    var sent = [[SentPacket]](repeating: [SentPacket](repeating: SentPacket(), count: 256), count: 2)
    var arrived = [[ArrivedPacket]](repeating: [ArrivedPacket](repeating: ArrivedPacket(), count: 256), count: 2)
    var now = Ends.start

    private static let start: UInt64 = 1_000_000_000

    init(isReliable: Bool = true, controlsRate: Bool = true) {
        func end(_ own: UInt32, _ peer: UInt32) -> FRCPEnd {
            let transmitter = Transmitter(
                first: SequenceNumber(own), isReliable: isReliable, controlsRate: controlsRate, credit: 128,
                room: 100_000, payload: 1_400, longestMessage: 10_000, peersDelay: 5_000_000)
            let receiver = Receiver(
                first: SequenceNumber(peer), isReliable: isReliable, credit: 128, bound: 100_000,
                longestMessage: 10_000, delay: 5_000_000, gapPatience: 10_000_000)
            return FRCPEnd(
                transmitter: transmitter, receiver: receiver,
                settings: FRCPEnd.Settings(timeout: 0, lifetime: 1_000_000), now: Ends.start)
        }
        first = end(.max - 1, 77)
        second = end(77, .max - 1)
    }

    mutating func write(_ count: Int) {
        var table = sent[0].mutableSpan
        _ = first.admit(count, bound: 100_000, &table)
    }

    /// All that an end sends now.
    mutating func departures(of side: Int) -> [FRCPEnd.Departure] {
        var departures: [FRCPEnd.Departure] = []
        while true {
            var sentTable = sent[side].mutableSpan
            var arrivedTable = arrived[side].mutableSpan
            let departure =
                side == 0
                ? first.depart(now: now, &sentTable, &arrivedTable)
                : second.depart(now: now, &sentTable, &arrivedTable)
            guard let departure else { return departures }
            departures.append(departure)
        }
    }

    mutating func deliver(_ departures: [FRCPEnd.Departure], to side: Int) {
        let told = [first.told, second.told]
        for departure in departures {
            let (header, length, frame): (FRCPHeader, Int, Acknowledgement?) =
                switch departure {
                case .data(let header, _, let length): (header, length, nil)
                case .bare(let header): (header, 0, nil)
                case .control(let header):
                    // The sender has sent no other frame since.
                    (header, told[1 - side].bytes, told[1 - side])
                case .empty: (FRCPHeader(words: (0, 0, 0)), 0, nil)
                }
            var sentTable = sent[side].mutableSpan
            var arrivedTable = arrived[side].mutableSpan
            if side == 0 {
                _ = first.arrived(
                    header, length: length, frame: frame, capacity: 1 << 17, arrival: now, now: now, &sentTable,
                    &arrivedTable)
            } else {
                _ = second.arrived(
                    header, length: length, frame: frame, capacity: 1 << 17, arrival: now, now: now, &sentTable,
                    &arrivedTable)
            }
        }
    }

    /// Time goes on for both.
    mutating func pass(_ nanoseconds: UInt64) {
        now += nanoseconds
        for side in 0..<2 {
            var sentTable = sent[side].mutableSpan
            var arrivedTable = arrived[side].mutableSpan
            if side == 0 {
                first.expire(now: now, &sentTable, &arrivedTable)
            } else {
                second.expire(now: now, &sentTable, &arrivedTable)
            }
        }
    }

    func statistics(of side: Int) -> FlowStatistics {
        var table = sent[side]
        let span = table.mutableSpan
        return side == 0 ? first.statistics(now: now, span) : second.statistics(now: now, span)
    }
}

@Suite struct StatisticsTests {
    @Test("a new end knows nothing of the path, and says what it may send")
    func new() {
        let statistics = Ends().statistics(of: 0)
        #expect(statistics.kind == .profile1 && statistics.ending == .none && statistics.time == 1_000_000_000)
        #expect(statistics.roundTrip == 0 && statistics.leastRoundTrip == 0 && statistics.rate == 0)
        #expect(statistics.timeout == 1_000_000_000 && statistics.window > 0)
        #expect(statistics.creditPackets == 128 && statistics.creditBytes == 100_000 && statistics.payload == 1_400)
        #expect(Ends(controlsRate: false).statistics(of: 0).window == 0)
    }

    @Test(
        "a message is in flight, then acknowledged; its round trip is measured and its room comes back when it is read")
    func roundTrip() {
        var ends = Ends()
        ends.write(3_000)
        let packets = ends.departures(of: 0)
        #expect(packets.count == 3)
        var writer = ends.statistics(of: 0)
        #expect(writer.messagesWritten == 1 && writer.bytesWritten == 3_000 && writer.packetsSent == 3)
        #expect(writer.flight == 3_000 + 3 * 64 && writer.unacknowledgedPackets == 3)
        #expect(writer.unacknowledgedBytes == 3_000 && writer.creditPackets == 125)
        #expect(writer.creditBytes == 100_000 - 3_192)
        ends.now += 2_000_000
        ends.deliver(packets, to: 1)
        var reader = ends.statistics(of: 1)
        #expect(reader.packetsReceived == 3 && reader.unreadMessages == 1 && reader.unreadBytes == 3_000)
        ends.pass(5_000_000)
        ends.deliver(ends.departures(of: 1), to: 0)
        writer = ends.statistics(of: 0)
        #expect(writer.flight == 0 && writer.unacknowledgedPackets == 0 && writer.roundTrip > 0)
        #expect(writer.leastRoundTrip == 2_000_000 || writer.leastRoundTrip == 7_000_000)
        #expect(writer.rate == UInt64(1.25e9 * Double(writer.window) / Double(writer.roundTrip)))
        var table = ends.arrived[1].mutableSpan
        var piece = ends.second.receiver.piece(capacity: 1 << 17, in: table)
        while let next = piece, !next.isLast {
            piece = ends.second.receiver.piece(after: next, capacity: 1 << 17, in: table)
        }
        if let piece { ends.second.finish(piece, &table) }
        reader = ends.statistics(of: 1)
        #expect(reader.bytesRead == 3_000 && reader.unreadBytes == 0 && reader.unreadMessages == 0)
        #expect(reader.controlPacketsSent == 1 && reader.duplicates == 0)
    }

    @Test("a packet that does not arrive is lost and repeated; one that arrives twice is a duplicate, and spurious")
    func lossAndDuplicates() throws {
        var ends = Ends()
        ends.write(100)
        let first = ends.departures(of: 0)
        ends.now += 1_000_000
        ends.deliver(first, to: 1)
        ends.pass(5_000_000)
        ends.deliver(ends.departures(of: 1), to: 0)
        ends.write(100)
        _ = ends.departures(of: 0)
        for _ in 0..<4 {
            ends.write(100)
            let packets = ends.departures(of: 0)
            ends.now += 1_000_000
            ends.deliver(packets, to: 1)
            ends.deliver(ends.departures(of: 1), to: 0)
        }
        // The peer says at once that something is missing, and after its delay what came since.
        ends.pass(5_000_000)
        ends.deliver(ends.departures(of: 1), to: 0)
        let again = ends.departures(of: 0)
        var writer = ends.statistics(of: 0)
        #expect(writer.lost == 1)
        #expect(writer.repeated == 1)
        #expect(writer.packetsSent == 7)
        // Twice on its way.
        ends.now += 1_000_000
        ends.deliver(again + again, to: 1)
        ends.pass(5_000_000)
        ends.deliver(ends.departures(of: 1), to: 0)
        writer = ends.statistics(of: 0)
        let reader = ends.statistics(of: 1)
        #expect(reader.duplicates == 1)
        #expect(writer.spurious == 1)
        #expect(reader.packetsReceived == 6)
        #expect(writer.unacknowledgedPackets == 0)
    }

    @Test("what is not allowed is refused, and an abort is the reason of an end")
    func refusedAndAborted() {
        var ends = Ends()
        ends.write(100)
        let packets = ends.departures(of: 0)
        ends.deliver(packets, to: 1)
        // An acknowledgement of what was never sent.
        let strange = FRCPHeader(
            flags: [.data, .acknowledges, .credits], edge: 200, sequence: SequenceNumber(.max),
            acknowledged: SequenceNumber(99))
        ends.deliver([.data(strange, position: 0, length: 1)], to: 1)
        #expect(ends.statistics(of: 1).refused == 1)
        ends.first.abort(.undelivered, now: ends.now)
        #expect(ends.statistics(of: 0).ending == .undelivered)
        ends.deliver(ends.departures(of: 0), to: 1)
        #expect(ends.statistics(of: 1).ending == .aborted)
    }

    @Test("an RTO that expires is a timeout, and the next is longer")
    func timeout() {
        var ends = Ends()
        ends.write(100)
        _ = ends.departures(of: 0)
        let before = ends.statistics(of: 0).timeout
        for _ in 0..<40 {
            ends.pass(100_000_000)
            _ = ends.departures(of: 0)
        }
        let writer = ends.statistics(of: 0)
        #expect(writer.timeouts >= 1 && writer.repeated >= 1 && writer.timeout >= before)
    }
}
