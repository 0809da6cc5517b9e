// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// How a sleeper and the one who wakes it find each other: this file is the whole pairing.
///
///     sleeper                                  waker
///     1. sets its wait word                    1. publishes (a record, a position, a state)
///     2. full barrier                          2. full barrier
///     3. looks again; nothing: sleeps on       3. looks at the wait word; set: takes it (exchange) and
///        the word while it is set                 wakes
///
/// With both barriers at least one of them sees the other. On an expedited link the sleeper pays for both: its
/// `membarrier` makes every running waker execute a full barrier, so the waker needs only to keep the compiler from
/// moving its look before its publication. A flow in a set is armed too often for that, and a reader that sleeps for
/// nearly every packet would pay more for its barriers than for its sleep [30 against 15 µs a round trip]: there the
/// waker fences, which the reader asks for with `fenceRequired` and one last `membarrier`.
/// Tests/Drivers/FlowMemoryTests/WakeUpModelTests goes through all interleavings of these steps under total store order.
///
/// Wait words hold flags, because a thread may sleep on a flow that also is in a set. A sleeper never clears its flag:
/// a flag that is left over costs one wake-up too many, a flag cleared too early would cost a sleep without end.
public enum WakeUp {
    /// The waker's step 2.
    @inlinable public static func barrier(isExpedited: Bool, fenceRequired: UInt32) {
        if isExpedited && fenceRequired == 0 { cl_compiler_fence() } else { cl_fence() }
    }

    /// The sleeper's step 2. False where the kernel says no to a barrier after it had said yes (a sandbox that was closed
    /// meanwhile): then a waker may have missed the sleeper's flag, and the sleeper must look again soon.
    @inlinable @discardableResult public static func sleeperBarrier(isExpedited: Bool) -> Bool {
        if isExpedited && cl_membarrier() == 0 { return true }
        cl_fence()
        return !isExpedited
    }

    /// Sets a sleeper's flag (step 1) and returns the value to sleep on.
    @inlinable public static func announce(_ wait: UnsafeMutablePointer<UInt32>, flag: UInt32) -> UInt32 {
        cl_or32(wait, flag) | flag
    }

    /// Step 3 of a waker of a reader of `end` in `slot`. `bell` is our descriptor of the link's socket. False if the
    /// program has taken that from us, so that the peer could not be told.
    public static func reader(
        of end: End, slot words: UnsafeMutableRawPointer, number: LinkSlot, link: borrowing LinkMemory, linkEnd: End,
        bell: GuestDescriptor
    ) -> Bool {
        let wait = word(words, SlotLayout.readerWait(end))
        let flags = cl_exchange32(wait, ReaderWait.awake)
        if flags & ReaderWait.futex != 0 { cl_futex_wake_all(wait) }
        return flags & ReaderWait.armed == 0 || ring(number, link: link, linkEnd: linkEnd, bell: bell)
    }

    /// Tells the process at `linkEnd` that a flow may have something for it.
    static func ring(
        _ slot: LinkSlot, link: borrowing LinkMemory, linkEnd: End, bell: GuestDescriptor
    ) -> Bool {
        link.setReady(slot, for: linkEnd)
        cl_fence()
        let armed = word(link.base, LinkLayout.bell(linkEnd))
        let seen = cl_load32_acquire(armed)
        guard seen & 1 != 0 else { return true }
        let isTold = bell.ring() != -Int(EBADF)
        // Only now, or who dies in between mutes all flows of the link; unless it was armed again meanwhile.
        cl_replace32(armed, seen, seen & ~1)
        return isTold
    }

    /// The same whatever the wait words say, because somebody may have died half-way through a wake-up.
    public static func anyReader(
        of end: End, slot words: UnsafeMutableRawPointer, number: LinkSlot, link: borrowing LinkMemory, linkEnd: End,
        bell: GuestDescriptor
    ) {
        everybody(on: word(words, SlotLayout.readerWait(end)))
        link.setReady(number, for: linkEnd)
        bell.ring()
    }

    /// Asks to be rung from now on. `armed` is the own end's.
    public static func arm(_ armed: UnsafeMutablePointer<UInt32>) {
        _ = cl_add32(armed, 2)
        _ = cl_or32(armed, 1)
    }

    /// Step 3 for a writer that sleeps on its word. What a flow set waits for stays.
    public static func sleeper(on wait: UnsafeMutablePointer<UInt32>) {
        if cl_and32(wait, ~WriterWait.futex) & WriterWait.futex != 0 { cl_futex_wake_all(wait) }
    }

    /// Step 3 of a waker of a writer of `end` in `slot`: takes those of `flags` that are set. The rest as in `reader`.
    public static func writer(
        taking flags: UInt32, of end: End, slot words: UnsafeMutableRawPointer, number: LinkSlot,
        link: borrowing LinkMemory, linkEnd: End, bell: GuestDescriptor
    ) -> Bool {
        let wait = word(words, SlotLayout.writerWait(end))
        let taken = cl_and32(wait, ~flags) & flags
        if taken & WriterWait.futex != 0 { cl_futex_wake_all(wait) }
        return taken & WriterWait.set == 0 || ring(number, link: link, linkEnd: linkEnd, bell: bell)
    }

    /// The same whatever the word says.
    public static func anyWriter(
        of end: End, slot words: UnsafeMutableRawPointer, number: LinkSlot, link: borrowing LinkMemory, linkEnd: End,
        bell: GuestDescriptor
    ) {
        everybody(on: word(words, SlotLayout.writerWait(end)))
        link.setReady(number, for: linkEnd)
        bell.ring()
    }

    /// Wakes everybody who sleeps on a word, whatever the word says.
    public static func everybody(on wait: UnsafeMutablePointer<UInt32>) {
        _ = cl_exchange32(wait, 0)
        cl_futex_wake_all(wait)
    }
}
