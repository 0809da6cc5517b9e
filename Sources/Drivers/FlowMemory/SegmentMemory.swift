// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Where the two rings of a flow stand in its memory: the beginnings of both side by side, so that a flow of which no
/// more is used needs only a small mapping, and shares the pages of page tables with the flows whose mappings stand
/// beside its own. Two rings as long as theirs need a page of page tables each, in both processes.
///
///     0                      beginning of the ring that the first end writes
///     beginning              the ring that the second end writes, whole
///     beginning + ringBytes  the rest of the first ring
package enum SegmentLayout {
    /// Bytes of the beginning of a ring: a multiple of the pages of all processors, and enough for a flow that is read as
    /// soon as it is written.
    package static func beginning(ringBytes: Int) -> Int { min(65_536, ringBytes) }
    /// Bytes of the whole memory, of which only what is used takes any.
    package static func bytes(ringBytes: Int) -> Int { ringBytes * 2 }
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
