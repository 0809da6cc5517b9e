// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The bytes of a message are not what they should be.
package enum MalformedMessage: Error, Hashable, Sendable {
    /// It ends before it is complete, or goes on after it is.
    case length
    /// A number that stands for a choice stands for none.
    case unknownValue
}

/// Reads what `ByteWriter` wrote, and trusts none of it: every read is checked, nothing traps.
package struct ByteReader: Sendable {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    package mutating func read<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(MalformedMessage) -> Value {
        let count = Value.bitWidth / 8
        guard rest.count >= count else { throw .length }
        var value: Value = 0
        for (index, byte) in rest.prefix(count).enumerated() {
            value |= Value(truncatingIfNeeded: byte) << (8 * index)
        }
        rest = rest.dropFirst(count)
        return value
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
        guard rest.count >= count else { throw .length }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
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

    package mutating func readOptional<Value>(
        _ value: (inout ByteReader) throws(MalformedMessage) -> Value
    ) throws(MalformedMessage) -> Value? {
        try readBool() ? try value(&self) : nil
    }

    /// To be called last: a message that goes on is no message of ours.
    package func finish() throws(MalformedMessage) {
        guard rest.isEmpty else { throw .length }
    }
}
