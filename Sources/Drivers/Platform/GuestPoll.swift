// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// An epoll of a library inside a program, with a bell that ends the sleep in it. An epoll has no inode by which it could
/// be known, but it knows the bell, which has one: only our epoll has our bell in it.
package struct GuestPoll: Sendable {
    /// What the bell is reported as.
    package static let bellToken: UInt64 = .max
    /// Who sleeps in an epoll that the program has closed cannot be woken, so nobody sleeps longer without a look.
    package static let longestSleep = TimeSpan(seconds: 30)

    package let number: Int32
    /// The end in the epoll, and the one that rings it.
    private let near: GuestDescriptor
    private let far: GuestDescriptor

    package init() throws(Failure) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw Failure(result: Int(cl_refused("epoll_create1"))) }
        // Moved out of the way like a guest; what `fstat` says of an epoll means nothing.
        var moved = cl_guest()
        number = cl_guest_settle(epoll, &moved) == 0 ? moved.number : epoll
        do throws(Failure) {
            (near, far) = try GuestPoll.bell()
        } catch {
            cl_close(number)
            throw error
        }
        guard add(near.number, GuestPoll.bellToken) == 0 else {
            let failure = Failure(result: Int(cl_refused("epoll_ctl")))
            cl_close(number)
            near.close()
            far.close()
            throw failure
        }
    }

    private static func bell() throws(Failure) -> (GuestDescriptor, GuestDescriptor) {
        var pair: [Int32] = [-1, -1]
        let result = cl_socketpair_seqpacket(&pair)
        guard result == 0 else { throw Failure(result: Int(result)) }
        let first = Descriptor(owning: pair[0])
        let second = Descriptor(owning: pair[1])
        let near = try GuestDescriptor(settling: first)
        do throws(Failure) {
            return (near, try GuestDescriptor(settling: second))
        } catch {
            near.close()
            throw error
        }
    }

    /// Whether the program has left all of it to us. False if the bell cannot be rung any more, too.
    package var isOurs: Bool { cl_guests_stay() || far.isOurs && knowsBell }

    /// An epoll knows a descriptor by its number and by what is there: this one has the near end, and no other does. If the
    /// near end is gone, another poll may have taken all three numbers.
    private var knowsBell: Bool { near.isOurs && change(near.number, GuestPoll.bellToken, EPOLLIN.rawValue) == 0 }

    /// Closes what is still ours.
    package func close() {
        // In this order: the epoll is known by the bell.
        if knowsBell { cl_close(number) }
        near.close()
        far.close()
    }

    /// Ends the sleep. False if there is nobody who could hear it.
    @discardableResult
    package func ring() -> Bool {
        let result = far.ring()
        return result > 0 || result == -Int(EAGAIN)
    }

    /// What rang was heard.
    package func silence() { near.silence(1) }

    /// 0, or -1 with errno. Only while `isOurs`.
    package func add(_ descriptor: Int32, _ token: UInt64, _ interest: UInt32 = EPOLLIN.rawValue) -> Int32 {
        control(EPOLL_CTL_ADD, descriptor, token, interest)
    }

    package func change(_ descriptor: Int32, _ token: UInt64, _ interest: UInt32) -> Int32 {
        control(EPOLL_CTL_MOD, descriptor, token, interest)
    }

    package func remove(_ descriptor: Int32) { _ = epoll_ctl(number, EPOLL_CTL_DEL, descriptor, nil) }

    private func control(_ operation: Int32, _ descriptor: Int32, _ token: UInt64, _ interest: UInt32) -> Int32 {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        return epoll_ctl(number, operation, descriptor, &event)
    }
}
