// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

@testable import FlowMemory

@Suite struct CRC32Tests {
    private func sum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32.of($0) } }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.filter { $0 != " " })
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
    }

    /// spec: frcp §2, captured packets
    @Test func theSumsOfCapturedPackets() {
        #expect(sum(bytes("706b74203030303030302e4141414141")) == 0x5af9_6775)
        #expect(sum(bytes("03000000 fe711988 00000000 706b74203030303030302e4141414141")) == 0x31f7_59fc)
        #expect(sum(Array("123456789".utf8)) == 0xcbf4_3926)
        #expect(sum([]) == 0)
    }

    @Test func eightBytesAtATimeAreTheSameAsOneBitAtATime() {
        var random = SystemRandomNumberGenerator()
        for count in 0..<70 {
            let payload = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            var slow = UInt32.max
            for byte in payload {
                slow ^= UInt32(byte)
                for _ in 0..<8 { slow = slow & 1 == 0 ? slow >> 1 : slow >> 1 ^ 0xEDB8_8320 }
            }
            #expect(sum(payload) == ~slow)
        }
    }
}
