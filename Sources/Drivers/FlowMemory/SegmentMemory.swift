// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// A mapping of the two byte rings of one flow: first the one that the first end writes, then the other. Nothing else
/// is in there; positions are in the link's slot.
package struct SegmentMemory: ~Copyable, @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let ringBytes: Int

    package init(mapping descriptor: borrowing Descriptor, ringBytes: Int) throws(Failure) {
        let size = ringBytes * 2
        let check = cl_memfd_check(descriptor.number, size)
        guard check == 0 else { throw Failure(result: Int(check)) }
        let flags = Int32(MAP_SHARED) | Int32(MAP_NORESERVE)
        guard
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, flags, descriptor.number, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw Failure(result: Int(cl_refused("mmap"))) }
        self.base = base
        self.ringBytes = ringBytes
    }

    deinit { munmap(base, ringBytes * 2) }

    /// A new segment with empty rings. It takes memory only where something was written.
    package static func create(ringBytes: Int = Limits.ringBytes) throws(RefusedCall) -> Descriptor {
        var call: UnsafePointer<CChar>?
        let result = cl_memfd_sealed("ouroboros-flow", ringBytes * 2, &call)
        guard result >= 0 else {
            throw RefusedCall(call.map { String(cString: $0) } ?? "memfd_create", Failure(result: Int(result)))
        }
        return Descriptor(owning: result)
    }

    /// Gives up the ownership: the caller unmaps `ringBytes * 2` bytes from here.
    package consuming func release() -> UnsafeMutableRawPointer {
        let base = base
        discard self
        return base
    }

    /// The ring of the direction that begins at `end`.
    package func ring(from end: End) -> UnsafeMutableRawPointer { base + end.index * ringBytes }
}
