// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The number of a packet of one direction of a flow, modulo 2^32. spec: frcp-profile-1
package struct SequenceNumber: Hashable, Sendable {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// How many numbers `other` lies behind this one; negative if it lies before.
    package func distance(to other: SequenceNumber) -> Int {
        Int(Int32(bitPattern: other.rawValue &- rawValue))
    }

    package func isBefore(_ other: SequenceNumber) -> Bool { distance(to: other) > 0 }

    package static func + (number: SequenceNumber, count: Int) -> SequenceNumber {
        SequenceNumber(number.rawValue &+ UInt32(truncatingIfNeeded: count))
    }
}
