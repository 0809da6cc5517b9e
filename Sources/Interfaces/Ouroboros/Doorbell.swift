// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// Tells waiting tasks that something has happened, so that they look again. It counts its rings: who looks in vain waits
/// only if it has not rung since before he looked, so that nothing can happen unnoticed between the look and the wait.
final class Doorbell: Sendable {
    private struct State {
        var rings: UInt64 = 0
        var waiters: [Waiter] = []
        /// The reactor rings it for a flow.
        var isAttached = false
    }

    private let state = Guarded(State())

    /// To be read before looking.
    var rings: UInt64 { state.withLock { $0.rings } }

    /// Everybody who waits looks again. To wake one for each message would cost the others a message when that one is
    /// cancelled.
    func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters.removeAll(keepingCapacity: true) }
            return state.waiters
        }
        for waiter in waiters { waiter.finish(.ready) }
    }

    /// The next ring finishes the waiter; at once if it has rung since.
    func add(_ waiter: Waiter, since rings: UInt64) {
        let isLate = state.withLock { state in
            guard state.rings == rings else { return true }
            state.waiters.append(waiter)
            return false
        }
        if isLate { waiter.finish(.ready) }
    }

    /// After a wait that ended otherwise.
    func remove(_ waiter: Waiter) {
        state.withLock { state in state.waiters.removeAll { $0 === waiter } }
    }

    // The bell of a flow.

    /// Waits until something happens to the flow, or has happened since `rings`. False: the deadline has passed.
    nonisolated(nonsending) func wait(
        since rings: UInt64, for descriptor: Int32, until deadline: Deadline
    ) async throws -> Bool {
        let reactor = try Reactor.running()
        if !state.withLock({ $0.isAttached }) {
            try reactor.attach(self, to: descriptor)
            state.withLock { $0.isAttached = true }
        }
        let waiter = Waiter()
        add(waiter, since: rings)
        defer { remove(waiter) }
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
