// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// How a caller waits for an irmd that answers late, with no lock held: on the connection, or, if irmd has too many to
/// accept, for a while that grows.
struct GreetingWait {
    private static let firstPauseNanoseconds: UInt64 = 500_000
    private static let longestPauseNanoseconds: UInt64 = 50_000_000

    private let deadline: Instant
    private var pause = firstPauseNanoseconds

    init(until deadline: Instant) { self.deadline = deadline }

    /// Waits a little. False: the time is over. Throws `.interrupted`.
    mutating func next(_ progress: ManagerSession.Progress) throws(Failure) -> Bool {
        let left = deadline.since(Clock.now()).nanoseconds
        guard left > 0 else { return false }
        switch progress {
        case .welcome: return true
        case .greeting(let socket): return try wait(on: socket, left)
        case .crowded:
            cl_sleep_nanoseconds(min(pause, left))
            pause = min(pause * 2, GreetingWait.longestPauseNanoseconds)
            return true
        }
    }

    /// True also if the program, or another thread of ours, has closed the connection: the next look finds that.
    private func wait(on socket: GuestDescriptor, _ left: UInt64) throws(Failure) -> Bool {
        guard socket.isOurs else { return true }
        let milliseconds = Int32(clamping: min(left, GuestPoll.longestSleep.nanoseconds) / 1_000_000 + 1)
        let result = cl_poll_one(socket.number, Int16(POLLIN), milliseconds, nil, nil)
        if result == -EINTR { throw .interrupted }
        return true
    }
}
