// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// One direction of a flow as one of its ends sees it: the bytes, and the shared words that the two sides publish.
/// Positions are 64-bit byte counts that only grow; the offset in the ring is the position modulo its size.
///
/// A record is 8 bytes of header (length in the low half, nothing yet in the high half) and the payload, and begins at
/// a multiple of 64 bytes. Where the next record would not fit before the end of the ring, or where the ring is empty
/// and the record would begin a new page, the producer goes on at the next multiple of the ring size and says in the
/// `wrap` word where it left: there is no marker record. design: flow-memory §2
///
/// Each side keeps its own positions privately (`RingProducer`, `RingConsumer`) and never reads them back from here.
package struct Ring {
    package let bytes: UnsafeMutableRawPointer
    /// Size in bytes; a power of two.
    package let size: UInt64
    private let producerWords: UnsafeMutableRawPointer
    private let consumerWords: UnsafeMutableRawPointer

    package static let headerBytes: UInt64 = 8
    /// A record begins at a multiple of this many bytes (a cache line). A literal that is computed, so that no record
    /// asks first whether a global is initialised.
    package static var alignment: UInt64 { 64 }
    /// A record that begins a new page looks whether the ring is empty; looking at every record costs a coherence
    /// miss each.
    private static let pageShift: UInt64 = 12

    package init(bytes: UnsafeMutableRawPointer, size: Int, slot: UnsafeMutableRawPointer, from end: End) {
        self.bytes = bytes
        self.size = UInt64(size)
        producerWords = slot + SlotLayout.tail(from: end)
        consumerWords = slot + SlotLayout.head(from: end)
    }

    package var tail: UnsafeMutablePointer<UInt64> { longWord(producerWords, 0) }
    package var wrap: UnsafeMutablePointer<UInt64> { longWord(producerWords, 8) }
    package var written: UnsafeMutablePointer<UInt64> { longWord(producerWords, 16) }
    package var head: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 0) }
    package var read: UnsafeMutablePointer<UInt64> { longWord(consumerWords, 8) }

    package func offset(_ position: UInt64) -> UInt64 { position & (size - 1) }
    package func address(_ position: UInt64) -> UnsafeMutableRawPointer { bytes + Int(position & (size - 1)) }
    /// The next multiple of the size that is not below the position.
    package func lapAfter(_ position: UInt64) -> UInt64 { (position &+ size &- 1) & ~(size &- 1) }
    package func crossesPage(_ offset: UInt64, _ need: UInt64) -> Bool {
        (offset ^ (offset &+ need)) >> Ring.pageShift != 0
    }
    /// Bytes that a record with this payload takes.
    package static func need(_ payload: Int) -> UInt64 {
        (UInt64(payload) &+ headerBytes &+ alignment &- 1) & ~(alignment &- 1)
    }
}

/// A peer wrote something into the shared words that cannot be. The flow is not usable any more.
package struct RingViolation: Error, Hashable, Sendable {
    package init() {}
}
