// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing
import Vocabulary

/// The UDP datagrams of a capture of the prototype, in order: golden bytes. `Captures` holds what
/// tcpdump wrote, unchanged.
struct Capture {
    private(set) var datagrams: [[UInt8]] = []

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Captures")

    /// All that there are.
    static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".pcap") }.map { String($0.dropLast(5)) }.sorted()

    init(_ name: String) throws {
        let bytes = Array(try Data(contentsOf: Self.folder.appendingPathComponent(name + ".pcap")))
        func word(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
        // Written by a little-endian host, with Ethernet frames.
        try #require(word(0) == 0xA1B2_C3D4 && word(20) == 1)
        var offset = 24
        while offset + 16 <= bytes.count {
            let count = word(offset + 8)
            if let datagram = Self.datagram(in: Array(bytes[offset + 16..<offset + 16 + count])) {
                datagrams.append(datagram)
            }
            offset += 16 + count
        }
    }

    /// Nil if the frame holds no UDP.
    private static func datagram(in frame: [UInt8]) -> [UInt8]? {
        switch (frame[12], frame[13]) {
        case (0x08, 0x00) where frame[23] == 17: udp(frame, at: 14 + Int(frame[14] & 15) * 4)
        case (0x86, 0xDD) where frame[20] == 17: udp(frame, at: 54)
        default: nil
        }
    }

    /// As long as UDP says: Ethernet pads what is short.
    private static func udp(_ frame: [UInt8], at offset: Int) -> [UInt8] {
        Array(frame[offset + 8..<offset + (Int(frame[offset + 4]) << 8 | Int(frame[offset + 5]))])
    }

    /// Those to endpoint 0.
    var management: [[UInt8]] { datagrams.filter { $0.starts(with: [0, 0, 0, 0]) } }
}

/// Bytes of digits, for what is quoted from the specification.
func octets(_ digits: String) -> [UInt8] {
    let digits = digits.filter { $0.isHexDigit }
    return stride(from: 0, to: digits.count, by: 2).compactMap { place in
        UInt8(digits.dropFirst(place).prefix(2), radix: 16)
    }
}

extension RandomSource {
    mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// As if the network had damaged it.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var bytes = bytes
        switch Int.random(in: 0..<3, using: &self) {
        case 0: bytes[Int.random(in: bytes.indices, using: &self)] ^= 1 << UInt8.random(in: 0...7, using: &self)
        case 1: bytes.removeSubrange(Int.random(in: bytes.indices, using: &self)...)
        default: bytes.insert(.random(in: .min ... .max, using: &self), at: Int.random(in: bytes.indices, using: &self))
        }
        return bytes
    }
}
