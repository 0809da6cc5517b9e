// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Synchronization
import Vocabulary

/// Closes what strangers have sent or may have sent. The last close of a descriptor can take as long as its owner wants (a
/// socket that lingers, a file of a file system in user space), so it never happens on irmd's thread, and each user has a
/// thread of its own: one that stands still keeps nobody else's descriptors. The thread ends when there is nothing to do.
///
/// Kernels since 6.16 refuse such descriptors at the sender (`cl_refuse_descriptors`); then this closes at once.
final class DescriptorClosing: Sendable {
    private struct Lane: Sendable {
        var descriptors: [Int32] = []
        /// With the one that is being closed.
        var count = 0
        var hasThread = false

        mutating func add(_ more: [Int32]) {
            descriptors += more
            count += more.count
        }
    }

    private struct State: Sendable {
        var lanes: [UserID: Lane] = [:]
        var threads = 0
    }

    /// Held for a few instructions, and around no call that waits.
    private let state = Mutex(State())
    /// Strangers cannot send descriptors.
    let isNeedless: Bool

    /// `listener`: the socket that accepts the strangers.
    init(listener: Int32) { isNeedless = cl_refuse_descriptors(listener) == 0 }

    /// Descriptors of this user that are not closed yet.
    func unclosed(of user: UserID) -> Int { isNeedless ? 0 : state.withLock { $0.lanes[user]?.count ?? 0 } }

    /// Takes over the descriptors.
    func close(_ descriptors: [Int32], of user: UserID) {
        guard !isNeedless else { return descriptors.forEach(cl_close) }
        guard !descriptors.isEmpty else { return }
        let needsThread = state.withLock { state -> Bool in
            state.lanes[user, default: Lane()].add(descriptors)
            guard state.lanes[user]?.hasThread == false, state.threads < Limits.closingThreads else { return false }
            state.lanes[user]?.hasThread = true
            state.threads += 1
            return true
        }
        guard needsThread else { return }
        do throws(Failure) {
            try Thread.start { self.closeAll(of: user) }
        } catch {
            // They stay open until this user's next ones come: better than to stand still for one user.
            state.withLock { state in
                state.lanes[user]?.hasThread = false
                state.threads -= 1
            }
        }
    }

    /// On a thread of its own: first this user's, then those of users for whom there was no thread.
    private func closeAll(of first: UserID) {
        var user: UserID? = first
        while let current = user {
            let next = state.withLock { $0.lanes[current]?.descriptors.popLast() }
            if let next {
                cl_close_foreign(next)
                state.withLock { $0.lanes[current]?.count -= 1 }
            } else {
                user = state.withLock { state in
                    // Some may have come since the last look.
                    if state.lanes[current]?.descriptors.isEmpty == false { return current }
                    state.lanes[current] = nil
                    let waiting = state.lanes.first { !$0.value.hasThread }?.key
                    if let waiting { state.lanes[waiting]?.hasThread = true } else { state.threads -= 1 }
                    return waiting
                }
            }
        }
    }
}
