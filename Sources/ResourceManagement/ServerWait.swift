// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Names that wait for their servers, because whoever made them said so: a client that starts first need not try again
/// and again.
extension ResourceManager {
    /// Lets the allocation wait until somebody serves its name. False: the name does not wait, or has done so already,
    /// or too many wait.
    mutating func waitForServer(_ allocation: Allocation) -> Bool {
        guard let patience = names[allocation.name]?.settings.wait, patience.nanoseconds > 0,
            allocation.serverDeadline == nil, allocation.deadline > now, mayWait(allocation)
        else { return false }
        var allocation = allocation
        allocation.serverDeadline = now + patience
        if allocation.origin != nil { waitingArrivals.insert(allocation.connection) }
        waiting.add(allocation)
        connections[allocation.connection]?.call = .allocating(allocation)
        report(.flow(.waitsForServer(allocation.process, allocation.name)))
        arm(allocation.connection, at: allocation.limit)
        return true
    }

    /// A process waits with a connection of its own, of which its user has so many. Other hosts have none: those that
    /// ask for names without servers must not fill the tables for those that ask for others.
    private func mayWait(_ allocation: Allocation) -> Bool {
        guard allocation.origin != nil else { return true }
        return waitingArrivals.count < Limits.waitingArrivals
            && waiting.count(for: allocation.name) < Limits.waitingArrivalsPerName
    }

    mutating func setName(
        _ name: ServiceName, _ balancing: LoadBalancing?, _ wait: TimeSpan?, for requester: Requester
    ) {
        guard let before = names[name]?.settings else { return fail(requester, .name, "there is no name \(name)") }
        var settings = before
        settings.balancing = balancing ?? before.balancing
        settings.wait = wait ?? before.wait
        guard settings != before else { return succeed(requester, .unchanged) }
        names[name]?.settings = settings
        report(.naming(.changed(name)))
        succeed(requester)
    }
}
