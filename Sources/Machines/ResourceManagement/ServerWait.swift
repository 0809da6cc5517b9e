// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Names that wait for their servers, because whoever made them said so: a client that starts first need not try again
/// and again.
extension ResourceManager {
    /// Lets the allocation wait until somebody serves its name, or goes on with that: a server may have come, and gone
    /// before it had the flow. False: the name does not wait, or has done so long enough, or too many wait.
    mutating func waitForServer(_ allocation: Allocation) -> Bool {
        guard let patience = naming[allocation.name]?.settings.wait,
            allocation.serverDeadline != nil || patience.nanoseconds > 0,
            // The client has waited while layers were asked.
            case let limit = allocation.serverDeadline ?? (allocation.searched ?? now) + patience,
            limit > now, allocation.deadline > now, book.mayWait(allocation)
        else { return false }
        var allocation = allocation
        allocation.serverDeadline = limit
        allocation.searched = nil
        book.wait(allocation)
        report(.flow(.waitsForServer(allocation.process, allocation.name)))
        arm(allocation.call, at: allocation.limit)
        return true
    }

    mutating func setName(
        _ name: ServiceName, _ balancing: LoadBalancing?, _ wait: TimeSpan?, for requester: Requester
    ) {
        guard let before = naming[name]?.settings else { return fail(requester, .name, "there is no name \(name)") }
        var settings = before
        settings.balancing = balancing ?? before.balancing
        settings.wait = wait ?? before.wait
        guard settings != before else { return succeed(requester, .unchanged) }
        naming.change(settings)
        report(.naming(.changed(name)))
        succeed(requester)
    }
}
