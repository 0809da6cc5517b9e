// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Where the two rings of a flow stand in its memory: the beginnings of both side by side, so that a flow of which no
/// more is used needs only a small mapping, and shares the pages of page tables with the flows whose mappings stand
/// beside its own. Two rings as long as theirs need a page of page tables each, in both processes. Behind the beginnings
/// stands what most flows use of their rings, and behind that what only the longest messages need.
///
///     0                     beginning of the ring that the first end writes
///     beginning             the first `everyday` bytes of the ring that the second end writes
///     beginning + everyday  the first ring up to `everyday`
///     2 * everyday          the rest of the second ring
///     everyday + ringBytes  the rest of the first ring
package enum SegmentLayout {
    /// Bytes of the beginning of a ring: a multiple of the pages of all processors, and enough for a flow that is read as
    /// soon as it is written.
    package static func beginning(ringBytes: Int) -> Int { min(65_536, ringBytes) }
    /// Bytes of the whole memory, of which only what is used takes any.
    package static func bytes(ringBytes: Int) -> Int { ringBytes * 2 }

    /// A part of a ring, and where in the segment it stands.
    struct Piece {
        let offset: Int
        let count: Int
    }

    /// The pieces of the ring that `end` writes, up to its first `everyday` bytes or whole, in the order of the ring.
    static func pieces(of end: End, ringBytes: Int, upTo bytes: Int) -> [Piece] {
        let beginning = beginning(ringBytes: ringBytes)
        let everyday = min(ringBytes, Limits.everydayRingBytes)
        var pieces: [Piece]
        switch end {
        case .first:
            pieces = [Piece(offset: 0, count: beginning)]
            pieces.append(Piece(offset: beginning + everyday, count: everyday - beginning))
        case .second: pieces = [Piece(offset: beginning, count: everyday)]
        }
        guard bytes > everyday else { return pieces }
        let rest = end == .first ? everyday + ringBytes : 2 * everyday
        return pieces + [Piece(offset: rest, count: ringBytes - everyday)]
    }
}

/// A mapping of the beginnings of the two byte rings of one flow. Nothing else is in the memory; positions are in the
/// link's slot. `Ring` maps the rest when it is needed.
package struct SegmentMemory: ~Copyable, @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let ringBytes: Int

    /// Bytes that are mapped.
    package static func mappedBytes(ringBytes: Int) -> Int { SegmentLayout.beginning(ringBytes: ringBytes) * 2 }

    package init(mapping descriptor: borrowing Descriptor, ringBytes: Int) throws(Failure) {
        let check = cl_memfd_check(descriptor.number, SegmentLayout.bytes(ringBytes: ringBytes))
        guard check == 0 else { throw Failure(result: Int(check)) }
        let flags = Int32(MAP_SHARED) | Int32(MAP_NORESERVE)
        let size = SegmentMemory.mappedBytes(ringBytes: ringBytes)
        guard
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, flags, descriptor.number, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw Failure(result: Int(cl_refused("mmap"))) }
        self.base = base
        self.ringBytes = ringBytes
    }

    deinit { munmap(base, SegmentMemory.mappedBytes(ringBytes: ringBytes)) }

    /// A new segment with empty rings. It takes memory only where something was written.
    package static func create(ringBytes: Int = Limits.ringBytes) throws(RefusedCall) -> Descriptor {
        var call: UnsafePointer<CChar>?
        let result = cl_memfd_sealed("ouroboros-flow", SegmentLayout.bytes(ringBytes: ringBytes), &call)
        guard result >= 0 else {
            throw RefusedCall(call.map { String(cString: $0) } ?? "memfd_create", Failure(result: Int(result)))
        }
        return Descriptor(owning: result)
    }

    /// Gives up the ownership: the caller unmaps `mappedBytes` from here.
    package consuming func release() -> UnsafeMutableRawPointer {
        let base = base
        discard self
        return base
    }
}
