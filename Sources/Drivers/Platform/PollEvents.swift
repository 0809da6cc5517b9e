// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// What an epoll reported of its descriptors.
package struct PollEvents: ~Copyable {
    package static let capacity = 64
    private var places = InlineArray<64, epoll_event>(repeating: epoll_event())
    package private(set) var count = 0

    package init() {}

    /// Sleeps until something is reported, or `deadline`; nil = for ever. A cancellation point: `cleanup(argument)` runs
    /// first when the thread is cancelled in it. Throws `.interrupted`.
    package mutating func wait(
        on epoll: Int32, until deadline: Instant?, cleanup: (@convention(c) (UnsafeMutableRawPointer?) -> Void)? = nil,
        argument: UnsafeMutableRawPointer? = nil
    ) throws(Failure) {
        var span = places.mutableSpan
        let result = span.withUnsafeMutableBufferPointer { places in
            guard let deadline else {
                return cl_epoll_wait(epoll, places.baseAddress, Int32(places.count), nil, cleanup, argument)
            }
            var moment = timespec(deadline)
            return cl_epoll_wait(epoll, places.baseAddress, Int32(places.count), &moment, cleanup, argument)
        }
        count = Int(max(result, 0))
        if result == -EINTR { throw .interrupted }
    }

    /// Looks without sleeping. 0, or -errno.
    @discardableResult
    package mutating func look(on epoll: Int32) -> Int {
        var span = places.mutableSpan
        let result = span.withUnsafeMutableBufferPointer { places in
            cl_epoll_look(epoll, places.baseAddress, Int32(places.count))
        }
        count = Int(max(result, 0))
        return Int(min(result, 0))
    }

    package func forEach(_ body: (epoll_event) -> Void) {
        for index in 0..<count { body(places[index]) }
    }
}
