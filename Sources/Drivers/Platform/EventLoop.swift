// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Waits for many descriptors at once: an epoll, level-triggered, so that what was not read now is told again. The
/// owner says with a token of its own what a descriptor is to it.
package struct EventLoop: ~Copyable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: 1)
        package static let writable = Interest(rawValue: 4)
    }

    /// Something can be done with the descriptor of this token, or its other end is gone.
    package struct Readiness: Sendable {
        package let token: UInt64
        package let isReadable: Bool
        package let isWritable: Bool
    }

    private let poll: Descriptor
    private var events = PollEvents()
    /// How often to look before the next sleep.
    private var looks = 0
    private var crowd = Crowd()
    private static let patience = 64

    package init() throws(RefusedCall) {
        let result = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard result >= 0 else { throw RefusedCall("epoll_create1", Failure(errno: cl_errno())) }
        let poll = Descriptor(owning: result)
        // A loop that cannot wait hears nobody, and shall not begin.
        var events = PollEvents()
        let look = events.look(on: poll.number)
        guard look == 0 else { throw RefusedCall("epoll_wait", Failure(result: look)) }
        self.poll = poll
    }

    package func add(_ descriptor: Int32, token: UInt64, _ interest: Interest = .readable) throws(Failure) {
        try control(EPOLL_CTL_ADD, descriptor, token, interest)
    }

    package func change(_ descriptor: Int32, token: UInt64, _ interest: Interest) throws(Failure) {
        try control(EPOLL_CTL_MOD, descriptor, token, interest)
    }

    /// Must come before the descriptor is closed: a copy in another process would keep it in the set.
    package func remove(_ descriptor: Int32) {
        // The one error there can be is that it is not in the set, which is what is wanted.
        _ = epoll_ctl(poll.number, EPOLL_CTL_DEL, descriptor, nil)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ token: UInt64, _ interest: Interest
    ) throws(Failure) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        guard epoll_ctl(poll.number, operation, descriptor, &event) == 0 else { throw Failure(errno: cl_errno()) }
    }

    /// A conversation of several messages is under way more often than not: to wait for the next one awake costs less
    /// than to wake a processor that went idle. Once for each time something was ready, then the loop sleeps.
    private mutating func findsSomething() -> Bool {
        var yielding = Yielding()
        while looks > 0 {
            events.look(on: poll.number)
            if events.count > 0 { return true }
            looks -= 1
            if yielding.meetsOthers() {
                crowd.wasMet()
                looks = 0
            }
        }
        return false
    }

    /// Waits until something is ready or `deadline` has come, and appends what is ready.
    package mutating func wait(until deadline: Instant?, into ready: inout [Readiness]) {
        // Interrupted by a signal: the next turn waits again.
        if !findsSomething() { try? events.wait(on: poll.number, until: deadline) }
        guard events.count > 0 else { return }
        looks = crowd.allowsYields() ? EventLoop.patience : 0
        events.forEach { event in
            // Errors and the end of a connection are read like bytes: that is where they are dealt with.
            let ended = event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
            ready.append(
                Readiness(
                    token: event.data.u64, isReadable: ended || event.events & EPOLLIN.rawValue != 0,
                    isWritable: event.events & EPOLLOUT.rawValue != 0))
        }
    }
}
