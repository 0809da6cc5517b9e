// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Items of `type u8, length u8, value`, each type at most once. spec: frcp-profile-1 §1
struct ItemList: Hashable, Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where the value of a type stands in `bytes`.
    private var values: [UInt8: Range<Int>] = [:]

    init() {}

    /// - Returns: Nil if the last item is cut, or a type is there twice, also an unknown one.
    init?(reading bytes: [UInt8]) {
        self.bytes = bytes
        var offset = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 2 else { return nil }
            let value = offset + 2..<offset + 2 + Int(bytes[offset + 1])
            guard value.upperBound <= bytes.count, values[bytes[offset]] == nil else { return nil }
            values[bytes[offset]] = value
            offset = value.upperBound
        }
    }

    subscript(type: UInt8) -> [UInt8]? { values[type].map { Array(bytes[$0]) } }

    /// A type that is not there yet, with a value of at most 255 bytes.
    mutating func append(_ type: UInt8, _ value: [UInt8]) {
        precondition(values[type] == nil && value.count <= Int(UInt8.max), "item \(type) of \(value.count) bytes")
        bytes += [type, UInt8(value.count)]
        values[type] = bytes.count..<bytes.count + value.count
        bytes += value
    }
}
