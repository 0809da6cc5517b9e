// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// What threads share, with its lock. `Synchronization.Mutex` does the same with a futex of its own, which ThreadSanitizer
/// takes for no lock, and which ends a forked child that uses it. Public, so that bodies are carried into other targets.
///
/// Sendable: the contents are used under the lock only.
public struct Guarded<State>: ~Copyable, @unchecked Sendable {
    @usableFromInline struct Contents {
        /// Zeroes are a mutex.
        @usableFromInline var mutex = pthread_mutex_t()
        @usableFromInline var state: State

        @inlinable init(_ state: consuming State) { self.state = state }
    }

    @usableFromInline let contents = UnsafeMutablePointer<Contents>.allocate(capacity: 1)

    /// Guards `state`, which nobody else may use from now on.
    @inlinable public init(_ state: consuming sending State) { contents.initialize(to: Contents(state)) }

    deinit {
        contents.deinitialize(count: 1)
        contents.deallocate()
    }

    /// Not to be called from `body`.
    @inlinable public borrowing func withLock<Result, Problem: Error>(
        _ body: (inout State) throws(Problem) -> sending Result
    ) throws(Problem) -> sending Result {
        pthread_mutex_lock(&contents.pointee.mutex)
        defer { pthread_mutex_unlock(&contents.pointee.mutex) }
        return try body(&contents.pointee.state)
    }
}
