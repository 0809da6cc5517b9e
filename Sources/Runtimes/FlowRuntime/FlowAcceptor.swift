// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Flows that a program accepts in a loop of its own: one request to irmd after the other, for which no thread waits, and
/// one descriptor that polls readable when there is a flow to take, or an error.
///
/// The descriptor is an epoll, and stays the same: the connection of the request that is under way is in it, and a bell
/// for the errors that were met while nobody asked. When there can be no request, because irmd is away, has not welcomed this
/// process or is crowded, the service thread tries again, ever more seldom.
///
/// Sendable: guarded by the lock of `FlowAcceptorTable`.
package final class FlowAcceptor: @unchecked Sendable {
    private enum Stage {
        /// The program has not asked for flows yet, has paused the acceptor, or was forked from the one that did.
        case resting
        /// There is no request. Another one follows when `due` has come.
        case looking
        /// A request is under way, or waits for irmd's welcome.
        case asking(PendingCall)
    }

    /// Grows with each vain attempt.
    private struct Pause {
        private static let first = TimeSpan(milliseconds: 2)
        private static let longest = TimeSpan(milliseconds: 500)

        private var span = first

        mutating func next() -> TimeSpan {
            defer { span = TimeSpan(nanoseconds: min(span.nanoseconds * 2, Pause.longest.nanoseconds)) }
            return span
        }
    }

    private static let connectionToken: UInt64 = 0

    private var stage = Stage.resting
    /// When the service thread shall look at the acceptor again.
    private(set) var due = Instant(nanoseconds: .max)
    /// Between attempts to ask irmd.
    private var askingPause = Pause()
    /// After an offer of which nothing came: what is missing here, such as file descriptors, would be missing again.
    private var offerPause = Pause()
    /// Why there is no request, which the program does not know yet.
    private var complaint: Refusal?
    /// Why the last attempt failed; nil: irmd has a request since. An irmd that stays away is told of once.
    private var lastFailure: Failure?

    /// Made when the program asks for it, and anew when the program has closed it.
    private var poll: GuestPoll?
    /// The connection that is in `poll`.
    private var watched: Int32?

    init() {}

    // What the program does.

    /// The next flow, without waiting; nil: there is none.
    func take(_ now: Instant) throws(Refusal) -> (Int32, QualityOfService)? {
        begin(now)
        tend(now)
        if let complaint {
            self.complaint = nil
            poll?.silence()
            throw complaint
        }
        guard case .asking(var call) = stage else { return nil }
        do throws(Refusal) {
            guard let flow = try call.answer(leaving: { _ in unwatch() }) else {
                keep(call, now)
                return nil
            }
            offerPause = Pause()
            ask(now)
            return flow
        } catch {
            // What was offered was a flow with a process that has died.
            guard error.failure != .flowDown else {
                ask(now)
                return nil
            }
            lastFailure = error.failure
            lookLater(at: now + offerPause.next())
            throw error
        }
    }

    /// The descriptor, which is good until `end`, or until the program closes it.
    func exposedDescriptor(_ now: Instant) throws(Failure) -> Int32 {
        let number = try openPoll().number
        begin(now)
        tend(now)
        return number
    }

    /// Takes the request back. A flow that was on its way goes to another acceptor.
    func pause() {
        if case .asking(let call) = stage {
            unwatch()
            call.cancel()
        }
        if complaint != nil { poll?.silence() }
        reset()
    }

    private func reset() {
        stage = .resting
        due = Instant(nanoseconds: .max)
        askingPause = Pause()
        offerPause = Pause()
        complaint = nil
        lastFailure = nil
    }

    func end() {
        pause()
        poll?.close()
        poll = nil
    }

    /// In a forked child, which has copies of the parent's descriptors. The request is the parent's, and so is the epoll: the
    /// copies are closed, and nothing is taken out of it.
    func afterForkInChild() {
        if case .asking(let call) = stage { call.cancel() }
        reset()
        watched = nil
        poll?.close()
        poll = nil
    }

    // The request.

    /// There is a request if there can be one, as the user that the calling thread is now.
    private func begin(_ now: Instant) {
        switch stage {
        case .resting: ask(now, isDoubtful: true)
        case .looking: break
        case .asking(let call):
            guard !call.isOfThisUser else { return }
            unwatch()
            call.cancel()
            ask(now)
        }
    }

    /// What has become of the request, and whether it is time for another one.
    func tend(_ now: Instant) {
        switch stage {
        case .resting: break
        case .looking:
            if due <= now { ask(now, isDoubtful: true) }
        case .asking(let call):
            if call.isLost {
                // The program has closed the connection, of which irmd has seen the end.
                call.cancel()
                fail(.manager, now)
            } else if due <= now {
                proceed(call, now)
            }
        }
    }

    /// `isDoubtful`: irmd may have gone, or be another one, since it was last spoken to.
    private func ask(_ now: Instant, isDoubtful: Bool = false) {
        due = now
        do throws(Failure) {
            keep(try PendingCall.accept(timeout: nil, isDoubtful: isDoubtful), now)
        } catch {
            fail(error, now)
        }
    }

    /// A request that waits for irmd's welcome may go now.
    private func proceed(_ call: PendingCall, _ now: Instant) {
        var call = call
        do throws(Failure) {
            try call.proceed()
            keep(call, now)
        } catch {
            fail(error, now)
        }
    }

    private func keep(_ call: PendingCall, _ now: Instant) {
        guard let connection = call.descriptor else {
            stage = .asking(call)
            if due <= now { due = now + askingPause.next() }
            return
        }
        guard watch(connection) else {
            let failure = Failure(errno: cl_errno())
            call.cancel()
            return fail(failure, now)
        }
        stage = .asking(call)
        lastFailure = nil
        askingPause = Pause()
        // The program may close the connection, of which nothing tells.
        due = now + GuestPoll.longestSleep
    }

    private func fail(_ failure: Failure, _ now: Instant) {
        if failure != lastFailure {
            if complaint == nil { poll?.ring() }
            complaint = Refusal(failure)
            lastFailure = failure
        }
        lookLater(at: now + askingPause.next())
    }

    private func lookLater(at due: Instant) {
        unwatch()
        stage = .looking
        self.due = due
    }

    // The descriptor.

    private func openPoll() throws(Failure) -> GuestPoll {
        if let poll {
            if poll.isOurs { return poll }
            poll.close()
            self.poll = nil
            watched = nil
        }
        let new = try GuestPoll()
        poll = new
        if complaint != nil { new.ring() }
        if case .asking(let call) = stage, let connection = call.descriptor, !watch(connection) {
            let failure = Failure(errno: cl_errno())
            new.close()
            poll = nil
            throw failure
        }
        return new
    }

    /// False with errno.
    private func watch(_ connection: Int32) -> Bool {
        guard let poll, poll.isOurs, watched != connection else { return true }
        guard poll.add(connection, FlowAcceptor.connectionToken) == 0 else { return false }
        watched = connection
        return true
    }

    /// Before the connection is closed, or used by others.
    private func unwatch() {
        if let watched, let poll, poll.isOurs { poll.remove(watched) }
        watched = nil
    }
}
