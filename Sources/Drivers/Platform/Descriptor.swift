// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// An open descriptor of the kernel, closed when it goes out of scope.
package struct Descriptor: ~Copyable, Sendable {
    package let number: Int32

    /// Takes over a descriptor that nobody else closes.
    package init(owning number: Int32) { self.number = number }

    deinit { cl_close(number) }

    /// Gives up the ownership: the caller closes it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}
