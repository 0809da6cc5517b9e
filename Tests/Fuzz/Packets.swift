// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

/// One end of a flow with FRCP whose peer, program and clock are the fuzzer's. Nothing that they do may trap or confuse the
/// books, and no packet may make much work.
private final class Flow {
    private static let capacity = 1 << 18
    private static let bound = 20_000
    private static let credit = 64

    private var end: FRCPEnd
    private var sent = [SentPacket](repeating: SentPacket(), count: 128)
    private var arrived = [ArrivedPacket](repeating: ArrivedPacket(), count: 256)
    private var now: UInt64 = 1_000_000_000

    init(_ input: inout Input) {
        let options = input.byte()
        let isReliable = options & 1 == 0
        let payload = options & 2 == 0 ? 1_400 : 100
        let longest = options & 4 == 0 ? 5_000 : 200_000
        let firsts: [UInt32] = [0xffff_fff0, 0x00ff_fff8, 0, 0x7fff_fff0]
        let transmitter = Transmitter(
            first: SequenceNumber(firsts[Int(options >> 3) & 3]), isReliable: isReliable,
            controlsRate: options & 32 == 0,
            credit: Flow.credit, room: 65_536, payload: payload, longestMessage: longest, peersDelay: 5_000_000)
        let receiver = Receiver(
            first: SequenceNumber(firsts[Int(options >> 4) & 3]), isReliable: isReliable, credit: Flow.credit,
            bound: 65_536, longestMessage: longest, delay: 5_000_000, gapPatience: 10_000_000)
        let timeout: UInt64 = options & 64 == 0 ? 0 : 1_000_000_000
        end = FRCPEnd(
            transmitter: transmitter, receiver: receiver,
            settings: FRCPEnd.Settings(timeout: timeout, lifetime: 1_000_000), now: now)
    }

    func step(_ input: inout Input) {
        switch input.byte() % 16 {
        case 0...5: arrive(header(&input), &input)
        case 6: arrive(FRCPHeader(words: (input.word32(), input.word32(), input.word32())), &input)
        case 7, 8: write(1 + Int(input.byte()) * (input.byte() & 7 == 0 ? 40 : 1))
        case 9, 10: read()
        case 11: close(lingers: input.byte() & 1 == 0)
        case 12: now += UInt64(input.byte()) * 1_000_000
        case 13: now += UInt64(input.byte()) * 1_000_000_000
        case 14: expire()
        default: depart()
        }
        check()
    }

    /// A header that is near what would be right.
    private func header(_ input: inout Input) -> FRCPHeader {
        let flags: [UInt8] = [
            0x0d, 0x0f, 0x1d, 0x2d, 0x4d, 0x6d, 0x0c, 0x1c, 0x0c, 0x8d, 0x8c, 0x0d, 0x0c, 0x9d, 0x0e, 0x2f,
        ]
        let (flag, near) = (input.byte(), input.byte())
        let sender = end.transmitter
        let acknowledged = sender.first + (sender.acknowledged + Int(near & 15) - 2)
        let ahead = Int(input.byte()) - 8
        return FRCPHeader(
            flags: FRCPHeader.Flags(rawValue: flag & 0x80 == 0 ? flags[Int(flag & 15)] : flag),
            edge: (acknowledged + (near & 16 == 0 ? 64 : 150 * Int(input.byte()))).rawValue,
            sequence: end.receiver.acknowledgedSequence + (near & 32 == 0 ? ahead & 3 : ahead),
            acknowledged: acknowledged)
    }

    private func arrive(_ header: FRCPHeader, _ input: inout Input) {
        let isControl = header.flags.isDisjoint(with: [.data, .end])
        let bytes = isControl ? frame(&input) : []
        var length = isControl ? bytes.count : header.flags.contains(.end) ? Int(input.byte() >> 7) : Int(input.byte())
        if header.flags.contains(.data), length & 1 == 1 { length += 1_024 }
        var sender = sent.mutableSpan
        var reader = arrived.mutableSpan
        let arrival = end.arrived(
            header, length: length, frame: isControl ? Acknowledgement(bytes.span) : nil, capacity: Flow.capacity,
            arrival: now, now: now, &sender, &reader)
        if case .store(let place) = arrival {
            precondition(place >= 0 && place < Flow.capacity, "\(place) is no place")
        }
    }

