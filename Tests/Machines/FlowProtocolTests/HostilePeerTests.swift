// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Testing
import Vocabulary

/// A peer that sends anything: an end neither stops the program nor loses count.
@Suite struct HostilePeerTests {
    private final class End {
        var machine: FRCPEnd
        var sent: [SentPacket]
        var arrived: [ArrivedPacket]
        var now: UInt64 = 1_000_000_000
        static let capacity = 4 << 20

        init(isReliable: Bool, payload: Int) {
            let transmitter = Transmitter(
                first: SequenceNumber(0xffff_ff00), isReliable: isReliable, controlsRate: true, credit: 256,
                room: 65_536, payload: payload, longestMessage: 100_000, peersDelay: 5_000_000)
            let receiver = Receiver(
                first: SequenceNumber(0x00ff_ff00), isReliable: isReliable, credit: 256, bound: 65_536,
                longestMessage: 100_000, delay: 5_000_000, gapPatience: 10_000_000)
            machine = FRCPEnd(
                transmitter: transmitter, receiver: receiver,
                settings: FRCPEnd.Settings(timeout: 10_000_000_000, lifetime: 1_000_000), now: now)
            sent = Array(repeating: SentPacket(), count: 512)
            arrived = Array(repeating: ArrivedPacket(), count: 4_096)
        }

        func arrive(_ header: FRCPHeader, _ length: Int, _ frame: Acknowledgement?) {
            var sent = self.sent.mutableSpan
            var arrived = self.arrived.mutableSpan
            _ = machine.arrived(
                header, length: length, frame: frame, capacity: End.capacity, arrival: now, now: now, &sent, &arrived)
        }

        func act(_ random: inout RandomSource) {
            var sent = self.sent.mutableSpan
            var arrived = self.arrived.mutableSpan
            now += random.next() % 3_000_000
            if random.next() % 64 == 0 { now += random.next() % 2_000_000_000 }
            _ = machine.admit(1 + Int(random.next() % 5_000), bound: 50_000, &sent)
            if let due = machine.deadline(&sent), due <= now { machine.expire(now: now, &sent, &arrived) }
            for _ in 0..<8 { if machine.depart(now: now, &sent, &arrived) == nil { break } }
            if random.next() % 4 == 0, var piece = machine.receiver.piece(capacity: End.capacity, in: arrived) {
                while !piece.isLast,
                    let next = machine.receiver.piece(after: piece, capacity: End.capacity, in: arrived)
                { piece = next }
                machine.finish(piece, &arrived)
            }
        }

        /// Nil: the books are right.
        var trouble: String?

        func check() {
            if let wrong = machine.transmitter.contradiction(in: sent.mutableSpan) { trouble = wrong }
            if let wrong = machine.receiver.contradiction(in: arrived.mutableSpan) { trouble = wrong }
        }
    }

    /// A header that is often near what would be right.
    private static func header(_ end: End, _ random: inout RandomSource) -> FRCPHeader {
        func near(_ number: SequenceNumber) -> SequenceNumber {
            switch random.next() % 8 {
            case 0: SequenceNumber(UInt32(truncatingIfNeeded: random.next()))
            case 1: number + (Int(random.next() % 600) - 300)
            default: number + (Int(random.next() % 20) - 4)
            }
        }
        let acknowledged = near(end.machine.transmitter.first + (end.machine.transmitter.next - 5))
        let flags: [UInt8] = [0x0d, 0x0d, 0x0f, 0x1d, 0x2d, 0x4d, 0x6d, 0x0c, 0x1c, 0x0c, 0x8d, 0x8c]
        let flag = random.next() % 50 == 0 ? UInt8(truncatingIfNeeded: random.next()) : flags[Int(random.next() % 10)]
        return FRCPHeader(
            flags: FRCPHeader.Flags(rawValue: flag), edge: (acknowledged + Int(random.next() % 40_000)).rawValue,
            sequence: near(end.machine.receiver.acknowledgedSequence), acknowledged: acknowledged)
    }

