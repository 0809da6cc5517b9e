// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A socket or file of a library inside a program. The program owns all descriptors: it may close this one, or put
/// something of its own in its place, at any time. So this is the number together with what the number must still be,
/// and each use looks first. A copy means the same descriptor; the library says which copy closes it.
///
/// Between the look and the use another thread of the program can still intervene: the kernel knows no call that does
/// both.
public struct GuestDescriptor: Sendable {
    private let guest: cl_guest

    /// Takes the descriptor over, out of the way of the program's own.
    package init(settling descriptor: consuming Descriptor) throws(Failure) {
        var guest = cl_guest()
        let result = cl_guest_settle(descriptor.number, &guest)
        guard result == 0 else { throw Failure(result: Int(result)) }
        _ = descriptor.release()
        self.guest = guest
    }

    /// For who needs the number for a call. It is ours only while `isOurs`.
    package var number: Int32 { guest.number }

    /// Whether the number still is what it was.
    package var isOurs: Bool { withUnsafePointer(to: guest, cl_guest_is_there) }

    /// Closes it, if the program has not.
    package func close() { withUnsafePointer(to: guest, cl_guest_close) }

    /// Sends a byte without waiting: 1, or -errno; -EBADF if the socket is not ours any more. A full socket has a byte in
    /// it already.
    @discardableResult
    public func ring() -> Int { withUnsafePointer(to: guest, cl_guest_ring) }

    /// Takes out what so many rings have left; not all of it, if somebody rings without end.
    package func silence(_ most: Int32 = 64) { withUnsafePointer(to: guest) { cl_guest_silence($0, most) } }

    /// Calls `body` with what C needs for closing it.
    package func withGuest<Result, Problem: Error>(
        _ body: (UnsafePointer<cl_guest>) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try withUnsafePointer(to: guest, body)
    }
}
