// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The reading side of a ring: its own positions, which the peer never sees. All zeroes is the state of a new flow.
/// Guarded by the read lock of its end.
public struct RingConsumer {
    @usableFromInline var head: UInt64 = 0
    /// The producer's words when they were last looked at, and checked.
    @usableFromInline var tail: UInt64 = 0
    @usableFromInline var wrap: UInt64 = 0
    @usableFromInline var packetsRead: UInt64 = 0

    /// The oldest unread record. Its bytes are shared memory: whoever needs them stable copies them first.
    public struct Record {
        /// In the ring.
        public let payload: UnsafeRawPointer
        /// Bytes of the payload; checked.
        public let count: Int

        @inlinable init(payload: UnsafeRawPointer, count: Int) {
            self.payload = payload
            self.count = count
        }

        /// Without its last bytes, of which there must be so many.
        @inlinable public func droppingLast(_ bytes: Int) -> Record { Record(payload: payload, count: count &- bytes) }
    }

    package init() {}

    /// Packets ever read.
    @inlinable public var read: UInt64 { packetsRead }

    /// The oldest unread record; nil if there is none.
    @inlinable public mutating func front(_ ring: inout Ring) throws(RingFailure) -> Record? {
        try front(&ring, isCopy: false)
    }

    /// The same for a copy that looks ahead, and so must not tell the producer where it stands.
    @inlinable public mutating func next(_ ring: inout Ring) throws(RingFailure) -> Record? {
        try front(&ring, isCopy: true)
    }

    @inlinable @inline(__always)
    mutating func front(_ ring: inout Ring, isCopy: Bool) throws(RingFailure) -> Record? {
        if head == tail {
            try refresh(ring)
            if head == tail { return nil }
        }
        if head == wrap, ring.offset(head) != 0 { try beginLap(ring, isCopy: isCopy) }
        let offset = ring.offset(head)
        if offset >= ring.mapped { try ring.reach(offset &+ Ring.headerBytes) }
        // One load: the peer may change it at any time.
        let count = cl_load64_relaxed(longWord(ring.bytes, Int(offset)))
        guard count <= ring.size else { throw .violation }
        let need = Ring.need(Int(count))
        guard need <= tail &- head else { throw .violation }
        if offset &+ need > ring.mapped { try ring.reach(offset &+ need) }
        return Record(payload: UnsafeRawPointer(ring.bytes + Int(offset &+ Ring.headerBytes)), count: Int(count))
    }

    /// The ring was left early here. Announced first, so that `recover` can tell it from a record that was read.
    @usableFromInline @inline(never) mutating func beginLap(_ ring: Ring, isCopy: Bool)
        throws(RingFailure)
    {
        let lap = ring.lapAfter(head)
        guard tail &- lap &- 1 < ring.size else { throw .violation }
        if !isCopy {
            cl_store64_release(ring.head, lap)
            cl_compiler_fence()
        }
        head = lap
    }

    /// Done with the record that `front` gave, which has a payload of `count` bytes.
    @inlinable public mutating func consume(_ count: Int, of ring: Ring) {
        skip(count)
        publish(to: ring)
    }

    /// The same in our own books only: for who consumes many and tells once, and for a copy that looks ahead.
    @inlinable public mutating func skip(_ count: Int) {
        head &+= Ring.need(count)
        // Who dies here leaves the step before as it is, for `recover`.
        cl_compiler_fence()
        packetsRead &+= 1
    }

    /// Tells the producer what is free.
    @inlinable public func publish(to ring: Ring) {
        cl_store64_release(ring.head, head)
        cl_store64_release(ring.read, packetsRead)
    }

    /// After the death of a process that had the lock: the record that it was done with is read or still there.
    public mutating func recover(_ ring: Ring) {
        let seen = cl_load64_relaxed(ring.head)
        // A jump that was announced is made.
        let lap = ring.lapAfter(head)
        if head == wrap, seen == lap, tail &- lap &- 1 < ring.size { head = lap }
        // As in `RingProducer`.
        if seen != head, cl_load64_relaxed(ring.read) == packetsRead { packetsRead &+= 1 }
        publish(to: ring)
    }

    /// Whether this one, a copy of the other that looked ahead, stands where the other would after as many records.
    @inlinable public func agrees(with other: RingConsumer) -> Bool {
        packetsRead == other.packetsRead ? head == other.head : Int64(bitPattern: other.head &- head) > 0
    }

    /// Whether there is something to read, without reading it.
    @inlinable public mutating func isEmpty(_ ring: Ring) throws(RingFailure) -> Bool {
        if head == tail { try refresh(ring) }
        return head == tail
    }

    /// For who waits for the next record, before each look: its first cache lines come together with the word that says
    /// that it is there, and not after it [a round trip on two cores: 0.63 ×]. Not for who
    /// reads a stream: it would take them from a producer that still writes there [64 bytes one way: 0.75 ×].
    @inlinable @inline(__always) public func expect(in ring: Ring) {
        cl_prefetch_pair(ring.bytes + Int(ring.offset(head)))
    }

    /// Unread bytes, as far as was seen.
    @inlinable public mutating func unreadBytes(_ ring: Ring) throws(RingFailure) -> UInt64 {
        try refresh(ring)
        return ring.unread(from: head, to: tail, wrap: wrap)
    }

    /// Packets that wait here, as the peer says; at most what fits the ring.
    @inlinable public func queued(_ ring: Ring) -> UInt64 {
        min(cl_load64_acquire(ring.written) &- read, ring.size / Ring.alignment)
    }

    /// `tail` before `wrap`: a wrap that is newer than the tail is at or behind it and harmless, the other way round a
    /// jump would be missed.
    @inlinable mutating func refresh(_ ring: Ring) throws(RingFailure) {
        let seen = cl_load64_acquire(ring.tail)
        guard seen != tail else { return }
        wrap = cl_load64_relaxed(ring.wrap)
        // Never backwards, never more than two laps ahead (a gap and a full ring), always at a record's beginning.
        guard seen &- tail <= ring.size &* 2, seen &- head <= ring.size &* 2, seen & (Ring.alignment &- 1) == 0 else {
            throw .violation
        }
        tail = seen
    }
}
