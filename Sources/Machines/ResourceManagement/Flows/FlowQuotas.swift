// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What flows, and what of their queues, each user has, so that one user's flood leaves room for the others. Root is exempt.
struct FlowQuotas: Sendable {
    /// What all flows of a user may hold together.
    private let queueBytesPerUser: UInt64
    /// Bytes of queue that the flows of a user may hold, both directions together.
    private var granted: [UserID: UInt64] = [:]
    /// Besides root; it is bounded only by what there is in all.
    private let manager: UserID
    private var flows = Shares<UserID>(of: Limits.flows)
    private var links = Shares<UserID>(of: Limits.links)

    init(queueBytesPerUser: UInt64, manager: UserID = .root) {
        self.queueBytesPerUser = queueBytesPerUser
        self.manager = manager
    }

    private func isExempt(_ user: UserID) -> Bool { user == .root || user == manager }

    /// Each link takes a mapping of irmd's.
    mutating func addLink(of user: UserID) -> Bool { links.add(for: user, isExempt: isExempt(user)) }
    mutating func removeLink(of user: UserID) { links.remove(for: user) }

    /// What each queue of a new flow gets, in bytes; nil if the user has as many flows as allowed, or
    /// nothing is left to give. The first half of what a user may have is given out in full queues; after that each
    /// flow gets a small part of what is left, so that there is something for very many.
    mutating func addFlow(of user: UserID, isRemote: Bool = false) -> UInt32? {
        guard user != .root else { return flows.add(for: user, isExempt: true) ? UInt32(Limits.queueBytes) : nil }
        guard flows.hasRoom(for: user, isExempt: isExempt(user)) else { return nil }
        let granted = granted[user] ?? 0
        let left = queueBytesPerUser > granted ? queueBytesPerUser - granted : 0
        var queue = UInt64(Limits.queueBytes)
        if left / FlowQuotas.queues(isRemote) < queue || left < queueBytesPerUser / 2 {
            queue = min(queue, max(left / Limits.queueShares & ~4_095, Limits.leastQueueBytes))
        }
        let together = queue * FlowQuotas.queues(isRemote)
        guard together <= left, flows.count(of: user) < Limits.flowsPerUser else { return nil }
        _ = flows.add(for: user, isExempt: isExempt(user))
        self.granted[user] = granted + together
        return UInt32(queue)
    }

    /// `queue`: what `addFlow` gave.
    mutating func removeFlow(of user: UserID, _ queue: UInt32, isRemote: Bool = false) {
        flows.remove(for: user)
        guard user != .root, let before = granted[user] else { return }
        granted[user] = flows.count(of: user) == 0 ? nil : before - UInt64(queue) * FlowQuotas.queues(isRemote)
    }

    /// Both directions together.
    private static func queues(_ isRemote: Bool) -> UInt64 { isRemote ? 1 + UInt64(Limits.queuesFromNetwork) : 2 }
}
