// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowProtocol
import Vocabulary

/// The private memory of an end of a flow between hosts that FRCP makes reliable or keeps in order: the machine, its tables
/// of packets, and the bytes of messages that are sent or have arrived. A forked child shares the memory; the peer and the
/// IPCP never see it. The mapping is sparse: what was never used takes no memory. design: frcp-place
struct LayerMemory: Equatable {
    private let base: UnsafeMutableRawPointer

    /// Entries; powers of two. As many as a peer may allow to be in flight.
    static let sentPackets = 32_768
    /// As many as the bound of what is unread allows, and what may be ahead of that.
    static let arrivedPackets = 131_072
    /// Bytes of messages that are not acknowledged; a power of two. Only a message that is longer than `sentBound` uses all
    /// of the store, and waits until the store is empty. Else the first `sentBound` bytes are the ring, which stay in the
    /// cache of the processor.
    static let sentBytes = Limits.messageBytes
    static let sentBound = 1 << 20
    /// Twice what may be here: the longest message in its shortest fragments.
    static let arrivedBytes = 64 << 20
    /// A packet while its checksum is looked at, a control packet while it is read.
    static let scratchBytes = 128 << 10
    /// A message that a program fills or reads in place.
    static let placeBytes = Limits.messageBytes

    /// The state stands before the tables.
    static let sentTableOffset = 8_192
    private static let arrivedTableOffset = sentTableOffset + sentPackets * MemoryLayout<SentPacket>.stride
    private static let scratchOffset = arrivedTableOffset + arrivedPackets * MemoryLayout<ArrivedPacket>.stride
    private static let sentOffset = scratchOffset + scratchBytes
    private static let arrivedOffset = sentOffset + sentBytes
    private static let filledOffset = arrivedOffset + arrivedBytes
    private static let readOffset = filledOffset + placeBytes
    private static let size = readOffset + placeBytes

    init(_ state: LayerState) throws(Failure) {
        let flags = Int32(MAP_SHARED) | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
        guard
            let base = mmap(nil, LayerMemory.size, PROT_READ | PROT_WRITE, flags, -1, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw Failure(result: Int(cl_refused("mmap"))) }
        self.base = base
        self.state.initialize(to: state)
    }

    func unmap() { munmap(base, LayerMemory.size) }

    var state: UnsafeMutablePointer<LayerState> { base.assumingMemoryBound(to: LayerState.self) }
    var scratch: UnsafeMutableRawPointer { base + LayerMemory.scratchOffset }
    /// Where a program fills a message in place, and where it reads one.
    var filled: UnsafeMutableRawPointer { base + LayerMemory.filledOffset }
    var readable: UnsafeMutableRawPointer { base + LayerMemory.readOffset }

    /// Calls `body` with the machine and both tables.
    @inline(__always)
    func withMachine<Result>(
        _ body: (inout FlowMachine, inout MutableSpan<SentPacket>, inout MutableSpan<ArrivedPacket>) -> Result
    ) -> Result {
        let sentBase = (base + LayerMemory.sentTableOffset).assumingMemoryBound(to: SentPacket.self)
        let arrivedBase = (base + LayerMemory.arrivedTableOffset).assumingMemoryBound(to: ArrivedPacket.self)
        var sent = MutableSpan(_unsafeStart: sentBase, count: LayerMemory.sentPackets)
        var arrived = MutableSpan(_unsafeStart: arrivedBase, count: LayerMemory.arrivedPackets)
        return body(&state.pointee.machine, &sent, &arrived)
    }

    /// When the machine's `expire` wants to be called, nanoseconds; `.max`: not because of time.
    func findDeadline() -> UInt64 {
        let due = withMachine { machine, sent, _ in machine.deadline(&sent) ?? .max }
        state.pointee.due = due
        return due
    }

    // An idle flow.

    /// Bytes that have gone through the stores.
    private var used: UInt64 {
        state.pointee.machine.writtenBytes &+ state.pointee.machine.arrivedBytes
    }

    /// Nothing is here that is needed.
    private var isEmpty: Bool {
        !state.pointee.machine.isUnacknowledged && state.pointee.machine.isReceiverEmpty
            && state.pointee.cursor == nil && state.pointee.heldPiece == nil
    }

    private static let trimPatience: UInt64 = 1_000_000_000
    /// A flow whose messages nobody reads keeps them; the looks at it become ever more seldom.
    private static let longestTrimPatience: UInt64 = 64_000_000_000

    /// The flow is idle now: if it stays so, its memory is given back a little later.
    func beginTrim(now: UInt64) {
        guard state.pointee.trimDue == .max, used != state.pointee.trimmed else { return }
        awaitTrim(LayerMemory.trimPatience, now: now)
    }

    private func awaitTrim(_ patience: UInt64, now: UInt64) {
        state.pointee.trimPatience = patience
        state.pointee.trimDue = now + patience
        state.pointee.trimMark = used
    }

