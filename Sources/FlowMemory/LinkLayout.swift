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
package enum LinkLayout {
    /// Rung by the other end: `armed` (u32).
    package static func bell(_ end: End) -> Int { end.index * 256 }
    /// Bumped by the end itself while its process lives: `heartbeat` (u32).
    package static func heartbeat(_ end: End) -> Int { end.index * 256 + 128 }

    /// The upper level of the bits that say which flows may have something for `end`: one bit for each lower word.
    package static var upperWords: Int { Limits.slotsPerLink / 64 / 64 }
    package static func upperBits(_ end: End) -> Int { 512 + end.index * 128 }
    /// The lower level: one bit for each slot.
    package static var lowerWords: Int { Limits.slotsPerLink / 64 }
    package static func lowerBits(_ end: End) -> Int { 8_192 + end.index * lowerWords * 8 }

    package static let firstSlot = 32_768
    package static let slotBytes = 768
    package static let bytes = firstSlot + Limits.slotsPerLink * slotBytes

    package static func slot(_ slot: LinkSlot) -> Int { 32_768 + Int(slot.rawValue) * 768 }
}

/// Where the words of one flow stand in its slot.
package enum SlotLayout {
    /// What `end` says of itself (u32, `EndState` bits). Written by that end, and by irmd when the end is dead.
    package static func state(_ end: End) -> Int { end.index * 128 }
    /// The reader of `end` sleeps (u32, `ReaderWait`).
    package static func readerWait(_ end: End) -> Int { end.index * 128 + 4 }
    /// The writer of `end` sleeps (u32, 0 or 1).
    package static func writerWait(_ end: End) -> Int { end.index * 128 + 8 }
    /// Who writes to `end` must fence before it looks at `readerWait` (u32, `FenceReason` bits).
    package static func fenceRequired(_ end: End) -> Int { end.index * 128 + 12 }

    /// The producer's words for the direction that begins at `end`.
    package static func tail(from end: End) -> Int { 256 + end.index * 128 }
    package static func wrap(from end: End) -> Int { 256 + end.index * 128 + 8 }
    /// Packets ever written (u64), for queue lengths, events and `irm flow list`.
    package static func written(from end: End) -> Int { 256 + end.index * 128 + 16 }

    /// The consumer's words for the direction that begins at `end`.
    package static func head(from end: End) -> Int { 512 + end.index * 128 }
    /// Packets ever read (u64).
    package static func read(from end: End) -> Int { 512 + end.index * 128 + 8 }
}

/// What an end says of itself to the other.
package struct EndState: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// FLOWFDOWN is set: it neither reads nor writes, and may come back.
    package static let down = EndState(rawValue: 1)
    /// It let go of the flow, or its process is gone. Final.
    package static let gone = EndState(rawValue: 2)
    /// FLOWFWRONLY is set: it does not read.
    package static let notReading = EndState(rawValue: 4)
}

/// Why the reader of an end wants its writer to fence: it arms or sleeps too often to pay for both.
package enum FenceReason {
    /// The flow is in a set.
    package static let set: UInt32 = 1
    /// Its reader sleeps for nearly every packet.
    package static let sleepy: UInt32 = 2
}

/// How the reader of an end waits.
package enum ReaderWait {
    package static let awake: UInt32 = 0
    /// On the word itself.
    package static let futex: UInt32 = 1
    /// In a flow set: set the ready bit, then ring the bell if it is armed.
    package static let armed: UInt32 = 2
}
