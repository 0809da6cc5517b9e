// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import FlowProtocol

/// Ends with profile 0: what 0.23 sends and expects, packet by packet. spec: frcp
@Suite("Profile 0: the FRCP of hosts with the prototype")
struct Profile0Tests {
    private static let first: UInt32 = 0x64de_5c0a
    private static let capacity = 1 << 20
    private static let millisecond: UInt64 = 1_000_000

    /// An end with its tables, and what it sends.
    private final class Side {
        var end: Profile0End
        private var sent = [SentPacket](repeating: SentPacket(), count: 1_024)
        private var arrived = [ArrivedPacket](repeating: ArrivedPacket(), count: 1_024)
        /// The lengths of the messages that were read.
        var read: [Int] = []

        init(_ first: UInt32, isReliable: Bool = true, timeout: UInt64 = 0) {
            let settings = FRCPEnd.Settings(timeout: timeout * millisecond, lifetime: 5_000 * millisecond)
            end = Profile0End(first: first, isReliable: isReliable, payload: 1_000, settings: settings, now: 0)
        }

        @discardableResult
        func write(_ length: Int) -> Transmitter.Admission {
            var table = sent.mutableSpan
            return end.admit(length, bound: 1 << 20, &table)
        }

        func depart(_ now: UInt64) -> FRCPEnd.Departure? {
            var table = sent.mutableSpan
            return end.depart(now: now, &table)
        }

        /// All that may be sent now: header and length of each packet.
        func departures(_ now: UInt64) -> [(header: FRCPHeader, length: Int)] {
            var result: [(header: FRCPHeader, length: Int)] = []
            while let departure = depart(now), result.count < 1_000 {
                switch departure {
                case .data(let header, _, let length): result.append((header, length))
                case .bare(let header): result.append((header, 0))
                case .control, .empty: break
                }
            }
            return result
        }

        @discardableResult
        func take(_ header: FRCPHeader, _ length: Int, _ now: UInt64) -> Receiver.Arrival {
            var sentTable = sent.mutableSpan
            var arrivedTable = arrived.mutableSpan
            return end.arrived(
                header, length: length, capacity: capacity, now: now, &sentTable, &arrivedTable)
        }

        func readAll() {
            var table = arrived.mutableSpan
            while let piece = end.piece(after: nil, capacity: capacity, in: table) {
                read.append(piece.length)
                end.finish(piece, &table)
            }
        }

        func statistics(_ now: UInt64) -> FlowStatistics {
            var copy = sent
            let table = copy.mutableSpan
            return end.statistics(now: now, table)
        }

        func deadline() -> UInt64? {
            var table = sent.mutableSpan
            return end.deadline(&table)
        }

        func expire(_ now: UInt64) {
            var table = sent.mutableSpan
            end.expire(now: now, &table)
        }

        func close(_ now: UInt64) {
            var table = arrived.mutableSpan
            end.close(lingers: true, now: now, &table)
        }
    }

    private func header(_ flags: UInt8, edge: UInt32 = 0, _ sequence: UInt32, _ acknowledged: UInt32 = 0) -> FRCPHeader
    {
        FRCPHeader(words: (UInt32(flags) << 24 | edge, sequence, acknowledged))
    }

    @Test("the first packets are those of the captures")
    func captures() throws {
        let client = Side(Self.first)
        client.write(64)
        let request = try #require(client.departures(0).first)
        #expect(request.header.words == (0x0300_0000, 0x641e_5c0a, 0) && request.length == 64)
        let server = Side(0x371c_6f17)
        #expect(server.take(request.header, 64, 0) == .store(at: 0))
        server.write(64)
        // The acknowledgement that is due goes first. It begins the run that the first data of this end belongs to.
        let answers = server.departures(0)
        #expect(answers.map(\.header.flags.rawValue) == [0x0e, 0x0f])
        #expect(answers.map(\.header.sequence.rawValue) == [0x371c_6f17, 0x371c_6f17])
        #expect(answers.allSatisfy { $0.header.acknowledged.rawValue == 0x641e_5c0b })
        // 256 messages that are not read.
        #expect(answers.allSatisfy { $0.header.edge == 0x1e_5d0a })
    }

