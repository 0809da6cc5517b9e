// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// An eventfd, by which a thread ends the poll that another sleeps in. Its owner keeps the number, and closes it.
package enum EventCounter {
    /// Makes it readable. False if it is none.
    @discardableResult
    package static func raise(_ descriptor: Int32) -> Bool {
        var one: UInt64 = 1
        return write(descriptor, &one, MemoryLayout<UInt64>.size) > 0
    }

    /// Makes it unreadable.
    package static func clear(_ descriptor: Int32) {
        var counter: UInt64 = 0
        _ = read(descriptor, &counter, MemoryLayout<UInt64>.size)
    }
}
