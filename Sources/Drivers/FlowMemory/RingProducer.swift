// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The writing side of a ring: its own positions, which the peer never sees. All zeroes is the state of a new flow.
/// Guarded by the write lock of its end.
public struct RingProducer {
    @usableFromInline var tail: UInt64 = 0
    /// The consumer's position when it was last looked at, and checked.
    @usableFromInline var head: UInt64 = 0
    /// The consumer's appetite when it was last looked at; 0 is none of its own.
    @usableFromInline var appetite: UInt64 = 0
    /// Where the ring was last left early.
    @usableFromInline var wrap: UInt64 = 0
    /// Bytes of all gaps where the ring was left early. A process that dies while it leaves the ring can miss one.
    @usableFromInline var skipped: UInt64 = 0
    @usableFromInline var packetsWritten: UInt64 = 0
    /// The ring's bytes below this offset have memory behind them.
    @usableFromInline var populated: UInt64 = 0
    @usableFromInline var hasGrown = false

    /// Bytes that an idle ring keeps.
    private static let kept: UInt64 = 8_192

    /// What became of a search for room.
    public enum Outcome {
        /// The position for the record.
        case place(UInt64)
        case full
        case outOfMemory
        case violation
    }

    package init() {}

    /// Whether the ring has taken more memory than an idle one keeps; asked once for each time, by whoever sees to it that
    /// it is trimmed.
    @inlinable public mutating func takeGrowth() -> Bool {
        defer { hasGrown = false }
        return hasGrown
    }

    /// Packets ever written.
    @inlinable public var written: UInt64 { packetsWritten }

    /// Looks for a place for one record, which must be the next that is published. There is one if the unread bytes stay
    /// below `queueBytes`, or the ring is empty.
    @inlinable @inline(__always) public mutating func reserve(_ count: Int, in ring: inout Ring, queueBytes: UInt64)
        -> Outcome
    {
        let need = Ring.need(count)
        guard let start = place(need, in: ring, queueBytes: queueBytes) else { return .violation }
        guard start != .max else { return .full }
        let offset = ring.offset(start)
        if offset &+ need > ring.mapped, !ring.map(to: offset &+ need) { return .outOfMemory }
        if offset &+ need > populated, !populate(to: offset &+ need, of: ring) { return .outOfMemory }
        return .place(start)
    }

    /// Where the payload of the record at `start` goes.
    @inlinable public func payload(_ start: UInt64, in ring: Ring) -> UnsafeMutableRawPointer {
        ring.bytes + Int(ring.offset(start) &+ Ring.headerBytes)
    }

    /// The record at `start`, with at most as many bytes as it was reserved for, is there for the consumer.
    @inlinable @inline(__always) public mutating func publish(_ start: UInt64, _ count: Int, in ring: Ring) {
        let record = ring.bytes + Int(ring.offset(start))
        cl_store64_relaxed(record.assumingMemoryBound(to: UInt64.self), UInt64(count))
        if start != tail {
            wrap = tail
            cl_store64_relaxed(ring.wrap, wrap)
            skipped &+= start &- tail
            cl_store64_relaxed(ring.skipped, skipped)
        }
        // Who dies here leaves the steps before as they are, for `recover`.
        cl_compiler_fence()
        tail = start &+ Ring.need(count)
        cl_compiler_fence()
        packetsWritten &+= 1
        // The consumer reads `tail` first (acquire), so it sees the record and the wrap that belong to it. The count
        // comes last: whoever makes events of it must find the packets.
        cl_store64_release(ring.tail, tail)
        cl_store64_release(ring.written, packetsWritten)
    }

    /// After the death of a process that had the lock: the record that it was publishing is published or not there.
    public mutating func recover(_ ring: Ring) {
        // The ring was left early for a record that did not come. No record begins at 0 behind a gap.
        if wrap == tail { wrap = 0 }
        // The words in the ring are ours, so that they come one after the other; a peer that has changed them has a wrong
        // count of its own packets.
        if cl_load64_relaxed(ring.tail) != tail, cl_load64_relaxed(ring.written) == packetsWritten {
            packetsWritten &+= 1
        }
        // Memory that is there already may be asked for again.
        populated = 0
        cl_store64_relaxed(ring.wrap, wrap)
        cl_store64_release(ring.tail, tail)
        cl_store64_release(ring.written, packetsWritten)
    }

    /// Whether `reserve` would find room now. A violation counts as room: the next `reserve` finds it.
    @inlinable public mutating func hasRoom(_ count: Int, in ring: Ring, queueBytes: UInt64) -> Bool {
        place(Ring.need(count), in: ring, queueBytes: queueBytes) != .max
    }