    @Test("nothing is acknowledged before data came, whatever else comes")
    func early() {
        let side = Side(Self.first)
        for flags: UInt8 in [0x04, 0x08, 0x0c, 0x10, 0x02] { side.take(header(flags, 77), 0, 0) }
        side.take(header(0x01, 5), 8, 0)
        #expect(side.departures(0).isEmpty && side.end.messages == 0)
        side.write(1)
        #expect(side.departures(0).map(\.header.flags.rawValue) == [0x03])
    }

    @Test("what 0.23 sends by mistake is dropped", arguments: [0x21, 0x41, 0x81, 0x11, 0x71] as [UInt8])
    func malformed(flags: UInt8) {
        let side = Side(Self.first)
        side.take(header(0x03, 100), 8, 0)
        side.take(header(flags, 101), 8, 0)
        #expect(side.end.messages == 1 && side.end.dropped == 1)
    }

    @Test("an acknowledgement of what was never sent, and an edge that cannot be, have no effect")
    func lies() {
        let side = Side(Self.first)
        for _ in 0..<3 { side.write(10) }
        #expect(side.departures(0).count == 3)
        let base = side.end.first.rawValue
        for number in [base &+ 4, base &- 1, base &+ 0x8000_0000, 0] { side.take(header(0x04, 0, number), 0, 1) }
        #expect(side.end.acknowledged == 0)
        for edge in [0, (base &- 1) & 0xff_ffff, (base &+ 0x80_0000) & 0xff_ffff] {
            side.take(header(0x08, edge: edge, 0), 0, 1)
        }
        #expect(side.end.edge == 64)
        side.take(header(0x0c, edge: (base &+ 5_000) & 0xff_ffff, 0, base &+ 2), 0, 1)
        #expect(side.end.acknowledged == 2 && side.end.edge == 2 + 256)
    }

    @Test("a new run begins with the first data, or after a long silence, and not with a repetition")
    func runs() {
        let side = Side(Self.first)
        for number: UInt32 in 100..<110 { side.take(header(number == 100 ? 0x03 : 0x01, number), 8, 0) }
        side.take(header(0x03, 100), 8, 1)
        #expect(side.end.messages == 10 && side.end.counters.duplicates == 1 && side.end.counters.runs == 1)
        side.readAll()
        // Nor with a copy that many others have overtaken: it comes within two lifetimes.
        for number: UInt32 in [0x9000_0000, 100 &- 600] {
            side.take(header(0x03, number), 8, 10_000 * Self.millisecond)
        }
        #expect(side.end.messages == 0 && side.end.counters.runs == 1)
        side.take(header(0x03, 0x9000_0000), 8, 10_001 * Self.millisecond)
        #expect(side.end.messages == 1 && side.end.counters.runs == 2)
        side.take(header(0x03, 0x9000_0001), 8, 141_000 * Self.millisecond)
        side.take(header(0x03, 7), 8, 290_000 * Self.millisecond)
        #expect(side.end.messages == 3)
    }

    @Test("the oldest is repeated, and what is missing behind it when that is acknowledged")
    func repetition() throws {
        let side = Side(Self.first)
        for _ in 0..<5 { side.write(10) }
        #expect(side.departures(0).count == 5)
        let base = side.end.first.rawValue
        let due = try #require(side.deadline())
        #expect(due == 1_000 * Self.millisecond)
        side.expire(due)
        let again = side.departures(due)
        #expect(again.map(\.header.sequence.rawValue) == [base] && again[0].header.flags.rawValue == 0x03)
        side.take(header(0x04, 0, base &+ 2), 0, due + 1)
        #expect(side.departures(due + 1).map(\.header.sequence.rawValue) == [base &+ 2])
        side.take(header(0x04, 0, base &+ 5), 0, due + 2)
        #expect(side.departures(due + 2).isEmpty && !side.end.isUnacknowledged)
    }

