// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What each user has, so that one user's flood leaves room for the others. Root is exempt.
struct Quotas: Sendable {
    private struct Share: Sendable {
        var connections = 0
        var flows = 0
    }
    private var shares: [UserID: Share] = [:]

    /// False if the user has as many as allowed; then nothing is counted.
    mutating func addConnection(of user: UserID) -> Bool {
        add(\.connections, of: user, limit: Limits.connectionsPerUser)
    }
    mutating func removeConnection(of user: UserID) { remove(\.connections, of: user) }

    mutating func addFlow(of user: UserID) -> Bool { add(\.flows, of: user, limit: Limits.flowsPerUser) }
    mutating func removeFlow(of user: UserID) { remove(\.flows, of: user) }

    private mutating func add(_ kind: WritableKeyPath<Share, Int>, of user: UserID, limit: Int) -> Bool {
        guard user != .root else { return true }
        var share = shares[user] ?? Share()
        guard share[keyPath: kind] < limit else { return false }
        share[keyPath: kind] += 1
        shares[user] = share
        return true
    }

    private mutating func remove(_ kind: WritableKeyPath<Share, Int>, of user: UserID) {
        guard user != .root, var share = shares[user] else { return }
        share[keyPath: kind] -= 1
        shares[user] = share.connections == 0 && share.flows == 0 ? nil : share
    }
}