    private static func frame(_ end: End, _ random: inout RandomSource) -> [UInt8] {
        var frame = Acknowledgement()
        frame.newest = end.machine.transmitter.first + (Int(random.next() % 600) - 20)
        frame.delay = UInt32(truncatingIfNeeded: random.next() >> (random.next() % 33))
        frame.room = UInt32(truncatingIfNeeded: random.next() >> (32 + random.next() % 32))
        frame.received = UInt32(truncatingIfNeeded: random.next())
        frame.duplicates = UInt16(truncatingIfNeeded: random.next())
        frame.bits = Acknowledgement.Bits(rawValue: UInt8(random.next() % 8))
        for _ in 0..<random.next() % 5 {
            frame.append(Acknowledgement.Range(offset: UInt16(random.next() % 300), length: UInt16(random.next() % 9)))
        }
        var bytes = [UInt8](capacity: frame.bytes) { frame.write(to: &$0) }
        if random.next() % 3 == 0 { bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8)) }
        return random.next() % 16 == 0 ? Array(bytes.prefix(Int(random.next() % 40))) : bytes
    }

    @Test("whatever comes, the books of an end are right", arguments: [true, false])
    func anything(isReliable: Bool) {
        for seed in UInt64(0)..<60 {
            var random = RandomSource(seed: seed)
            let end = End(isReliable: isReliable, payload: seed % 2 == 0 ? 1_400 : 500)
            for step in 0..<600 {
                let header = Self.header(end, &random)
                let bytes = Self.frame(end, &random)
                let length = random.next() % 16 == 0 ? Int(random.next() % 66_000) : 1_024 + Int(random.next() % 400)
                let isControl = header.flags.isDisjoint(with: [.data, .end])
                end.arrive(header, isControl ? bytes.count : length, isControl ? Acknowledgement(bytes.span) : nil)
                end.act(&random)
                if step % 16 == 0 {
                    end.check()
                    #expect(end.trouble == nil, "seed \(seed), step \(step)")
                    if end.trouble != nil { return }
                }
            }
        }
    }

    @Test("a frame that is cut, or whose ranges are wrong, is none")
    func frames() {
        var frame = Acknowledgement()
        frame.append(Acknowledgement.Range(offset: 9, length: 2))
        frame.append(Acknowledgement.Range(offset: 3, length: 5))
        let right = [UInt8](capacity: frame.bytes) { frame.write(to: &$0) }
        #expect(right.count == 28 && Self.isFrame(right) && Self.isFrame(right + [1, 2, 3]))
        for count in 0..<28 { #expect(!Self.isFrame(Array(right.prefix(count)))) }
        // They touch; the lower comes first; one begins at 0; one is empty.
        for ranges in [[(9, 2), (4, 5)], [(3, 5), (9, 2)], [(0, 2)], [(4, 0)]] {
            var wrong = Acknowledgement()
            for (offset, length) in ranges {
                wrong.append(Acknowledgement.Range(offset: UInt16(offset), length: UInt16(length)))
            }
            #expect(!Self.isFrame([UInt8](capacity: wrong.bytes) { wrong.write(to: &$0) }))
        }
        var unknown = right
        unknown[18] = 0x08
        #expect(!Self.isFrame(unknown))
        unknown[18] = 0
        unknown[19] = 65
        #expect(!Self.isFrame(unknown + [UInt8](repeating: 0, count: 400)))
    }

    private static func isFrame(_ bytes: [UInt8]) -> Bool { Acknowledgement(bytes.span) != nil }

    @Test("the frame of the example of the specification has these bytes")
    func golden() {
        let header = FRCPHeader(
            flags: [.acknowledges, .credits], edge: (SequenceNumber(0xa4de_5c0c) + 0x4000).rawValue,
            sequence: SequenceNumber(0xb71c_6f17), acknowledged: SequenceNumber(0xa4de_5c0c))
        var frame = Acknowledgement()
        frame.newest = SequenceNumber(0xa4de_5c0f)
        frame.delay = 0xfa
        frame.room = 0xffec0
        frame.received = 5
        frame.bits = .newestIsValid
        frame.append(Acknowledgement.Range(offset: 1, length: 3))
        let bytes = [UInt8](capacity: 36) {
            header.write(to: &$0)
            frame.write(to: &$0)
        }
        #expect(
            bytes == [
                0x0c, 0xde, 0x9c, 0x0c, 0xb7, 0x1c, 0x6f, 0x17, 0xa4, 0xde, 0x5c, 0x0c, 0xa4, 0xde, 0x5c, 0x0f,
                0, 0, 0, 0xfa, 0, 0x0f, 0xfe, 0xc0, 0, 0, 0, 5, 0, 0, 1, 1, 0, 1, 0, 3,
            ])
    }
}