    /// Whether half of what may be unread is free. A violation counts as free, as for `hasRoom`.
    public mutating func isHalfFree(_ ring: Ring, queueBytes: UInt64) -> Bool {
        !refresh(ring) || head == tail
            || ring.unread(from: head, to: tail, wrap: wrap) <= Ring.most(of: queueBytes, appetite: appetite) / 2
    }

    /// Where the record goes; `.max` if there is no room; nil if the peer's word is impossible.
    @inlinable @inline(__always) mutating func place(_ need: UInt64, in ring: Ring, queueBytes: UInt64) -> UInt64? {
        let offset = ring.offset(tail)
        var start = tail
        // Beyond what has memory, too: after a trim the next record shall not fill up the way to its old place.
        if ring.crossesPage(offset, need) || offset &+ need > populated {
            guard refresh(ring) else { return nil }
            if head == tail { return offset == 0 ? tail : ring.lapAfter(tail) }
            // Who wants little keeps little memory in the cache.
            if appetite != 0, offset >= appetite, fitsBefore(need, offset) { start = ring.lapAfter(tail) }
        }
        // A record that is longer than `everyday` only comes into an empty ring, and so begins with the lap.
        if offset &+ need > ring.everyday { start = ring.lapAfter(tail) }
        if fits(start, need, ring, queueBytes) { return start }
        guard refresh(ring) else { return nil }
        return fits(start, need, ring, queueBytes) ? start : .max
    }

    /// Whether the consumer is in the same lap, and has left enough behind it.
    @inlinable func fitsBefore(_ need: UInt64, _ offset: UInt64) -> Bool {
        let unread = tail &- head
        return unread <= offset && need <= offset &- unread
    }

    @inlinable func fits(_ start: UInt64, _ need: UInt64, _ ring: Ring, _ queueBytes: UInt64) -> Bool {
        if head == tail { return true }
        // A consumer that stands where the ring was left early has read all before the gap, and the gap is free:
        // else a sleeping producer would block after every record.
        let from = head == wrap ? ring.lapAfter(head) : head
        return start &+ need &- from <= ring.size
            && ring.unread(from: head, to: tail, wrap: wrap) &+ need
                <= Ring.most(of: queueBytes, appetite: appetite)
    }

    /// Looks at the consumer's position. False if it is impossible.
    @inlinable mutating func refresh(_ ring: Ring) -> Bool {
        let seen = cl_load64_acquire(ring.head)
        // Between what was seen before and the tail, at a record's beginning.
        guard seen &- head <= tail &- head, seen & (Ring.alignment &- 1) == 0 else { return false }
        head = seen
        appetite = cl_load64_relaxed(ring.appetite)
        return true
    }

    /// Memory for the ring up to `end`, asked for explicitly so that having none is an error and not a SIGBUS.
    @usableFromInline mutating func populate(to end: UInt64, of ring: Ring) -> Bool {
        // Page by page as long as little is used, then in larger steps.
        let step: UInt64 = populated < 65_536 ? 4_096 : 65_536
        let target = min((end &+ step &- 1) & ~(step &- 1), ring.size)
        let result = madvise(ring.bytes + Int(populated), Int(target &- populated), MADV_POPULATE_WRITE)
        // Others than these: a kernel before 5.14, or a sandbox that refuses the call. Then the first touch allocates.
        guard result == 0 || ![ENOMEM, EFAULT, EHWPOISON].contains(cl_errno()) else { return false }
        populated = target
        if populated > RingProducer.kept { hasGrown = true }
        return true
    }

    /// Gives the pages beyond the first few back if nothing is unread. The next record begins a new lap. False if there
    /// was something to give back and it could not.
    public mutating func trim(_ ring: inout Ring) -> Bool {
        guard populated > RingProducer.kept else { return true }
        guard cl_load64_acquire(ring.head) == tail else { return false }
        // A parent or child of this process may have written what is not mapped here.
        if populated > ring.mapped, !ring.map(to: populated) { return false }
        let bytes = Int(populated &- RingProducer.kept)
        guard madvise(ring.bytes + Int(RingProducer.kept), bytes, MADV_REMOVE) == 0 else { return false }
        populated = RingProducer.kept
        return true
    }

    /// Packets that the peer has not read, as it says; at most what fits the ring.
    @inlinable public func unread(_ ring: Ring) -> UInt64 {
        let difference = written &- cl_load64_relaxed(ring.read)
        return min(difference, ring.size / Ring.alignment)
    }
}
