// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Places that the kernel reads and writes by their addresses, which therefore never move. Whoever holds it may write
/// to it: there is nothing here that an overlapping access could confuse.
struct KernelArray<Element>: ~Copyable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating element: Element, count: Int) {
        base = .allocate(capacity: count)
        base.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress { UnsafePointer(base + index) }
        @inline(__always) nonmutating unsafeMutableAddress { base + index }
    }
}
