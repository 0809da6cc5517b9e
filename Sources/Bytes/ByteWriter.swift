// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Builds the bytes of a message of the local protocol: little-endian integers, and strings behind their length.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func write(_ value: some FixedWidthInteger) {
        var rest = value
        for _ in 0..<(value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// A 16-bit length and the bytes. Longer ones than it can say are a mistake of the caller.
    package mutating func write(string: [UInt8]) {
        precondition(string.count <= Int(UInt16.max), "string of \(string.count) bytes")
        write(UInt16(string.count))
        bytes.append(contentsOf: string)
    }

    /// A 16-bit count and the elements, each written by `element`.
    package mutating func write<Element>(list: [Element], element: (inout ByteWriter, Element) -> Void) {
        precondition(list.count <= Int(UInt16.max), "list of \(list.count) elements")
        write(UInt16(list.count))
        for item in list { element(&self, item) }
    }

    /// A byte that says whether there is a value, and the value.
    package mutating func write<Value>(optional: Value?, value: (inout ByteWriter, Value) -> Void) {
        write(optional != nil)
        if let optional { value(&self, optional) }
    }
}
