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
/// Records stay within the first `Ring.everyday` bytes, and only a message that is longer than that goes on behind them:
/// a stream of short messages shall not wander through memory that is there for the longest one.
///
/// This process maps the beginning of a ring with the flow, `everyday` bytes when a record goes beyond the beginning, and
/// the whole ring when a record goes beyond those. Guarded by the lock of its side. design: flow-memory §2
public struct Ring {
    /// Where the ring begins; elsewhere once more of it is mapped.
    public private(set) var bytes: UnsafeMutableRawPointer
    /// Bytes from there on that are mapped here.
    @usableFromInline package private(set) var mapped: UInt64
    /// Size in bytes; a power of two.
    public let size: UInt64
    @usableFromInline let producerWords: UnsafeMutableRawPointer
    @usableFromInline let consumerWords: UnsafeMutableRawPointer
    /// The end that writes the ring.
    private let end: End
    /// The ring's own mapping of its first `everyday` bytes, which stays when the whole ring is mapped; nil: there is none.
    private var everydayMapping: UnsafeMutableRawPointer?

    /// Before every payload.
    @inlinable public static var headerBytes: UInt64 { 8 }
    /// A record begins at a multiple of this many bytes (a cache line).
    @inlinable public static var alignment: UInt64 { 64 }
    /// A record that begins a new page looks whether the ring is empty; looking at every record costs a coherence
    /// miss each.
    @inlinable static var pageShift: UInt64 { 12 }

    /// Bytes in which all records stand that are not longer.
    @inlinable var everyday: UInt64 { min(size, UInt64(Limits.everydayRingBytes)) }

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

    /// Maps the ring at least up to this offset. What was mapped before stays, because somebody may hold a message in it.
    /// False if there is no memory for that, or the kernel refuses another mapping.
    @usableFromInline @inline(never) mutating func map(to offset: UInt64) -> Bool {
        if mapped < everyday {
            guard grow(to: Int(everyday)) else { return false }
            everydayMapping = bytes
        }
        return offset <= mapped || grow(to: Int(size))
    }

    /// Maps all of the segment from where this ring's mapping begins, and then each piece of the ring that is mapped now once
    /// more, in front of the piece that follows. What is neither is given back.
    private mutating func grow(to after: Int) -> Bool {
        let pieces = SegmentLayout.pieces(of: end, ringBytes: Int(size), upTo: after)
        let first = pieces[0].offset
        let last = pieces[pieces.count - 1]
        let span = last.offset + last.count - first
        guard let all = cl_map_again(bytes, span, nil) else { return false }
        let place = all + span - after
        var done = 0
        for piece in pieces.dropLast() {
            if place + done != all + piece.offset - first,
                cl_map_again(bytes + done, piece.count, place + done) == nil
            {
                munmap(all, span)
                return false
            }
            done += piece.count
        }
        if place > all { munmap(all, place - all) }
        bytes = place
        // A child that is forked by another thread in between maps it once more, and nothing worse.
        cl_compiler_fence()
        mapped = UInt64(after)
        return true
    }

    /// For a reader: maps the ring up to this offset, which a peer may have made up.
    @usableFromInline @inline(never) mutating func reach(_ offset: UInt64) throws(RingFailure) {
        guard offset <= size else { throw .violation }
        guard map(to: offset) else { throw .outOfMemory }
    }

    /// Gives the ring's own mappings back. That of the beginnings is the flow's.
    package func unmap() {
        guard let everydayMapping else { return }
        munmap(everydayMapping, Int(everyday))
        if mapped > everyday { munmap(bytes, Int(size)) }
    }

    /// The position behind the last record. The producer's.
    @inlinable public var tail: UnsafeMutablePointer<UInt64> { longWord(producerWords, 0) }
    /// The position where the ring was last left early. The producer's.
    @inlinable public var wrap: UnsafeMutablePointer<UInt64> { longWord(producerWords, 8) }
    /// Packets ever written. The producer's.
    @inlinable public var written: UnsafeMutablePointer<UInt64> { longWord(producerWords, 16) }
    /// Bytes of all gaps where the ring was left early. The producer's.
    @inlinable public var skipped: UnsafeMutablePointer<UInt64> { longWord(producerWords, 24) }
    /// The position of the first record that is not read. The consumer's.
    @inlinable public var head: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 0) }
    /// Packets ever read. The consumer's.
    @inlinable public var read: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 8) }
    /// How many unread bytes the consumer wants; 0: as many as the queue takes. The consumer's.
    @inlinable public var appetite: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 16) }

    @inlinable func offset(_ position: UInt64) -> UInt64 { position & (size - 1) }
    /// The next multiple of the size that is not below the position.
    @inlinable func lapAfter(_ position: UInt64) -> UInt64 { Ring.lapAfter(position, size: size) }
    @inlinable static func lapAfter(_ position: UInt64, size: UInt64) -> UInt64 {
        (position &+ size &- 1) & ~(size &- 1)
    }
    @inlinable func crossesPage(_ offset: UInt64, _ need: UInt64) -> Bool {
        (offset ^ (offset &+ need)) >> Ring.pageShift != 0
    }
    /// Bytes of the records between two positions, without the gap where the ring was left early.
    @inlinable func unread(from head: UInt64, to tail: UInt64, wrap: UInt64) -> UInt64 {
        Ring.unread(from: head, to: tail, wrap: wrap, size: size)
    }
    /// The same where there is no ring but its size is known.
    @inlinable static func unread(from head: UInt64, to tail: UInt64, wrap: UInt64, size: UInt64) -> UInt64 {
        let lap = lapAfter(wrap, size: size)
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
