// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What messages of the local protocol are made of.
package protocol LocalCodable {
    func write(to writer: inout ByteWriter)
    init(reading reader: inout ByteReader) throws(MalformedMessage)
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

extension ByteWriter {
    package mutating func write(_ value: some LocalCodable) { value.write(to: &self) }
    package mutating func write(list: [some LocalCodable]) {
        write(list: list) { writer, item in item.write(to: &writer) }
    }
    package mutating func write(optional: (some LocalCodable)?) {
        write(optional: optional) { writer, value in value.write(to: &writer) }
    }
}

extension ByteReader {
    package mutating func read<Value: LocalCodable>(_: Value.Type = Value.self) throws(MalformedMessage) -> Value {
        try Value(reading: &self)
    }
    package mutating func readList<Element: LocalCodable>() throws(MalformedMessage) -> [Element] {
        try readList { reader throws(MalformedMessage) in try Element(reading: &reader) }
    }
    package mutating func readOptional<Value: LocalCodable>(
        _: Value.Type = Value.self
    ) throws(MalformedMessage) -> Value? {
        try readOptional { reader throws(MalformedMessage) in try Value(reading: &reader) }
    }
    /// A number that stands for one of the cases of an enumeration.
    package mutating func readChoice<Choice: RawRepresentable>() throws(MalformedMessage) -> Choice
    where Choice.RawValue: FixedWidthInteger {
        guard let choice = Choice(rawValue: try read(Choice.RawValue.self)) else { throw .unknownValue }
        return choice
    }
}

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

extension QualityOfService: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(delayMilliseconds)
        writer.write(bandwidth)
        writer.write(availability)
        writer.write(loss)
        writer.write(bitErrorRate)
        writer.write(inOrder)
        writer.write(maximumGapMilliseconds)
        writer.write(timeoutMilliseconds)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            delayMilliseconds: try reader.read(), bandwidth: try reader.read(), availability: try reader.read(),
            loss: try reader.read(), bitErrorRate: try reader.read(), inOrder: try reader.readBool(),
            maximumGapMilliseconds: try reader.read(), timeoutMilliseconds: try reader.read())
    }
}
