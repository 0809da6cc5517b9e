// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What each user has, so that one user's flood leaves room for the others. Root is exempt.
struct Quotas: Sendable {
    private struct Share: Sendable {
        var connections = 0
        var flows = 0
        /// Bytes of queue that its flows may hold, both directions together.
        var queueBytes: UInt64 = 0
    }
    /// What all flows of a user may hold together.
    private let queueBytesPerUser: UInt64
    private var shares: [UserID: Share] = [:]
    /// Besides root; it is bounded only by what there is in all.
    private let manager: UserID
    private var connections: Shares<UserID>
    private var flows = Shares<UserID>(of: Limits.flows)
    private var links = Shares<UserID>(of: Limits.links)

    /// `connections`: how many irmd can have.
    init(queueBytesPerUser: UInt64, connections: Int = 1 << 20, manager: UserID = .root) {
        self.queueBytesPerUser = queueBytesPerUser
        self.manager = manager
        self.connections = Shares(of: connections)
    }

    private func isExempt(_ user: UserID) -> Bool { user == .root || user == manager }

    /// False if the user has as many as allowed; then nothing is counted.
    mutating func addConnection(of user: UserID) -> Bool {
        guard user != .root else { return true }
        guard connections.add(for: user, isExempt: isExempt(user)) else { return false }
        guard add(\.connections, of: user, limit: Limits.connectionsPerUser) else {
            connections.remove(for: user)
            return false
        }
        return true
    }
    mutating func removeConnection(of user: UserID) {
        guard user != .root else { return }
        connections.remove(for: user)
        remove(\.connections, of: user)
    }

    /// Each link takes a mapping of irmd's.
    mutating func addLink(of user: UserID) -> Bool { links.add(for: user, isExempt: isExempt(user)) }
    mutating func removeLink(of user: UserID) { links.remove(for: user) }

    /// What each queue of a new flow gets, in bytes; nil if the user has as many flows as allowed, or
    /// nothing is left to give. The first half of what a user may have is given out in full queues; after that each
    /// flow gets a small part of what is left, so that there is something for very many.
    mutating func addFlow(of user: UserID, isRemote: Bool = false) -> UInt32? {
        guard user != .root else { return flows.add(for: user, isExempt: true) ? UInt32(Limits.queueBytes) : nil }
        guard flows.hasRoom(for: user, isExempt: isExempt(user)) else { return nil }
        let granted = shares[user]?.queueBytes ?? 0
        let left = queueBytesPerUser > granted ? queueBytesPerUser - granted : 0
        var queue = UInt64(Limits.queueBytes)
        if left / Quotas.queues(isRemote) < queue || left < queueBytesPerUser / 2 {
            queue = min(queue, max(left / Limits.queueShares & ~4_095, Limits.leastQueueBytes))
        }
        let together = queue * Quotas.queues(isRemote)
        guard together <= left, add(\.flows, of: user, limit: Limits.flowsPerUser) else { return nil }
        _ = flows.add(for: user, isExempt: isExempt(user))
        shares[user]?.queueBytes += together
        return UInt32(queue)
    }

    /// `queue`: what `addFlow` gave.
    mutating func removeFlow(of user: UserID, _ queue: UInt32, isRemote: Bool = false) {
        flows.remove(for: user)
        guard user != .root else { return }
        shares[user]?.queueBytes -= UInt64(queue) * Quotas.queues(isRemote)
        remove(\.flows, of: user)
    }

    /// Both directions together.
    private static func queues(_ isRemote: Bool) -> UInt64 { isRemote ? 1 + UInt64(Limits.queuesFromNetwork) : 2 }

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
