// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The part of the proto2 encoding that the wire uses: varints and byte strings. spec: enrollment-cep
package struct ProtobufWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func write(field: Int, varint value: UInt64) {
        writeVarint(UInt64(field) << 3)
        writeVarint(value)
    }

    package mutating func write(field: Int, bytes value: [UInt8]) {
        writeVarint(UInt64(field) << 3 | 2)
        writeVarint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    private mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads what a stranger wrote: unknown fields are skipped, any order is accepted, nothing traps.
package struct ProtobufReader: Sendable {
    package enum Value: Hashable, Sendable {
        case number(UInt64)
        case bytes([UInt8])
        /// Fixed-width fields, which no message of ours has.
        case other
    }

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    /// The next field; nil at the end.
    package mutating func next() throws(MalformedMessage) -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try readVarint()
        guard key >> 3 != 0 else { throw .unknownValue }
        switch key & 7 {
        case 0: return (key >> 3, .number(try readVarint()))
        case 1: return (key >> 3, try skip(8))
        case 2:
            let count = try readVarint()
            guard count <= UInt64(rest.count) else { throw .length }
            let bytes = Array(rest.prefix(Int(count)))
            rest = rest.dropFirst(Int(count))
            return (key >> 3, .bytes(bytes))
        case 5: return (key >> 3, try skip(4))
        default: throw .unknownValue
        }
    }

    private mutating func skip(_ count: Int) throws(MalformedMessage) -> Value {
        guard rest.count >= count else { throw .length }
        rest = rest.dropFirst(count)
        return .other
    }

    private mutating func readVarint() throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw .length }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw .unknownValue
    }
}
