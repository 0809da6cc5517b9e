// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

/// One end of a flow in a world: the machine, its tables and stores, and the program that writes and reads.
final class FRCPHost {
    var end: FRCPEnd
    private var sentTable: [SentPacket]
    private var arrivedTable: [ArrivedPacket]
    private var sentStore: [UInt8]
    private var arrivedStore: [UInt8]
    private let bound: Int
    /// What the program writes, and has read.
    var toWrite: [Int]
    private(set) var written = 0
    private(set) var read = 0
    private(set) var readBytes = 0
    private(set) var hasSeenEnd = false
    var readsNothing = false
    var closesWhenWritten = true
    var lingers = true
    private(set) var isClosed = false
    private(set) var complaint: String?
    private let pattern: UInt64
    private let peersPattern: UInt64
    let peersMessages: () -> [Int]

    struct Options {
        var first: UInt32
        var peersFirst: UInt32
        var isReliable: Bool
        var controlsRate: Bool
        var payload: Int
        var credit: Int
        var peersCredit: Int
        var room: Int
        var peersRoom: Int
        var longestMessage: Int
        var peersLongestMessage: Int
        var table: Int
        var bound: Int
        var timeout: UInt64
        var pattern: UInt64
        var peersPattern: UInt64
        var messages: [Int]
    }

    init(_ options: Options, now: UInt64, peersMessages: @escaping () -> [Int]) {
        let transmitter = Transmitter(
            first: SequenceNumber(options.first), isReliable: options.isReliable, controlsRate: options.controlsRate,
            credit: options.peersCredit, room: UInt64(options.peersRoom), payload: options.payload,
            longestMessage: options.peersLongestMessage, peersDelay: 5_000_000)
        let receiver = Receiver(
            first: SequenceNumber(options.peersFirst), isReliable: options.isReliable, credit: options.credit,
            bound: UInt64(options.room), longestMessage: options.longestMessage, delay: 5_000_000,
            gapPatience: 10_000_000)
        end = FRCPEnd(
            transmitter: transmitter, receiver: receiver,
            settings: FRCPEnd.Settings(timeout: options.timeout, lifetime: 100_000_000), now: now)
        sentTable = Array(repeating: SentPacket(), count: options.table)
        arrivedTable = Array(repeating: ArrivedPacket(), count: options.table)
        bound = options.bound
        // A longer message enters an empty store.
        sentStore = Array(repeating: 0, count: FRCPHost.powerOfTwo(max(options.bound, options.longestMessage)))
        let most = max(options.room, options.longestMessage + 64 * (options.longestMessage / 1_024 + 2))
        arrivedStore = Array(repeating: 0, count: FRCPHost.powerOfTwo(2 * most))
        toWrite = options.messages
        pattern = options.pattern
        peersPattern = options.peersPattern
        self.peersMessages = peersMessages
    }

    private static func powerOfTwo(_ least: Int) -> Int {
        var size = 4_096
        while size < least { size *= 2 }
        return size
    }

