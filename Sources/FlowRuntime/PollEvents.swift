// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// What a poll of many descriptors reported.
struct PollEvents: ~Copyable {
    static let capacity = 16
    private var places = InlineArray<16, epoll_event>(repeating: epoll_event())
    private(set) var count = 0

    /// Sleeps until something is reported, or `deadline`; nil = for ever. A cancellation point: `cleanup(argument)` runs
    /// first when the thread is cancelled in it. Throws `.interrupted`.
    mutating func wait(
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

    /// Looks, and is no cancellation point.
    mutating func look(on epoll: Int32) {
        var span = places.mutableSpan
        let result = span.withUnsafeMutableBufferPointer { places in
            epoll_wait(epoll, places.baseAddress, Int32(places.count), 0)
        }
        count = Int(max(result, 0))
    }

    func forEach(_ body: (epoll_event) -> Void) {
        for index in 0..<count { body(places[index]) }
    }
}
