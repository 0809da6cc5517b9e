// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// One direction of a flow as one of its ends sees it: the bytes, and the shared words that the two sides publish.
/// Positions are 64-bit byte counts that only grow; the offset in the ring is the position modulo its size.
///
/// A record is 8 bytes of header (length in the low half, nothing yet in the high half) and the payload, and begins at
/// a multiple of 64 bytes. Where the next record would not fit before the end of the ring, the producer goes on at the
/// next multiple of the ring size and says in the `wrap` word where it left: there is no marker record. So it does where
/// a record would begin a new page and the ring is empty, or as much of it was used as its reader wants to be unread.
/// design: flow-memory §2
///
/// Each side keeps its own positions privately (`RingProducer`, `RingConsumer`) and never reads them back from here.
///
/// This process maps the beginning of a ring with the flow, and the whole ring when a record goes beyond the beginning.
/// Guarded by the lock of its side. design: flow-memory §2
public struct Ring {
    /// Where the ring begins; elsewhere once it is mapped whole.
    public private(set) var bytes: UnsafeMutableRawPointer
    /// Bytes from there on that are mapped here.
    @usableFromInline private(set) var mapped: UInt64
    /// Size in bytes; a power of two.
    public let size: UInt64
    @usableFromInline let producerWords: UnsafeMutableRawPointer
    @usableFromInline let consumerWords: UnsafeMutableRawPointer
    /// The end that writes the ring.
    private let end: End
    /// Whether the mapping at `bytes` is the ring's own, and not that of the beginnings.
    private var isOwnMapping = false

    /// Before every payload.
    @inlinable public static var headerBytes: UInt64 { 8 }
    /// A record begins at a multiple of this many bytes (a cache line).
    @inlinable public static var alignment: UInt64 { 64 }
    /// A record that begins a new page looks whether the ring is empty; looking at every record costs a coherence
    /// miss each.
    @inlinable static var pageShift: UInt64 { 12 }

    /// Over memory that is mapped whole.
    package init(bytes: UnsafeMutableRawPointer, size: Int, slot: UnsafeMutableRawPointer, from end: End) {
        self.bytes = bytes
        self.size = UInt64(size)
        self.end = end
        mapped = self.size
        producerWords = slot + SlotLayout.tail(from: end)
        consumerWords = slot + SlotLayout.head(from: end)
    }

    /// The ring of the direction that begins at `end`, in the mapping of a flow's beginnings.
    package init(segment: UnsafeMutableRawPointer, size: Int, slot: UnsafeMutableRawPointer, from end: End) {
        let beginning = SegmentLayout.beginning(ringBytes: size)
        self.init(bytes: segment + end.index * beginning, size: size, slot: slot, from: end)
        mapped = UInt64(beginning)
    }

    /// Maps the whole ring. The mapping of the beginning stays, because somebody may hold a message in it. False if there
    /// is no memory for that, or the kernel refuses another mapping.
    @usableFromInline @inline(never) mutating func mapWhole() -> Bool {
        guard mapped < size else { return true }
        let bytes = Int(size)
        let beginning = SegmentLayout.beginning(ringBytes: bytes)
        let whole: UnsafeMutableRawPointer
        switch end {
        case .second:
            guard let mapping = cl_map_again(self.bytes, bytes, nil) else { return false }
            whole = mapping
        case .first:
            // All of the memory, and then the beginning once more where the rest of this ring follows.
            guard let all = cl_map_again(self.bytes, SegmentLayout.bytes(ringBytes: bytes), nil) else { return false }
            guard let mapping = cl_map_again(self.bytes, beginning, all + bytes) else {
                munmap(all, SegmentLayout.bytes(ringBytes: bytes))
                return false
            }
            munmap(all, bytes)
            whole = mapping
        }
        self.bytes = whole
        isOwnMapping = true
        // A child that is forked by another thread in between maps it once more, and nothing worse.
        cl_compiler_fence()
        mapped = size
        return true
    }

    /// For a reader: maps the ring up to this offset, which a peer may have made up.
    @usableFromInline @inline(never) mutating func reach(_ offset: UInt64) throws(RingFailure) {
        guard offset <= size else { throw .violation }
        guard mapWhole() else { throw .outOfMemory }
    }

    /// Gives the ring's own mapping back. That of the beginnings is the flow's.
    package func unmap() {
        if isOwnMapping { munmap(bytes, Int(size)) }
    }

    /// The position behind the last record. The producer's.
    @inlinable public var tail: UnsafeMutablePointer<UInt64> { longWord(producerWords, 0) }
    /// The position where the ring was last left early. The producer's.
    @inlinable public var wrap: UnsafeMutablePointer<UInt64> { longWord(producerWords, 8) }
    /// Packets ever written. The producer's.
    @inlinable public var written: UnsafeMutablePointer<UInt64> { longWord(producerWords, 16) }
    /// The position of the first record that is not read. The consumer's.
    @inlinable public var head: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 0) }
    /// Packets ever read. The consumer's.
    @inlinable public var read: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 8) }
    /// How many unread bytes the consumer wants; 0: as many as the queue takes. The consumer's.
    @inlinable public var appetite: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 16) }

    @inlinable func offset(_ position: UInt64) -> UInt64 { position & (size - 1) }
    /// The next multiple of the size that is not below the position.
    @inlinable func lapAfter(_ position: UInt64) -> UInt64 { (position &+ size &- 1) & ~(size &- 1) }
    @inlinable func crossesPage(_ offset: UInt64, _ need: UInt64) -> Bool {
        (offset ^ (offset &+ need)) >> Ring.pageShift != 0
    }
    /// Bytes of the records between two positions, without the gap where the ring was left early.
    @inlinable func unread(from head: UInt64, to tail: UInt64, wrap: UInt64) -> UInt64 {
        let lap = lapAfter(wrap)
        // A peer may say anything; a gap that goes beyond the tail is none.
        let gap = head <= wrap && wrap <= lap && lap <= tail ? lap &- wrap : 0
        return tail &- head &- gap
    }

    /// Bytes that may be unread in a queue whose consumer has this appetite.
    @inlinable public static func most(of queueBytes: UInt64, appetite: UInt64) -> UInt64 {
        appetite == 0 ? queueBytes : min(queueBytes, appetite)
    }

    /// Bytes that a record with this payload takes.
    @inlinable public static func need(_ payload: Int) -> UInt64 {
        (UInt64(payload) &+ headerBytes &+ alignment &- 1) & ~(alignment &- 1)
    }
}

/// Why nothing can be read.
public enum RingFailure: Error, Hashable, Sendable {
    /// The peer wrote something into the shared words that cannot be. The flow is not usable any more.
    case violation
    /// The record is there and stays, but there is no memory to map it.
    case outOfMemory
}