    /// The time has come. What is read from the memory after that is zero, as in new tables.
    func trim(_ end: FlowEnd, now: UInt64) {
        guard used == state.pointee.trimMark else { return awaitTrim(LayerMemory.trimPatience, now: now) }
        guard isEmpty, !end.sending.pointee.reservation.isHeld else {
            let patience = min(2 * state.pointee.trimPatience, LayerMemory.longestTrimPatience)
            return awaitTrim(patience, now: now)
        }
        state.pointee.trimDue = .max
        let start = LayerMemory.sentTableOffset
        guard madvise(base + start, LayerMemory.size - start, MADV_REMOVE) == 0 else { return }
        state.pointee.trimmed = used
    }

    // Stores: rings of bytes.

    /// See `FRCPEnd.admit`. An empty store becomes a ring of the size that the message needs. `unlessHeldBack`: there is no
    /// place for the message while one before it waits.
    func admit(_ count: Int, unlessHeldBack: Bool) -> Transmitter.Admission {
        if unlessHeldBack, state.pointee.machine.holdsBack, count <= state.pointee.machine.longestMessage {
            return .full
        }
        if !state.pointee.machine.isUnacknowledged {
            state.pointee.sentRing = count > LayerMemory.sentBound ? LayerMemory.sentBytes : LayerMemory.sentBound
        }
        return withMachine { machine, sent, _ in machine.admit(count, bound: LayerMemory.sentBound, &sent) }
    }

    func copyToSent(_ position: UInt64, _ source: UnsafeRawPointer, _ count: Int) {
        let ring = state.pointee.sentRing
        let place = Int(truncatingIfNeeded: position) & (ring - 1)
        let first = min(count, ring - place)
        let store = base + LayerMemory.sentOffset
        cl_copy(store + place, source, first)
        if first < count { cl_copy(store, source + first, count - first) }
    }

    func copyFromSent(_ position: UInt64, to destination: UnsafeMutableRawPointer, _ count: Int) {
        let ring = state.pointee.sentRing
        let place = Int(truncatingIfNeeded: position) & (ring - 1)
        let first = min(count, ring - place)
        let store = base + LayerMemory.sentOffset
        cl_copy(destination, store + place, first)
        if first < count { cl_copy(destination + first, store, count - first) }
    }

    func copyToArrived(_ place: Int, _ source: UnsafeRawPointer, _ count: Int) {
        let first = min(count, LayerMemory.arrivedBytes - place)
        let store = base + LayerMemory.arrivedOffset
        cl_copy(store + place, source, first)
        if first < count { cl_copy(store, source + first, count - first) }
    }

    /// Calls `body` with up to two pieces, one after the other.
    @inline(__always)
    func arrived(_ place: Int, _ count: Int, _ body: (UnsafeRawPointer, Int) -> Void) {
        let start = place & (LayerMemory.arrivedBytes - 1)
        let first = min(count, LayerMemory.arrivedBytes - start)
        let store = base + LayerMemory.arrivedOffset
        body(store + start, first)
        if first < count { body(store, count - first) }
    }
}

/// What stands at the beginning of the memory of such an end. Guarded by the read lock of the end, which is the only lock
/// that calls of these flows take; a holder that died in the middle condemns the flow.
struct LayerState {
    var machine: FlowMachine
    /// The bytes of the store of what is sent that are the ring; a power of two.
    var sentRing = LayerMemory.sentBound
    /// Bytes behind each packet: 4 if it has a checksum, else 0.
    let trailerBytes: Int
    /// Messages that were read ever.
    var readMessages: UInt64 = 0
    /// Where the next read goes on in the oldest message; nil: at its beginning.
    var cursor: Cursor?
    /// The last piece of a message filled its buffer exactly, so the next read says that the message has ended.
    var endIsDue = false
    /// The oldest message, while the program reads it in place: its last piece.
    var heldPiece: Receiver.Piece?
    /// Callers that wait, and look at what arrives.
    var watchers = 0
    /// When the service thread looks at the flow, nanoseconds; `.max`: not because of time.
    var scheduled = UInt64.max
    /// The machine's deadline when it was last asked for, or earlier if it may be earlier now, nanoseconds. Asking costs much
    /// of what a packet costs.
    var due: UInt64 = 0
    /// Looks of the service thread since something happened.
    var quietLooks = 0
    /// Something has arrived since other callers were woken.
    var hasNews = false
    /// The ring to the IPCP was full: the rest goes a little later.
    var isRingFull = false
    /// When an idle flow gives its memory back, nanoseconds; `.max`: it has little, or is not idle.
    var trimDue = UInt64.max
    /// Bytes that had gone through the stores when `trimDue` was set, and when memory was given back last.
    var trimMark: UInt64 = 0
    var trimPatience: UInt64 = 0
    var trimmed: UInt64 = 0
    /// Packets with a wrong checksum, or too short for a header.
    var damaged: UInt64 = 0

    struct Cursor {
        var piece: Receiver.Piece
        var offset: Int
    }
}
