// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What oping sends and gets back, as the prototype's has it. spec: tools §1
package struct EchoPacket: Hashable, Sendable {
    /// Bytes of a packet; the header is part of them.
    package static let sizes = 64...1_500
    package static let headerBytes = 24

    package enum Kind: UInt32, Sendable {
        case request = 0
        case reply = 1
    }

    package var kind: Kind
    package var sequence: UInt32
    /// When the request was sent, on the clock of who sent it.
    package var sent: Instant

    package init(kind: Kind, sequence: UInt32, sent: Instant) {
        self.kind = kind
        self.sequence = sequence
        self.sent = sent
    }

    /// Kind and sequence in network order, the time in that of the host, then zeroes.
    package func bytes(count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        append(kind.rawValue.bigEndian, to: &bytes)
        append(sequence.bigEndian, to: &bytes)
        append(sent.nanoseconds / 1_000_000_000, to: &bytes)
        append(sent.nanoseconds % 1_000_000_000, to: &bytes)
        bytes.append(contentsOf: repeatElement(0, count: max(0, count - bytes.count)))
        return bytes
    }

    /// Nil if the bytes are too few, or no packet of ours.
    package init?(reading bytes: some Collection<UInt8>) {
        let header = Array(bytes.prefix(EchoPacket.headerBytes))
        guard header.count == EchoPacket.headerBytes,
            let kind = Kind(rawValue: UInt32(bigEndian: EchoPacket.load(header[0..<4]))),
            let seconds = UInt64(exactly: EchoPacket.load(header[8..<16], as: Int64.self)),
            let rest = UInt64(exactly: EchoPacket.load(header[16..<24], as: Int64.self))
        else { return nil }
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, nanoseconds <= .max - rest else { return nil }
        self.init(
            kind: kind, sequence: UInt32(bigEndian: EchoPacket.load(header[4..<8])),
            sent: Instant(nanoseconds: nanoseconds + rest))
    }

    /// Makes a reply of a request in place: nothing but the kind changes. False if it is no request.
    package static func turn(_ bytes: inout [UInt8], count: Int) -> Bool {
        guard count >= headerBytes, bytes[0..<4].allSatisfy({ $0 == 0 }) else { return false }
        bytes[3] = UInt8(Kind.reply.rawValue)
        return true
    }

    private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    /// The integer that the bytes are in the order of this host.
    private static func load<Value: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, as: Value.Type = Value.self) -> Value
    {
        var value: Value = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes) }
        return value
    }
}
