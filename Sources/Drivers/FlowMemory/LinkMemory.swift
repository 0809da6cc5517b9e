// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// A mapping of the memory that two processes share for their wake-ups and positions. irmd makes it and keeps a
/// mapping of its own, so that it can speak for an end that died.
///
/// Sendable: the memory is shared with other processes anyway; every access is atomic.
public struct LinkMemory: ~Copyable, @unchecked Sendable {
    /// Where the words of `LinkLayout` begin.
    public let base: UnsafeMutableRawPointer

    /// Checks that the descriptor is a sealed memory of the right size before it is mapped.
    package init(mapping descriptor: borrowing Descriptor) throws(Failure) {
        let check = cl_memfd_check(descriptor.number, LinkLayout.bytes)
        guard check == 0 else { throw Failure(result: Int(check)) }
        let flags = Int32(MAP_SHARED) | Int32(MAP_NORESERVE)
        guard
            let base = mmap(nil, LinkLayout.bytes, PROT_READ | PROT_WRITE, flags, descriptor.number, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw Failure(result: Int(cl_refused("mmap"))) }
        self.base = base
    }

    deinit { munmap(base, LinkLayout.bytes) }

    /// New, empty link memory: zeroes are a valid state of everything in it.
    package static func create() throws(RefusedCall) -> Descriptor {
        var call: UnsafePointer<CChar>?
        let result = cl_memfd_sealed("ouroboros-link", LinkLayout.bytes, &call)
        guard result >= 0 else {
            throw RefusedCall(call.map { String(cString: $0) } ?? "memfd_create", Failure(result: Int(result)))
        }
        return Descriptor(owning: result)
    }

    /// Makes a slot new for another flow. Only irmd, and only when both ends have let go of the last one.
    public func reset(_ slot: LinkSlot) {
        memset(base + LinkLayout.slot(slot), 0, LinkLayout.slotBytes)
    }

    /// The flow of the slot will be in a set of the end's process.
    public func requireFence(by end: End, in slot: LinkSlot) {
        _ = cl_or32(word(base + LinkLayout.slot(slot), SlotLayout.fenceRequired(end)), FenceReason.set)
    }

    /// Speaks for an end whose process is gone: says so, and wakes the other end whatever its wait words say, because
    /// the dead one may have died half-way through a wake-up. Who sleeps in a flow set learns it from the end of the
    /// link's socket and from irmd's notification.
    public func markGone(_ end: End, of slot: LinkSlot, linkEnd: End) {
        let words = base + LinkLayout.slot(slot)
        _ = cl_or32(word(words, SlotLayout.state(end)), EndState.gone)
        WakeUp.everybody(on: word(words, SlotLayout.readerWait(end.other)))
        WakeUp.everybody(on: word(words, SlotLayout.writerWait(end.other)))
        setReady(slot, for: linkEnd.other)
    }

    /// What went one way, for people.
    public struct Traffic: Hashable, Sendable {
        /// Written so far.
        public var packets: UInt64
        /// Of the ring, with everything that stands between the packets.
        public var bytes: UInt64
        /// Written and not read.
        public var unreadPackets: UInt64
        /// Of the ring, as `bytes`.
        public var unreadBytes: UInt64
    }

    /// What was written so far in the direction that begins at `end`, and what of it is unread, as both processes say.
    /// The words change while they are read, and may be lies: they are compared, and nothing is computed that could
    /// trap. The reader's words come first, so that what is unread is never less than nothing.
    public func traffic(from end: End, in slot: LinkSlot) -> Traffic {
        let words = base + LinkLayout.slot(slot)
        let read = cl_load64_acquire(longWord(words, SlotLayout.read(from: end)))
        let head = cl_load64_acquire(longWord(words, SlotLayout.head(from: end)))
        let written = cl_load64_acquire(longWord(words, SlotLayout.written(from: end)))
        let tail = cl_load64_acquire(longWord(words, SlotLayout.tail(from: end)))
        let wrap = cl_load64_relaxed(longWord(words, SlotLayout.wrap(from: end)))
        let skipped = cl_load64_relaxed(longWord(words, SlotLayout.skipped(from: end)))
        return Traffic(
            packets: written, bytes: tail > skipped ? tail - skipped : 0,
            unreadPackets: written > read ? written - read : 0,
            unreadBytes: tail > head
                ? Ring.unread(from: head, to: tail, wrap: wrap, size: UInt64(Limits.ringBytes)) : 0)
    }

    /// Sets both levels of the ready bits. The upper level every time: a ringer that died between the two steps must
    /// not mute 64 flows.
    public func setReady(_ slot: LinkSlot, for linkEnd: End) {
        let number = Int(slot.rawValue)
        let lower = (base + LinkLayout.lowerBits(linkEnd)).assumingMemoryBound(to: UInt64.self) + number / 64
        _ = cl_or64(lower, 1 << UInt64(number % 64))
        let upper = (base + LinkLayout.upperBits(linkEnd)).assumingMemoryBound(to: UInt64.self) + number / 4_096
        let bit: UInt64 = 1 << UInt64(number / 64 % 64)
        if cl_load64_relaxed(upper) & bit == 0 { _ = cl_or64(upper, bit) }
    }

    /// Whether one of the 64 flows around this one may have something for the end. Looks at the upper bits only, which are
    /// in memory that every link has: a look at the flow's slot would take a page for flows that are never used.
    public func mayBeReady(_ slot: LinkSlot, for linkEnd: End) -> Bool {
        let number = Int(slot.rawValue)
        let upper = (base + LinkLayout.upperBits(linkEnd)).assumingMemoryBound(to: UInt64.self) + number / 4_096
        return cl_load64_acquire(upper) & 1 << UInt64(number / 64 % 64) != 0
    }
}

/// The 32-bit word at `offset`, which is a multiple of 4.
@inlinable public func word(_ base: UnsafeMutableRawPointer, _ offset: Int) -> UnsafeMutablePointer<UInt32> {
    (base + offset).assumingMemoryBound(to: UInt32.self)
}

/// The 64-bit word at `offset`, which is a multiple of 8.
@inlinable public func longWord(_ base: UnsafeMutableRawPointer, _ offset: Int) -> UnsafeMutablePointer<UInt64> {
    (base + offset).assumingMemoryBound(to: UInt64.self)
}
