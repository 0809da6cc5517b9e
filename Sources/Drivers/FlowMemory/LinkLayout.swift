// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Where everything stands in a link's memory. Byte offsets, because Swift cannot import C structures whose fields are
/// aligned beyond their type. Words of different writers stand in different 128-byte blocks, since processors fetch
/// cache lines in pairs.
///
/// Nothing in here is trusted: whoever reads a word loads it once into a local and checks it.
///
///     0      bells of end 0 | bells of end 1      what the other end rings
///     8 KiB  ready bits of end 0, ready bits of end 1
///     32 KiB slots: one for each flow
public enum LinkLayout {
    /// Rung by the other end: `armed` (u32), of which bit 0 says that it shall be, the others count how often that was
    /// said.
    @inlinable public static func bell(_ end: End) -> Int { end.index * 256 }
    /// Bumped by the end itself while its process lives: `heartbeat` (u32).
    @inlinable public static func heartbeat(_ end: End) -> Int { end.index * 256 + 128 }

    /// The upper level of the bits that say which flows may have something for `end`: one bit for each lower word.
    @inlinable public static var upperWords: Int { Limits.slotsPerLink / 64 / 64 }
    /// Offset of the upper level.
    @inlinable public static func upperBits(_ end: End) -> Int { 512 + end.index * 128 }
    /// The lower level: one bit for each slot.
    @inlinable public static var lowerWords: Int { Limits.slotsPerLink / 64 }
    /// Offset of the lower level.
    @inlinable public static func lowerBits(_ end: End) -> Int { 8_192 + end.index * lowerWords * 8 }

    /// Offset of the first slot.
    @inlinable public static var firstSlot: Int { 32_768 }
    /// Bytes of a slot: six blocks.
    @inlinable public static var slotBytes: Int { 768 }
    /// Bytes of the whole memory, of which only what is used takes any.
    @inlinable public static var bytes: Int { firstSlot + Limits.slotsPerLink * slotBytes }

    /// Offset of a slot.
    @inlinable public static func slot(_ slot: LinkSlot) -> Int { firstSlot + Int(slot.rawValue) * slotBytes }
}

/// Where the words of one flow stand in its slot.
public enum SlotLayout {
    /// What `end` says of itself (u32, `EndState` bits). Written by that end, and by irmd when the end is dead.
    @inlinable public static func state(_ end: End) -> Int { end.index * 128 }
    /// The reader of `end` sleeps (u32, `ReaderWait`).
    @inlinable public static func readerWait(_ end: End) -> Int { end.index * 128 + 4 }
    /// The writer of `end` waits for room (u32, `WriterWait`).
    @inlinable public static func writerWait(_ end: End) -> Int { end.index * 128 + 8 }
    /// Who writes to `end` must fence before it looks at `readerWait` (u32, `FenceReason` bits).
    @inlinable public static func fenceRequired(_ end: End) -> Int { end.index * 128 + 12 }
    /// How many bytes of the ring the message needs of which the flow set of `end` waits to hear that it fits (u32).
    @inlinable public static func roomWanted(_ end: End) -> Int { end.index * 128 + 16 }

    /// The producer's words for the direction that begins at `end`.
    @inlinable public static func tail(from end: End) -> Int { 256 + end.index * 128 }
    /// Where the producer left the ring early (u64).
    @inlinable public static func wrap(from end: End) -> Int { 256 + end.index * 128 + 8 }
    /// Packets ever written (u64), for queue lengths, events and `irm flow list`.
    @inlinable public static func written(from end: End) -> Int { 256 + end.index * 128 + 16 }
    /// Bytes of all gaps where the producer left the ring early (u64), for `irm flow list`.
    @inlinable public static func skipped(from end: End) -> Int { 256 + end.index * 128 + 24 }

    /// The consumer's words for the direction that begins at `end`.
    @inlinable public static func head(from end: End) -> Int { 512 + end.index * 128 }
    /// Packets ever read (u64).
    @inlinable public static func read(from end: End) -> Int { 512 + end.index * 128 + 8 }
    /// How much the consumer wants to be unread (u64, bytes), if that is less than the queue takes; 0 if not.
    @inlinable public static func appetite(from end: End) -> Int { 512 + end.index * 128 + 16 }
}

/// What an end says of itself to the other.
public enum EndState {
    /// FLOWFDOWN is set: it neither reads nor writes, and may come back.
    @inlinable public static var down: UInt32 { 1 }
    /// It let go of the flow, or its process is gone. Final.
    @inlinable public static var gone: UInt32 { 2 }
    /// FLOWFWRONLY is set: it does not read.
    @inlinable public static var notReading: UInt32 { 4 }
}

/// Why the reader of an end wants its writer to fence: it arms or sleeps too often to pay for both.
public enum FenceReason {
    /// The flow is in a set.
    @inlinable public static var set: UInt32 { 1 }
    /// Its reader sleeps for nearly every packet.
    @inlinable public static var sleepy: UInt32 { 2 }
}

/// How the reader of an end waits.
public enum ReaderWait {
    /// Nobody waits.
    @inlinable public static var awake: UInt32 { 0 }
    /// On the word itself.
    @inlinable public static var futex: UInt32 { 1 }
    /// In a flow set: set the ready bit, then ring the bell if it is armed.
    @inlinable public static var armed: UInt32 { 2 }
}

/// How the writer of an end waits for room; flags, because a thread may sleep on a flow that also is in a set.
public enum WriterWait {
    /// On the word itself, until half of the queue is free.
    @inlinable public static var futex: UInt32 { 1 }
    /// In a flow set, until the message fits and half of the queue is free: set the ready bit, then ring the bell.
    @inlinable public static var half: UInt32 { 2 }
    /// In a flow set, until the message fits; rung once, and the set then gives the reader a little time for `half`.
    @inlinable public static var first: UInt32 { 4 }
    /// Both that a flow set sets.
    @inlinable public static var set: UInt32 { half | first }
}
