// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What messages of the local protocol are made of. A structure has one list of its fields for both directions
/// (`FieldCodable`). What a case of an enumeration carries stands in the case alone (`Cases.swift`).
package protocol LocalCodable {
    func write(to writer: inout ByteWriter)
    init(reading reader: inout ByteReader) throws(MalformedMessage)

    /// A 16-bit count and the elements, as an array of these is written.
    static func write(list: [Self], to writer: inout ByteWriter)
    static func readList(from reader: inout ByteReader) throws(MalformedMessage) -> [Self]
}

extension LocalCodable {
    package static func write(list: [Self], to writer: inout ByteWriter) {
        writer.write(list: list) { writer, element in element.write(to: &writer) }
    }
    package static func readList(from reader: inout ByteReader) throws(MalformedMessage) -> [Self] {
        try reader.readList { reader throws(MalformedMessage) in try Self(reading: &reader) }
    }
}

/// A whole message: one SEQPACKET record.
package protocol LocalMessage: LocalCodable, Sendable {}

extension LocalMessage {
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Throws if the bytes are not exactly one message.
    package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
        var reader = ByteReader(bytes)
        try self.init(reading: &reader)
        try reader.finish()
    }
}

extension FixedWidthInteger where Self: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(self) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) { self = try reader.read() }
}

extension UInt16: LocalCodable {}
extension UInt32: LocalCodable {}
extension UInt64: LocalCodable {}
extension UInt8: LocalCodable {
    /// The same bytes as one by one, but all at once.
    package static func write(list: [Self], to writer: inout ByteWriter) { writer.write(string: list) }
    package static func readList(from reader: inout ByteReader) throws(MalformedMessage) -> [Self] {
        try reader.readString()
    }
}

extension Bool: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(self) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) { self = try reader.readBool() }
}

/// A byte that says whether there is a value, and the value.
extension Optional: LocalCodable where Wrapped: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(optional: self) { writer, value in value.write(to: &writer) }
    }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self = try reader.readOptional { reader throws(MalformedMessage) in try Wrapped(reading: &reader) }
    }
}

extension Array: LocalCodable where Element: LocalCodable {
    package func write(to writer: inout ByteWriter) { Element.write(list: self, to: &writer) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self = try Element.readList(from: &reader)
    }
}

/// A number that stands for one of the cases of an enumeration, or for a set.
extension RawRepresentable where Self: LocalCodable, RawValue: FixedWidthInteger {
    package func write(to writer: inout ByteWriter) { writer.write(rawValue) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) { self = try reader.readChoice() }
}

extension ByteReader {
    package mutating func readChoice<Choice: RawRepresentable>() throws(MalformedMessage) -> Choice
    where Choice.RawValue: FixedWidthInteger {
        guard let choice = Choice(rawValue: try read(Choice.RawValue.self)) else { throw .unknownValue }
        return choice
    }
}

extension End: LocalCodable {}
extension IPCPType: LocalCodable {}
extension DirectoryHash: LocalCodable {}

extension Identifier where Self: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(rawValue) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) { self.init(try reader.read()) }
}

extension FlowID: LocalCodable {}
extension LinkID: LocalCodable {}
extension LinkSlot: LocalCodable {}
extension ProcessID: LocalCodable {}
extension UserID: LocalCodable {}
extension GroupID: LocalCodable {}
extension RequestID: LocalCodable {}

extension Name: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(string: bytes) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        guard let name = Name(try reader.readString()) else { throw .unknownValue }
        self = name
    }
}

extension Failure: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(errno) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let number = try reader.read(Int32.self)
        guard number > 0, number < 4_096 else { throw .unknownValue }
        self.init(errno: number)
    }
}

extension TimeSpan: LocalCodable {
    package func write(to writer: inout ByteWriter) { writer.write(nanoseconds) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(nanoseconds: try reader.read())
    }
}

extension QualityOfService: FieldCodable {
    @inline(__always)
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            delayMilliseconds: try field(\.delayMilliseconds, &bytes), bandwidth: try field(\.bandwidth, &bytes),
            availability: try field(\.availability, &bytes), loss: try field(\.loss, &bytes),
            bitErrorRate: try field(\.bitErrorRate, &bytes), inOrder: try field(\.inOrder, &bytes),
            maximumGapMilliseconds: try field(\.maximumGapMilliseconds, &bytes),
            timeoutMilliseconds: try field(\.timeoutMilliseconds, &bytes))
    }
}
