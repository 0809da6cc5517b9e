// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import Vocabulary

/// Gives out flow ids: a number in the lower 17 bits, and above it a generation that differs each time the number is
/// used again. A freed number waits until all others have had their turn, so a late message about an old flow never
/// meets a new one.
struct FlowNumbers: Sendable {
    static let numberBits: UInt32 = 17
    private static let last: UInt32 = 1 << numberBits - 1

    private var fresh: UInt32 = 1
    private var freed = Deque<FlowID>()

    /// Nil if every number is in use.
    mutating func take() -> FlowID? {
        if fresh <= FlowNumbers.last {
            defer { fresh += 1 }
            return FlowID(fresh)
        }
        guard let old = freed.popFirst() else { return nil }
        // Wraps after 32,768 uses of the number.
        return FlowID(old.rawValue &+ (1 << FlowNumbers.numberBits))
    }

    mutating func giveBack(_ flow: FlowID) { freed.append(flow) }
}
