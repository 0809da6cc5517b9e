// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

/// One end of a flow in a world: the machine, its tables and stores, and the program that writes and reads.
final class FRCPHost {
    var machine: FlowMachine
    let hasProfile0: Bool
    let isReliable: Bool
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
    private(set) var readMessages = 0
    /// Messages that came in at least 16 fragments.
    private(set) var longMessages = 0
    var readsNothing = false
    var closesWhenWritten = false
    let plan: ProgramPlan
    /// The peer's messages are what it was given to write.
    var trustsPeer = true
    private(set) var closedAt: UInt64 = 0
    /// The process was killed: nothing is received, sent or asked any more.
    var isDead = false
    private(set) var isClosed = false
    private(set) var complaint: String?
    private let pattern: UInt64
    private let peersPattern: UInt64
    let peersMessages: [Int]

    init(_ flow: FlowPlan, _ side: Int, now: UInt64) {
        machine = flow.machine(side, now: now)
        hasProfile0 = flow.hasProfile0
        isReliable = flow.isReliable
        sentTable = Array(repeating: SentPacket(), count: FRCPHost.places)
        arrivedTable = Array(repeating: ArrivedPacket(), count: FRCPHost.places)
        bound = flow.bound
        // A longer message enters an empty store.
        sentStore = Array(repeating: 0, count: FRCPHost.powerOfTwo(max(flow.bound, flow.longest)))
        arrivedStore = Array(repeating: 0, count: FRCPHost.powerOfTwo(flow.arrivedBytes(side)))
        plan = flow.programs[side]
        toWrite = plan.messages
        pattern = flow.patterns[side]
        peersPattern = flow.patterns[1 - side]
        peersMessages = flow.programs[1 - side].messages
    }

    private static let places = 32_768

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

    /// The one or two parts of a ring that begin at a place.
    private static func parts(_ count: Int, _ place: Int, _ length: Int) -> (Range<Int>, Range<Int>) {
        let start = place & (count - 1)
        let first = min(length, count - start)
        return (start..<start + first, 0..<length - first)
    }

    /// Writes the bytes of a message to a ring.
    private static func fill(_ store: inout [UInt8], _ place: Int, _ length: Int, _ pattern: UInt64, _ message: Int) {
        var value = byte(pattern, message, 0)
        let (first, second) = parts(store.count, place, length)
        for index in first {
            store[index] = value
            value &+= 0x85
        }
        for index in second {
            store[index] = value
            value &+= 0x85
        }
    }

    func complain(_ text: String) { if complaint == nil { complaint = text } }

    private var canWrite: Bool { hasProfile0 ? machine.profile0.canWrite : machine.profile1.canWrite }
    var cause: FRCPEnd.Cause { hasProfile0 ? machine.profile0.cause : machine.profile1.cause }

    /// The program writes what it can, and lets go when all is written.
    func write(now: UInt64) {
        var table = sentTable.mutableSpan
        while canWrite, let length = toWrite.first {
            if written >= plan.restsAfter, now < plan.restsUntil { return }
            let position: UInt64
            switch machine.admit(length, bound: bound, &table) {
            case .admitted(let place): position = place
            case .full, .ending: return
            case .tooLong: return complain("a message of \(length) bytes is too long")
            }
            FRCPHost.fill(&sentStore, Int(position), length, pattern, written)
            written += 1
            toWrite.removeFirst()
        }
        guard toWrite.isEmpty || !canWrite else { return }
        if plan.closesEarly || closesWhenWritten && hasReadAll { close(now: now) }
    }

    private var hasReadAll: Bool { hasSeenEnd || peersMessages.count == read }

    func close(now: UInt64) {
        guard !isClosed else { return }
        isClosed = true
        closedAt = now
        var table = arrivedTable.mutableSpan
        machine.close(lingers: plan.lingers, now: now, &table)
    }

    /// The program reads what is there.
    func read(atMost count: Int) {
        guard !readsNothing, !isClosed else { return }
        var table = arrivedTable.mutableSpan
        for _ in 0..<count {
            guard var piece = machine.piece(after: nil, capacity: arrivedStore.count, in: table) else {
                if machine.hasEnded { hasSeenEnd = true }
                return
            }
            guard trustsPeer else {
                drop(piece, &table)
                continue
            }
            var offset = 0
            var pieces = 1
            let index = isReliable ? read : recognise(piece)
            while true {
                guard isRight(piece, of: index, from: offset) else {
                    return complain("message \(index) is wrong behind byte \(offset)")
                }
                offset += piece.length
                if piece.isLast { break }
                guard let next = machine.piece(after: piece, capacity: arrivedStore.count, in: table) else {
                    return complain("message \(index) ends at byte \(offset)")
                }
                piece = next
                pieces += 1
            }
            if pieces >= 16 { longMessages += 1 }
            let all = peersMessages
            guard index < all.count, offset == all[index] else {
                return complain("message \(index) has \(offset) bytes")
            }
            machine.finish(piece, &table)
            read = index + 1
            readMessages += 1
            readBytes += offset
        }
    }