    @Test("an end tells what it has counted, and nothing that this profile does not know")
    func statistics() {
        let side = Side(Self.first)
        let base = side.end.first.rawValue
        for length in [100, 50] { side.write(length) }
        #expect(side.departures(0).count == 2)
        var told = side.statistics(0)
        #expect(told.kind == .profile0 && told.ending == .none && told.payload == 1_000)
        #expect(told.messagesWritten == 2 && told.bytesWritten == 150)
        #expect(told.unacknowledgedPackets == 2 && told.unacknowledgedBytes == 150 && told.flight == 150 + 2 * 64)
        #expect(told.creditPackets == 62 && told.timeout == 1_000 * Self.millisecond && told.roundTrip == 0)
        side.take(header(0x0c, edge: (base &+ 66) & 0xff_ffff, 0, base &+ 2), 0, 3 * Self.millisecond)
        told = side.statistics(3 * Self.millisecond)
        #expect(told.unacknowledgedPackets == 0 && told.flight == 0 && told.window > 0)
        #expect(told.roundTrip == 3 * Self.millisecond && told.leastRoundTrip == 3 * Self.millisecond)
        side.write(10)
        _ = side.departures(4 * Self.millisecond)
        side.expire(2_000 * Self.millisecond)
        #expect(side.departures(2_000 * Self.millisecond).count == 1)
        told = side.statistics(2_000 * Self.millisecond)
        #expect(told.timeouts == 1 && told.repeated == 1 && told.reductions == 1 && told.packetsSent == 4)
        #expect(told.lost == 0 && told.spurious == 0 && told.rate == 0 && told.creditBytes == 0)
        side.take(header(0x03, 500), 8, 0)
        side.take(header(0x01, 502), 7, 0)
        side.take(header(0x03, 500), 8, 0)
        told = side.statistics(0)
        #expect(told.packetsReceived == 2 && told.duplicates == 1)
        #expect(told.unreadMessages == 1 && told.unreadBytes == 8)
        side.readAll()
        told = side.statistics(0)
        #expect(told.bytesRead == 8 && told.unreadMessages == 0 && told.unreadBytes == 0)
    }

    @Test("a peer that acknowledges nothing for 120 s ends the flow")
    func unheard() {
        let side = Side(Self.first)
        side.write(10)
        var now: UInt64 = 0
        var packets = side.departures(now).count
        while side.end.failure == .none, let due = side.deadline() {
            now = due
            side.expire(now)
            packets += side.departures(now).count
        }
        #expect(side.end.failure == .down && packets > 10 && now > 120_000 * Self.millisecond)
        #expect(now < 140_000 * Self.millisecond && side.depart(now) == nil)
    }

    @Test("keepalives are empty packets; a silent peer ends the flow after its timeout")
    func life() {
        let side = Side(Self.first, timeout: 2_000)
        side.expire(500 * Self.millisecond)
        guard case .empty? = side.depart(500 * Self.millisecond) else {
            Issue.record("there is no keepalive")
            return
        }
        side.end.heardLife(now: 1_900 * Self.millisecond)
        side.expire(2_100 * Self.millisecond)
        #expect(side.end.failure == .none)
        side.expire(3_900 * Self.millisecond)
        #expect(side.end.failure == .silent)
    }

    @Test("a closed window asks at once and then every 100 ms, and opens when the peer reads")
    func window() throws {
        let side = Side(Self.first)
        for _ in 0..<70 { side.write(1) }
        var sent = side.departures(0)
        #expect(sent.last?.header.flags == .rendezvous && sent.count == 65)
        #expect(side.deadline() == 100 * Self.millisecond)
        side.expire(100 * Self.millisecond)
        #expect(side.departures(100 * Self.millisecond).map(\.header.flags) == [.rendezvous])
        let base = side.end.first.rawValue
        side.take(header(0x0c, edge: (base &+ 66) & 0xff_ffff, 0, base &+ 60), 0, 101 * Self.millisecond)
        sent = side.departures(101 * Self.millisecond)
        #expect(sent.filter { $0.length > 0 }.count == 2)
    }

    @Test("an edge that stays behind what was sent holds a flow without retransmission for 100 ms only")
    func lostCredit() {
        let side = Side(Self.first, isReliable: false)
        for _ in 0..<200 { side.write(1) }
        #expect(side.departures(0).filter { $0.length > 0 }.count == 64)
        let behind = (side.end.first.rawValue &+ 60) & 0xff_ffff
        side.take(header(0x08, edge: behind, 0), 0, 99 * Self.millisecond)
        #expect(side.departures(99 * Self.millisecond).isEmpty)
        side.take(header(0x08, edge: behind, 0), 0, 100 * Self.millisecond)
        #expect(side.departures(100 * Self.millisecond).filter { $0.length > 0 }.count == 32)
    }

