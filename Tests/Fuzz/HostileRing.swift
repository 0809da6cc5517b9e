// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// A ring whose other side is the fuzzer: it writes what it wants into the shared words, at any time. On both sides of
/// the ring's bytes stand pages that nobody may touch, so a step outside ends the run.
struct HostileRing: ~Copyable {
    static let size = 16_384
    private static let page = 4_096

    let ring: Ring
    private let area: UnsafeMutableRawPointer
    private let slot: UnsafeMutableRawPointer

    init() {
        let flags = Int32(MAP_SHARED) | Int32(MAP_ANONYMOUS)
        area = mmap(nil, Self.size + 2 * Self.page, PROT_READ | PROT_WRITE, flags, -1, 0)
        precondition(area != UnsafeMutableRawPointer(bitPattern: -1), "no memory")
        mprotect(area, Self.page, PROT_NONE)
        mprotect(area + Self.page + Self.size, Self.page, PROT_NONE)
        slot = .allocate(byteCount: LinkLayout.slotBytes, alignment: 128)
        slot.initializeMemory(as: UInt8.self, repeating: 0, count: LinkLayout.slotBytes)
        ring = Ring(bytes: area + Self.page, size: Self.size, slot: slot, from: .first)
    }

    deinit {
        munmap(area, Self.size + 2 * Self.page)
        slot.deallocate()
    }

    /// One act of the hostile side.
    func disturb(with input: inout Input) {
        let words = [ring.tail, ring.wrap, ring.written, ring.head, ring.read]
        let choice = input.byte()
        let word = words[Int(choice & 7) % words.count]
        switch choice >> 3 & 3 {
        case 0: word.pointee = input.word()
        case 1: word.pointee &+= UInt64(input.byte()) &* Ring.alignment
        case 2: word.pointee &-= UInt64(input.byte()) &* Ring.alignment
        default:
            // Where records begin.
            let place = Int(input.byte()) * Int(Ring.alignment) % Self.size
            let header = input.byte() & 1 == 0 ? UInt64(input.byte()) : input.word()
            ring.bytes.storeBytes(of: header, toByteOffset: place, as: UInt64.self)
        }
    }
}