    /// The bytes of a frame, nearly right.
    private func frame(_ input: inout Input) -> [UInt8] {
        let shape = input.byte()
        var frame = Acknowledgement()
        frame.newest = end.transmitter.first + (end.transmitter.acknowledged + Int(input.byte() & 31))
        frame.delay = UInt32(input.byte()) << UInt32(input.byte() & 31)
        frame.room = UInt32(input.byte()) << UInt32(input.byte() & 31)
        frame.received = UInt32(truncatingIfNeeded: end.transmitter.acknowledged + Int(input.byte()) - 8)
        frame.duplicates = UInt16(input.byte())
        frame.bits = Acknowledgement.Bits(rawValue: input.byte() & 15)
        var offset = 100 * UInt16(shape & 3)
        for _ in 0..<shape & 7 {
            offset = offset &- UInt16(input.byte() & 15)
            frame.append(.init(offset: offset, length: UInt16(input.byte() & 7)))
        }
        let bytes = [UInt8](capacity: frame.bytes) { frame.write(to: &$0) }
        return shape & 0xf8 == 0xf8 ? Array(bytes.prefix(Int(input.byte() & 31))) : bytes
    }

    private func write(_ length: Int) {
        var table = sent.mutableSpan
        _ = end.admit(length, bound: Flow.bound, &table)
    }

    /// Reads a message.
    private func read() {
        var table = arrived.mutableSpan
        guard var piece = end.receiver.piece(capacity: Flow.capacity, in: table) else { return }
        var pieces = 1
        while !piece.isLast, let next = end.receiver.piece(after: piece, capacity: Flow.capacity, in: table) {
            precondition(piece.length >= 1_024, "a fragment in the middle has \(piece.length) bytes")
            piece = next
            pieces += 1
        }
        precondition(piece.isLast && pieces <= table.count, "a message without an end")
        end.finish(piece, &table)
    }

    private func close(lingers: Bool) {
        var table = arrived.mutableSpan
        end.close(lingers: lingers, now: now, &table)
    }

    private func expire() {
        var sender = sent.mutableSpan
        var reader = arrived.mutableSpan
        end.expire(now: now, &sender, &reader)
    }

    /// Sends what is to be sent: not more than the table has places, and a few control packets.
    private func depart() {
        var sender = sent.mutableSpan
        var reader = arrived.mutableSpan
        var count = 0
        while let departure = end.depart(now: now, &sender, &reader) {
            count += 1
            precondition(count <= sender.count + 4, "it does not stop to send")
            guard case .data(_, let position, let length) = departure else { continue }
            precondition(length > 0 && position < end.transmitter.writtenBytes, "bytes that nobody wrote are sent")
        }
    }

    private func check() {
        var (sent, arrived, end) = (self.sent, self.arrived, self.end)
        let sender = end.transmitter.contradiction(in: sent.mutableSpan)
        precondition(sender == nil, sender ?? "")
        let reader = end.receiver.contradiction(in: arrived.mutableSpan)
        precondition(reader == nil, reader ?? "")
        var table = sent.mutableSpan
        precondition(end.phase != .over || end.deadline(&table) == nil, "an end that is over has a deadline")
    }
}

extension Input {
    fileprivate mutating func word32() -> UInt32 { UInt32(truncatingIfNeeded: word() >> 32) }
}

/// The fuzzer's entry: steps until there are no bytes left.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    var input = Input(bytes, count)
    let flow = Flow(&input)
    while !input.isEmpty { flow.step(&input) }
    return 0
}
