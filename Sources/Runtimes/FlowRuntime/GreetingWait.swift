// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// How a caller waits for an irmd that answers late, with no lock held: on the connection, or, if irmd has too many to
/// accept, without. For a while that grows: of several threads that wait for the same welcome one takes it from the
/// connection, and the others find it when they look again. A caller that may be cancelled is cancelled here: nobody
/// knows of its request yet.
struct GreetingWait {
    private static let firstPauseNanoseconds: UInt64 = 500_000
    private static let longestPauseNanoseconds: UInt64 = 50_000_000

    /// How long irmd may take to answer greetings, whatever patience the caller has.
    private static let patience = TimeSpan(seconds: 5)

    private let end: Instant
    /// Why there is no session when the time is over: the caller has no more of it, or irmd has had enough.
    private let verdict: Failure
    /// What the caller had before he disabled cancellation; nil: he has not.
    private let cancelState: Int32?
    private var pause = firstPauseNanoseconds

    /// Waits for one call; nil: the caller has no deadline.
    init(until deadline: Instant?, cancelState: Int32? = nil) {
        self.cancelState = cancelState
        let limit = Clock.now() + GreetingWait.patience
        if let deadline, deadline <= limit {
            (end, verdict) = (deadline, .timedOut)
        } else {
            (end, verdict) = (limit, .manager)
        }
    }

    /// Waits a little. When the time is over, `.timedOut` or `.manager`; `.interrupted` by a signal.
    mutating func next(_ progress: ManagerSession.Progress) throws(Failure) {
        let left = end.since(Clock.now()).nanoseconds
        guard left > 0 else { throw verdict }
        if let cancelState { pthread_setcancelstate(cancelState, nil) }
        defer { if cancelState != nil { pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), nil) } }
        let span = min(pause, left)
        pause = min(pause * 2, GreetingWait.longestPauseNanoseconds)
        switch progress {
        case .welcome: break
        case .greeting(let socket): try wait(on: socket, span)
        case .crowded: cl_sleep_nanoseconds(span)
        }
    }

    /// Not if the program, or another thread of ours, has closed the connection: the next look finds that.
    private func wait(on socket: GuestDescriptor, _ span: UInt64) throws(Failure) {
        guard socket.isOurs else { return }
        let result = cl_poll_one(socket.number, Int16(POLLIN), Int32(span / 1_000_000 + 1), nil, nil)
        if result == -EINTR { throw .interrupted }
    }
}
