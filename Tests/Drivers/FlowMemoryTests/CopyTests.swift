// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing

@Suite struct CopyTests {
    /// All distances within a page that are treated apart, and their neighbours; sizes around the limits of the loops.
    @Test func everyByteArrivesAndNoOther() {
        let source = (0..<8_192).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 4_096)
        defer { space.deallocate() }
        let from = UnsafeMutableRawBufferPointer.allocate(byteCount: 8_192, alignment: 4_096)
        defer { from.deallocate() }
        from.copyBytes(from: source)
        for distance in [0, 1, 7, 8, 14, 15, 16, 17, 4_095] {
            for count in [0, 1, 2_047, 2_048, 2_049, 2_111, 2_112, 4_096, 5_003] {
                space.initializeMemory(as: UInt8.self, repeating: 0xaa)
                cl_copy(space.baseAddress! + distance, from.baseAddress!, count)
                #expect(Array(space[distance..<distance + count]) == Array(source[..<count]))
                #expect(space[..<distance].allSatisfy { $0 == 0xaa })
                #expect(space[(distance + count)...].allSatisfy { $0 == 0xaa })
            }
        }
    }
}
