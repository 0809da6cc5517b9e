// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// A number that names one kind of thing. Every kind is a type of its own, so that no number can be taken for another.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// As wide as it is on the wire.
    associatedtype RawValue: FixedWidthInteger & Sendable
    /// The number itself.
    var rawValue: RawValue { get }
    /// Any number will do: whoever takes it from outside looks it up.
    init(_ rawValue: RawValue)
}

extension Identifier {
    /// The number, in decimal.
    public var description: String { String(rawValue) }
    /// For sets and dictionaries. Nobody outside can choose very many numbers, so it need not be as strong as the hash of the
    /// standard library, which took a twentieth of irmd's time.
    public func _rawHashValue(seed: Int) -> Int {
        let mixed = (UInt64(truncatingIfNeeded: rawValue) ^ UInt64(truncatingIfNeeded: seed)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed ^ mixed >> 32)
    }
    /// By number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A flow inside this host, given by irmd. Lower bits number, upper bits generation; never reused at once; never 0.
package struct FlowID: Identifier {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// What a program holds of a flow: 64… as in `flow_alloc(3)`.
package struct FlowDescriptor: Identifier {
    package let rawValue: Int32
    package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// The memory and the socket pair that two processes share for the state and the wake-ups of all their flows, given by
/// irmd; never 0.
package struct LinkID: Identifier {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// The place of a flow in its link.
public struct LinkSlot: Identifier {
    /// 0…65,535.
    public let rawValue: UInt32
    /// Any number will do: whoever takes it from outside looks it up.
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// A process of this host.
package struct ProcessID: Identifier {
    package let rawValue: Int32
    package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

package struct UserID: Identifier {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
    package static let root = UserID(0)
    /// Nobody in particular.
    package static let nobody = UserID(65_534)
}

package struct GroupID: Identifier {
    package let rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// One connection to irmd, numbered by irmd in the order of arrival and never reused.
package struct ConnectionID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Pairs a request with its reply on one connection.
package struct RequestID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The two ends of a flow or of a link: `first` allocated, `second` accepted.
public enum End: UInt8, Sendable {
    case first = 0
    case second = 1

    /// The one that this is not.
    @inlinable public var other: End { self == .first ? .second : .first }
    /// 0 or 1.
    @inlinable public var index: Int { self == .first ? 0 : 1 }
}
