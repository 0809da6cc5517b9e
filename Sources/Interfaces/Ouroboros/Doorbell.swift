// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// Tells waiting tasks that something has happened, so that they look again. It counts its rings: who looks in vain waits
/// only if it has not rung since before he looked, so that nothing can happen unnoticed between the look and the wait.
final class Doorbell: Sendable {
    /// What a task waits for.
    enum Reason {
        case message
        case room
    }

    private struct Waiting {
        var rings: UInt64 = 0
        var waiters: [Waiter] = []

        mutating func ring() -> [Waiter] {
            rings += 1
            defer { waiters.removeAll(keepingCapacity: true) }
            return waiters
        }
    }

    private struct State {
        var message = Waiting()
        var room = Waiting()
        /// The reactor rings it for a flow.
        var isAttached = false

        subscript(reason: Reason) -> Waiting {
            get { reason == .message ? message : room }
            set {
                switch reason {
                case .message: message = newValue
                case .room: room = newValue
                }
            }
        }
    }

    private let state = Guarded(State())

    /// To be read before looking.
    var rings: UInt64 { rings(for: .message) }
    func rings(for reason: Reason) -> UInt64 { state.withLock { $0[reason].rings } }

    /// Everybody who waits looks again. To wake one for each message would cost the others a message when that one is
    /// cancelled.
    func ring() {
        let waiters = state.withLock { $0.message.ring() + $0.room.ring() }
        for waiter in waiters { waiter.finish(.ready) }
    }

    /// The same for those who wait for one thing.
    func ring(_ reason: Reason) {
        let waiters = state.withLock { state in reason == .message ? state.message.ring() : state.room.ring() }
        for waiter in waiters { waiter.finish(.ready) }
    }

    /// The next ring finishes the waiter; at once if it has rung since.
    func add(_ waiter: Waiter, since rings: UInt64, _ reason: Reason = .message) {
        let isLate = state.withLock { state in
            guard state[reason].rings == rings else { return true }
            state[reason].waiters.append(waiter)
            return false
        }
        if isLate { waiter.finish(.ready) }
    }

    /// After a wait that ended otherwise.
    func remove(_ waiter: Waiter, _ reason: Reason = .message) {
        state.withLock { state in state[reason].waiters.removeAll { $0 === waiter } }
    }

    // The bell of a flow.

    /// Waits until something happens to the flow, or has happened since `rings`. False: the deadline has passed.
    nonisolated(nonsending) func wait(
        _ reason: Reason, since rings: UInt64, for descriptor: Int32, until deadline: Deadline
    ) async throws -> Bool {
        let reactor = try Reactor.running()
        if !state.withLock({ $0.isAttached }) {
            try reactor.attach(self, to: descriptor)
            state.withLock { $0.isAttached = true }
        }
        let waiter = Waiter()
        add(waiter, since: rings, reason)
        defer { remove(waiter, reason) }
        switch await reactor.outcome(of: waiter, until: deadline) {
        case .ready: return true
        case .expired: return false
        case .cancelled: throw CancellationError()
        }
    }

    /// The flow is about to be closed.
    func detach(_ descriptor: Int32) {
        let wasAttached = state.withLock { state in
            defer { state.isAttached = false }
            return state.isAttached
        }
        if wasAttached { Reactor.detach(descriptor) }
    }
}
