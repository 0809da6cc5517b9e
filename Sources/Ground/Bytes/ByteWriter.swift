// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Builds the bytes of a message: little-endian integers and strings behind their length for the local protocol,
/// big-endian ones and bare bytes for the network.
public struct ByteWriter: Sendable {
    @usableFromInline var written: [UInt8] = []

    package init() {
        // What most messages need.
        written.reserveCapacity(128)
    }

    package var bytes: [UInt8] { written }

    /// A little-endian integer.
    @inlinable public mutating func write(_ value: some FixedWidthInteger) {
        let bits = UInt64(truncatingIfNeeded: value)
        for index in 0..<value.bitWidth / 8 { written.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))) }
    }

    /// A big-endian integer, as the network has them.
    @inlinable public mutating func write(networkOrder value: some FixedWidthInteger) { write(value.byteSwapped) }

    /// The bytes alone: their number is known from elsewhere.
    package mutating func write(bytes: [UInt8]) { written.append(contentsOf: bytes) }

    package mutating func write(_ value: Bool) { written.append(value ? 1 : 0) }

    /// A 16-bit length and the bytes. Longer ones than it can say are a mistake of the caller.
    package mutating func write(string: [UInt8]) {
        precondition(string.count <= Int(UInt16.max), "string of \(string.count) bytes")
        write(UInt16(string.count))
        written.append(contentsOf: string)
    }

    /// A 16-bit count and the elements, each written by `element`.
    package mutating func write<Element>(list: [Element], element: (inout ByteWriter, Element) -> Void) {
        precondition(list.count <= Int(UInt16.max), "list of \(list.count) elements")
        write(UInt16(list.count))
        for item in list { element(&self, item) }
    }

    /// A byte that says whether there is a value, and the value.
    @inlinable public mutating func write<Value>(optional: Value?, value: (inout ByteWriter, Value) -> Void) {
        guard let optional else { return write(UInt8(0)) }
        write(UInt8(1))
        value(&self, optional)
    }
}
