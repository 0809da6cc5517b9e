// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes

/// Reads or writes the fields of a message in network order. A message has one list of its fields for both directions, a
/// mutating `visit`. To read a message, an empty one visits a `ByteReader`, which replaces each field. To write a message, a
/// copy of it visits a `ByteWriter`, which changes no field and never throws.
protocol NetworkFields {
    mutating func next<Number: FixedWidthInteger>(_ number: inout Number) throws(MalformedMessage)
    /// So many bytes, without their count.
    mutating func next(_ bytes: inout [UInt8], count: Int) throws(MalformedMessage)
}

extension ByteReader: NetworkFields {
    mutating func next<Number: FixedWidthInteger>(_ number: inout Number) throws(MalformedMessage) {
        number = try readNetworkOrder()
    }

    mutating func next(_ bytes: inout [UInt8], count: Int) throws(MalformedMessage) {
        bytes = try read(bytes: count)
    }
}

extension ByteWriter: NetworkFields {
    mutating func next<Number: FixedWidthInteger>(_ number: inout Number) throws(MalformedMessage) {
        write(networkOrder: number)
    }

    mutating func next(_ bytes: inout [UInt8], count: Int) throws(MalformedMessage) {
        write(bytes: bytes)
    }
}
