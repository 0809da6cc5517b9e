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
public struct Ring {
    /// Where the ring begins.
    public let bytes: UnsafeMutableRawPointer
    /// Size in bytes; a power of two.
    public let size: UInt64
    @usableFromInline let producerWords: UnsafeMutableRawPointer
    @usableFromInline let consumerWords: UnsafeMutableRawPointer

    /// Before every payload.
    @inlinable public static var headerBytes: UInt64 { 8 }
    /// A record begins at a multiple of this many bytes (a cache line).
    @inlinable public static var alignment: UInt64 { 64 }
    /// A record that begins a new page looks whether the ring is empty; looking at every record costs a coherence
    /// miss each.
    @inlinable static var pageShift: UInt64 { 12 }

    package init(bytes: UnsafeMutableRawPointer, size: Int, slot: UnsafeMutableRawPointer, from end: End) {
        self.bytes = bytes
        self.size = UInt64(size)
        producerWords = slot + SlotLayout.tail(from: end)
        consumerWords = slot + SlotLayout.head(from: end)
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

/// A peer wrote something into the shared words that cannot be. The flow is not usable any more.
public struct RingViolation: Error, Hashable, Sendable {
    /// There is nothing to say beyond that.
    @inlinable public init() {}
}