    /// Reads a message, whatever it is.
    private func drop(_ piece: Receiver.Piece, _ table: inout MutableSpan<ArrivedPacket>) {
        var piece = piece
        while !piece.isLast, let next = machine.piece(after: piece, capacity: arrivedStore.count, in: table) {
            piece = next
        }
        machine.finish(piece, &table)
        readMessages += 1
    }

    private func isRight(_ piece: Receiver.Piece, of index: Int, from offset: Int) -> Bool {
        var value = FRCPHost.byte(peersPattern, index, offset)
        let (first, second) = FRCPHost.parts(arrivedStore.count, piece.place, piece.length)
        for place in first {
            if arrivedStore[place] != value { return false }
            value &+= 0x85
        }
        for place in second {
            if arrivedStore[place] != value { return false }
            value &+= 0x85
        }
        return true
    }

    /// The number of a message of a lossy flow, by its first bytes and its order: not before what was read.
    private func recognise(_ piece: Receiver.Piece) -> Int {
        let count = peersMessages.count
        for index in read..<max(count, read) {
            // A message of profile 0 is one packet, and the lengths of those with the same bytes differ.
            if hasProfile0, piece.length != peersMessages[index] { continue }
            let matches = (0..<min(piece.length, 8)).allSatisfy {
                arrivedStore[(piece.place + $0) & (arrivedStore.count - 1)] == FRCPHost.byte(peersPattern, index, $0)
            }
            if matches { return index }
        }
        return count
    }

    // Packets.

    /// Tries a write that no peer would take.
    func writeTooMuch() {
        var table = sentTable.mutableSpan
        guard canWrite, machine.admit(machine.longestMessage + 1, bound: bound, &table) != .tooLong else { return }
        complain("a message is longer than the peer accepts")
    }

    /// The next packet that goes.
    func depart(now: UInt64) -> [UInt8]? {
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        guard let departure = machine.depart(now: now, &sent, &arrived) else { return nil }
        switch departure {
        case .empty: return []
        case .bare(let header): return FRCPHost.bytes(header)
        case .control(let header):
            let frame = machine.told
            return [UInt8](capacity: FRCPHeader.bytes + frame.bytes) { bytes in
                header.write(to: &bytes)
                frame.write(to: &bytes)
            }
        case .data(let header, let position, let length):
            var packet = FRCPHost.bytes(header)
            let (first, second) = FRCPHost.parts(sentStore.count, Int(truncatingIfNeeded: position), length)
            packet.append(contentsOf: sentStore[first])
            packet.append(contentsOf: sentStore[second])
            return packet
        }
    }

    private static func bytes(_ header: FRCPHeader) -> [UInt8] {
        [UInt8](capacity: FRCPHeader.bytes) { header.write(to: &$0) }
    }

    func arrive(_ packet: [UInt8], arrival: UInt64, now: UInt64) {
        guard !packet.isEmpty else { return machine.heardLife(now: now) }
        guard let header = FRCPHeader(packet.span) else { return }
        let length = packet.count - FRCPHeader.bytes
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        guard header.flags.contains(.data) else {
            let frame = Acknowledgement(packet.span.extracting(FRCPHeader.bytes...))
            return machine.controlArrived(header, length: length, frame: frame, now: now, &sent, &arrived)
        }
        let result = machine.dataArrived(
            header, length: length, capacity: arrivedStore.count, arrival: arrival, now: now, &sent, &arrived)
        guard case .store(let place) = result else { return }
        let (first, second) = FRCPHost.parts(arrivedStore.count, place, length)
        arrivedStore.replaceSubrange(first, with: packet[12..<12 + first.count])
        if !second.isEmpty { arrivedStore.replaceSubrange(second, with: packet[(12 + first.count)...]) }
    }

    func expire(now: UInt64) {
        var sent = sentTable.mutableSpan
        var arrived = arrivedTable.mutableSpan
        machine.expire(now: now, &sent, &arrived)
    }

    /// What arrived was processed; timers follow.
    func expireIfDue(now: UInt64) {
        if let deadline = deadline(), now >= deadline { expire(now: now) }
    }

    func deadline() -> UInt64? {
        var table = sentTable.mutableSpan
        return machine.deadline(&table)
    }

    /// What must be true at any time.
    func check(now: UInt64) {
        guard !hasProfile0 else {
            if let trouble = machine.profile0.contradiction(in: sentTable.mutableSpan, arrivedTable.mutableSpan) {
                complain(trouble)
            }
            return
        }
        let (sender, reader) = (machine.profile1.transmitter, machine.profile1.receiver)
        if let trouble = sender.contradiction(in: sentTable.mutableSpan) { complain(trouble) }
        let isSending =
            machine.failure == .none && !reader.hasEnded && machine.phase.rawValue <= FRCPEnd.Phase.closing.rawValue
        if isSending, let trouble = sender.delay(now: now, in: sentTable.mutableSpan) { complain(trouble) }
        if let trouble = reader.contradiction(in: arrivedTable.mutableSpan) { complain(trouble) }
    }
}