    /// The byte of a message.
    @inline(__always)
    private static func byte(_ pattern: UInt64, _ message: Int, _ offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: pattern &+ UInt64(message) &* 0x9e37 &+ UInt64(offset) &* 0x85)
    }

    /// Writes to a ring.
    private static func fill(_ store: inout [UInt8], _ place: Int, _ length: Int, _ byte: (Int) -> UInt8) {
        for offset in 0..<length { store[(place + offset) & (store.count - 1)] = byte(offset) }
    }

    func complain(_ text: String) { if complaint == nil { complaint = text } }

    /// The program writes what it can, and lets go when all is written.
    func write(now: UInt64) {
        var table = sentTable.mutableSpan
        while end.canWrite, let length = toWrite.first {
            let position: UInt64
            switch end.admit(length, bound: bound, &table) {
            case .admitted(let place): position = place
            case .full, .ending: return
            case .tooLong: return complain("a message of \(length) bytes is too long")
            }
            FRCPHost.fill(&sentStore, Int(position), length) { [pattern, written] in
                FRCPHost.byte(pattern, written, $0)
            }
            written += 1
            toWrite.removeFirst()
        }
        if toWrite.isEmpty || !end.canWrite, closesWhenWritten, hasReadAll { close(now: now) }
    }

    private var hasReadAll: Bool { hasSeenEnd || peersMessages().count == read }

    func close(now: UInt64) {
        guard !isClosed else { return }
        isClosed = true
        var table = arrivedTable.mutableSpan
        end.close(lingers: lingers, now: now, &table)
    }

    /// The program reads what is there.
    func readAll(atMost count: Int) {
        guard !readsNothing, !isClosed else { return }
        var table = arrivedTable.mutableSpan
        for _ in 0..<count {
            guard var piece = end.receiver.piece(capacity: arrivedStore.count, in: table) else {
                if end.hasEnded, !hasSeenEnd {
                    hasSeenEnd = true
                }
                return
            }
            var offset = 0
            let index = end.receiver.isReliable ? read : recognise(piece)
            while true {
                guard isRight(piece, of: index, from: offset) else {
                    return complain("message \(index) is wrong behind byte \(offset)")
                }
                offset += piece.length
                if piece.isLast { break }
                guard let next = end.receiver.piece(after: piece, capacity: arrivedStore.count, in: table) else {
                    return complain("message \(index) ends at byte \(offset)")
                }
                piece = next
            }
            let all = peersMessages()
            guard index < all.count, offset == all[index] else {
                return complain("message \(index) has \(offset) bytes")
            }
            end.finish(piece, &table)
            read = index + 1
            readBytes += offset
        }
    }

    private func isRight(_ piece: Receiver.Piece, of index: Int, from offset: Int) -> Bool {
        let store = arrivedStore
        let pattern = peersPattern
        for byte in 0..<piece.length
        where store[(piece.place + byte) & (store.count - 1)] != FRCPHost.byte(pattern, index, offset + byte) {
            return false
        }
        return true
    }

    /// The number of a message of a lossy flow, by its first bytes and its order: not before what was read.
    private func recognise(_ piece: Receiver.Piece) -> Int {
        let count = peersMessages().count
        for index in read..<max(count, read) {
            let matches = (0..<min(piece.length, 8)).allSatisfy {
                arrivedStore[(piece.place + $0) & (arrivedStore.count - 1)] == FRCPHost.byte(peersPattern, index, $0)
            }
            if matches { return index }
        }
        return count
    }

    // Packets.

    /// The next packet that goes.
    func depart(now: UInt64) -> [UInt8]? {
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        guard let departure = end.depart(now: now, &sent, &arrived) else { return nil }
        switch departure {
        case .empty: return []
        case .bare(let header): return FRCPHost.bytes(header)
        case .control(let header, let frame):
            return [UInt8](capacity: FRCPHeader.bytes + frame.bytes) { bytes in
                header.write(to: &bytes)
                frame.write(to: &bytes)
            }
        case .data(let header, let position, let length):
            var packet = FRCPHost.bytes(header)
            for offset in 0..<length {
                packet.append(sentStore[(Int(truncatingIfNeeded: position) + offset) & (sentStore.count - 1)])
            }
            return packet
        }
    }

    private static func bytes(_ header: FRCPHeader) -> [UInt8] {
        [UInt8](capacity: FRCPHeader.bytes) { header.write(to: &$0) }
    }

    func arrive(_ packet: [UInt8], arrival: UInt64, now: UInt64) {
        guard let header = FRCPHeader(packet.span) else { return }
        let length = packet.count - FRCPHeader.bytes
        let frame = Acknowledgement(packet.span.extracting(FRCPHeader.bytes...))
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        let result = end.arrived(
            header, length: length, frame: header.flags.contains(.data) ? nil : frame, capacity: arrivedStore.count,
            arrival: arrival, now: now, &sent, &arrived)
        guard case .store(let place) = result else { return }
        FRCPHost.fill(&arrivedStore, place, length) { packet[FRCPHeader.bytes + $0] }
    }

    func expire(now: UInt64) {
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        end.expire(now: now, &sent, &arrived)
    }

    /// What arrived was processed; timers follow.
    func expireIfDue(now: UInt64) {
        if let deadline = deadline(), now >= deadline { expire(now: now) }
    }

    func deadline() -> UInt64? {
        var table = sentTable.mutableSpan
        return end.deadline(&table)
    }

    /// What must be true at any time.
    func check() {
        if let trouble = end.transmitter.contradiction(in: sentTable.mutableSpan) { complain(trouble) }
        if let trouble = end.receiver.contradiction(in: arrivedTable.mutableSpan) { complain(trouble) }
    }
}
