// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The bytes of a message are not what they should be.
public enum MalformedMessage: Error, Hashable, Sendable {
    /// It ends before it is complete, or goes on after it is.
    case length
    /// A number that stands for a choice stands for none.
    case unknownValue
}

/// Reads what `ByteWriter` wrote, and trusts none of it: every read is checked, nothing traps.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var offset = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var left: Int { bytes.count - offset }

    /// A little-endian integer.
    @inlinable public mutating func read<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(MalformedMessage) -> Value {
        let count = Value.bitWidth / 8
        guard bytes.count - offset >= count else { throw .length }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += count
        return Value(truncatingIfNeeded: value)
    }

    /// A big-endian integer, as the network has them.
    @inlinable public mutating func readNetworkOrder<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(MalformedMessage) -> Value {
        try read(Value.self).byteSwapped
    }

    /// So many bytes.
    package mutating func read(bytes count: Int) throws(MalformedMessage) -> [UInt8] {
        guard count >= 0, left >= count else { throw .length }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// All that is left.
    package mutating func readRest() -> [UInt8] {
        defer { offset = bytes.count }
        return Array(bytes[offset...])
    }

    package mutating func readBool() throws(MalformedMessage) -> Bool {
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .unknownValue
        }
    }

    package mutating func readString() throws(MalformedMessage) -> [UInt8] {
        let count = Int(try read(UInt16.self))
        return try read(bytes: count)
    }

    package mutating func readList<Element>(
        _ element: (inout ByteReader) throws(MalformedMessage) -> Element
    ) throws(MalformedMessage) -> [Element] {
        let count = Int(try read(UInt16.self))
        // Nothing is reserved on the word of the sender: the list grows as its elements prove to be there.
        var list: [Element] = []
        for _ in 0..<count { list.append(try element(&self)) }
        return list
    }

    /// A byte that says whether there is a value, and the value.
    @inlinable public mutating func readOptional<Value>(
        _ value: (inout ByteReader) throws(MalformedMessage) -> Value
    ) throws(MalformedMessage) -> Value? {
        switch try read(UInt8.self) {
        case 0: return nil
        case 1: return try value(&self)
        default: throw .unknownValue
        }
    }

    /// To be called last: a message that goes on is no message of ours.
    package func finish() throws(MalformedMessage) {
        guard left == 0 else { throw .length }
    }
}
