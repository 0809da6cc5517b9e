// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes

/// A structure with one list of its fields, from which writing and reading follow: what is written is read, in the same order
/// and as the same type.
package protocol FieldCodable: LocalCodable {
    /// The list: makes the structure of `try field(\.name, &bytes)` for each field, in the order of the bytes.
    ///
    /// When the structure is read, `field` reads a value. When the structure is written, `field` writes the value and returns
    /// it, and what the list makes is a copy that nobody needs. The copy costs little if this initialiser is inlined, which
    /// the structures of every allocation ask for.
    ///
    /// Throws if the bytes end too early, or for values that no sender may choose. The latter are looked at behind the last
    /// field, because a structure that is written is always written in full.
    init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage)
}

/// Reads or writes the fields of a `Whole`.
package protocol FieldCoder<Whole> {
    associatedtype Whole
    /// What is read from or written to.
    associatedtype Bytes
    func callAsFunction<Value: LocalCodable>(
        _ field: (Whole) -> Value, _ bytes: inout Bytes
    ) throws(MalformedMessage) -> Value
}

extension FieldCodable {
    package func write(to writer: inout ByteWriter) {
        _ = try? Self(WrittenFields(whole: self), &writer)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        try self.init(ReadFields<Self>(), &reader)
    }
}

private struct WrittenFields<Whole>: FieldCoder {
    let whole: Whole

    @inline(__always)
    func callAsFunction<Value: LocalCodable>(
        _ field: (Whole) -> Value, _ writer: inout ByteWriter
    ) throws(MalformedMessage) -> Value {
        let value = field(whole)
        value.write(to: &writer)
        return value
    }
}

private struct ReadFields<Whole>: FieldCoder {
    @inline(__always)
    func callAsFunction<Value: LocalCodable>(
        _ field: (Whole) -> Value, _ reader: inout ByteReader
    ) throws(MalformedMessage) -> Value {
        try Value(reading: &reader)
    }
}
