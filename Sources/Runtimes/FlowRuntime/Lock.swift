// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// A lock within this process. Nobody is cancelled while he holds it: much of what is done under it is a cancellation
/// point of its own, and a lock whose holder is gone is held for ever.
struct Lock {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Of the thread that holds the lock, from before it did.
    private let cancelState = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init() {
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        cancelState.initialize(to: 0)
    }

    func lock() {
        var state: Int32 = 0
        pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &state)
        _ = pthread_mutex_lock(mutex)
        cancelState.pointee = state
    }

    func unlock() {
        let state = cancelState.pointee
        _ = pthread_mutex_unlock(mutex)
        pthread_setcancelstate(state, nil)
    }
}
