// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime

/// One wait of one task. Whoever finishes it first decides how it ended: what was waited for, the deadline, or the
/// cancellation of the task. Made before it is registered anywhere, so that it can be finished before the task sleeps.
final class Waiter: Sendable {
    enum Outcome {
        case ready
        case expired
        case cancelled
    }

    private enum State {
        case fresh
        case parked(UnsafeContinuation<Outcome, Never>)
        case finished(Outcome)
    }

    private let state = Guarded(State.fresh)

    /// From any thread, any number of times; the first counts.
    func finish(_ outcome: Outcome) {
        let continuation: UnsafeContinuation<Outcome, Never>? = state.withLock { state in
            switch state {
            case .fresh:
                state = .finished(outcome)
                return nil
            case .parked(let continuation):
                state = .finished(outcome)
                return continuation
            case .finished: return nil
            }
        }
        continuation?.resume(returning: outcome)
    }

    /// Suspends the task until somebody finishes the wait. Called once. No thread waits.
    nonisolated(nonsending) func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
                let early: Outcome? = state.withLock { state in
                    if case .finished(let outcome) = state { return outcome }
                    state = .parked(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            finish(.cancelled)
        }
    }
}
