// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The fuzzer's bytes, one after another; zeroes behind the end.
struct Input {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawPointer?, _ count: Int) { rest = UnsafeRawBufferPointer(start: bytes, count: count)[...] }

    var isEmpty: Bool { rest.isEmpty }
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }
    mutating func word() -> UInt64 { (0..<8).reduce(0) { value, _ in value << 8 | UInt64(byte()) } }
}
