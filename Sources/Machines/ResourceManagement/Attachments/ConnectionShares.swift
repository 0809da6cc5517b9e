// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// How many connections each user has, so that one user's flood leaves room for the others. Root is not counted.
struct ConnectionShares: Sendable {
    private var all: Shares<UserID>
    /// Bounded only by what there is in all.
    private let manager: UserID

    init(of capacity: Int, manager: UserID) {
        all = Shares(of: capacity)
        self.manager = manager
    }

    /// False if the user has as many as allowed; then nothing is counted.
    mutating func add(for user: UserID) -> Bool {
        guard user != .root else { return true }
        guard all.count(of: user) < Limits.connectionsPerUser else { return false }
        return all.add(for: user, isExempt: user == manager)
    }

    mutating func remove(for user: UserID) {
        if user != .root { all.remove(for: user) }
    }
}