    @Test("a reader without retransmission that has received nothing gets one more packet each second")
    func unheardReader() {
        let side = Side(Self.first, isReliable: false)
        for _ in 0..<200 { side.write(1) }
        #expect(side.departures(0).filter { $0.length > 0 }.count == 64)
        var sent: [UInt64] = []
        while let due = side.deadline(), due < 3_500 * Self.millisecond {
            side.expire(due)
            if side.departures(due).contains(where: { $0.length > 0 }) { sent.append(due / Self.millisecond) }
        }
        #expect(sent == [1_000, 2_000, 3_000])
    }

    @Test("a flow without retransmission ends when its last data has gone")
    func lastData() {
        let side = Side(Self.first, isReliable: false)
        side.write(1)
        side.close(0)
        #expect(side.end.phase == .closing)
        #expect(side.departures(0).count == 1)
        #expect(side.end.phase == .over && side.end.failure == .none && side.deadline() == nil)
    }

    @Test("a reader that opens its window again says so until data comes")
    func update() throws {
        let side = Side(Self.first)
        for number: UInt32 in 0..<300 { side.take(header(number == 0 ? 0x03 : 0x01, number), 8, 0) }
        #expect(side.end.messages == 256 && side.end.counters.beyondEdge == 44)
        _ = side.departures(0)
        side.readAll()
        #expect(side.departures(1).map(\.header.edge) == [512])
        var now: UInt64 = 1
        for _ in 0..<3 {
            now = try #require(side.deadline())
            side.expire(now)
            #expect(side.departures(now).map(\.header.edge) == [512])
        }
        side.take(header(0x01, 256), 8, now)
        #expect(side.deadline() == nil || side.departures(now).count == 1)
    }

    @Test(
        "messages arrive once and in order, whatever is lost, doubled or overtaken", arguments: 0..<40 as Range<UInt64>)
    func weather(seed: UInt64) {
        var random = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func next(_ bound: UInt64) -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random % bound
        }
        let sides = [Side(UInt32(truncatingIfNeeded: next(1 << 32))), Side(UInt32(truncatingIfNeeded: next(1 << 32)))]
        var flying: [(due: UInt64, to: Int, header: FRCPHeader, length: Int)] = []
        var written = 0
        var now: UInt64 = 0
        let count = 400
        while sides[1].read.count < count, now < 100_000 * Self.millisecond {
            while written < count, case .admitted = sides[0].write(written % 1_000 + 1) { written += 1 }
            for from in 0..<2 {
                for (header, length) in sides[from].departures(now) where next(10) > 0 {
                    for _ in 0...(next(20) == 0 ? 1 : 0) {
                        flying.append(
                            (now + Self.millisecond + next(2) * 3 * Self.millisecond, 1 - from, header, length))
                    }
                }
            }
            let due = min(flying.map(\.due).min() ?? .max, sides[0].deadline() ?? .max, sides[1].deadline() ?? .max)
            guard due < .max else { break }
            now = max(now, due)
            for packet in flying where packet.due <= now { sides[packet.to].take(packet.header, packet.length, now) }
            flying.removeAll { $0.due <= now }
            if next(4) > 0 { sides[1].readAll() }
            for side in sides { side.expire(now) }
            sides[1].readAll()
        }
        let isRight = sides[1].read == (0..<count).map { $0 % 1_000 + 1 }
        #expect(isRight, "\(sides[1].read.count) came until \(now / Self.millisecond) ms")
        sides[0].close(now)
        #expect(sides[0].end.phase != .open)
    }

    @Test("on a flow without retransmission the order stays, and a loss costs nothing but itself")
    func lossy() {
        let sides = [Side(Self.first, isReliable: false), Side(7, isReliable: false)]
        var now: UInt64 = 0
        var sent = 0
        for round in 0..<2_000 {
            if case .admitted = sides[0].write(round % 1_000 + 1) { sent += 1 }
            for (header, length) in sides[0].departures(now) where round % 10 != 3 || length == 0 {
                sides[1].take(header, length, now)
            }
            sides[1].readAll()
            for (header, length) in sides[1].departures(now) { sides[0].take(header, length, now) }
            now += Self.millisecond
            for side in sides { side.expire(now) }
        }
        #expect(sent == 2_000 && sides[1].read.count == 1_800)
        #expect(sides[1].read.enumerated().allSatisfy { $0.element % 10 != 4 })
    }
}
