// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Brings allocations and acceptors together.
extension ResourceManager {
    mutating func allocate(_ allocation: Allocation) {
        report(.flow(.allocating(allocation.process, allocation.name)))
        guard !isStopping else { return refuse(allocation, .manager, "irmd is stopping") }
        guard let record = naming[allocation.name] else {
            if !search(allocation) { refuseUnknown(allocation) }
            return
        }
        // An allocation without patience must not leave a server with a flow that nobody has at the other end.
        guard allocation.deadline > now else {
            guard isServed(record, for: allocation.process) else { return refuseUnknown(allocation) }
            return refuse(allocation, .timedOut, "the limit of time is zero, so the client cannot wait for a server")
        }
        seek(allocation)
    }

    /// Gives the allocation to an acceptor, or lets it wait for one.
    mutating func seek(_ allocation: Allocation) {
        guard book.isWanted(allocation) else { return free(allocation.call) }
        guard let record = naming[allocation.name] else {
            return refuse(allocation, .name, "name \(allocation.name) was destroyed")
        }
        guard allocation.refusals < Limits.acceptorRefusals else {
            return refuse(allocation, .ipcp, "the servers of \(allocation.name) have no room for another flow")
        }
        if let accept = book.takeAcceptor(for: allocation.name, among: record.processes, record.settings.balancing) {
            return begin(allocation, accept)
        }
        guard isServed(record, for: allocation.process) else {
            if !search(allocation) { refuseUnknown(allocation) }
            return
        }
        var allocation = allocation
        allocation.searched = nil
        allocation.startDeadline = startIfNeeded(for: allocation.name)
        book.wait(allocation)
        arm(allocation.call, at: allocation.limit)
    }

    /// A name is served when a live process is bound to it or a program can be started for it. The process that asks
    /// counts only if it was bound by its pid or has accepted already: the client of a program that is client and
    /// server in one (oping) does not serve itself. design: flow-memory §6
    func isServed(_ record: NameRecord, for client: ProcessID) -> Bool {
        if !record.autoStarts.isEmpty || !record.pids.isEmpty || record.processes.count > 1 { return true }
        guard let only = record.processes.first else { return false }
        return only != client || book.account(of: only)?.hasAccepted == true
    }

    mutating func refuse(_ allocation: Allocation, _ failure: Failure, _ reason: String) {
        allocationsFailed += 1
        if let origin = allocation.origin {
            report(.flow(.arrivalFailed(allocation.name, from: origin.address, reason: reason)))
        } else if failure == .timedOut {
            report(.flow(.timedOut(allocation.process, allocation.name)))
        } else {
            report(.flow(.failed(allocation.process, allocation.name, reason: reason)))
        }
        if allocation.origin != nil {
            outgoing.append(.request(.reject(allocation.request, failure), allocation.process))
        } else {
            fail(allocation.request, on: allocation.call, failure, reason)
        }
        free(allocation.call)
    }

    mutating func accept(
        _ request: RequestID, timeout: TimeSpan?, on call: CallID, of process: ProcessID
    ) {
        children.programs.hasAccepted(process)
        let deadline = timeout.map { now + $0 }
        let accept = book.accept(request, on: call, of: process, deadline: deadline)
        if let allocation = nextAllocation(for: process) {
            book.stopWaiting(allocation)
            return begin(allocation, accept)
        }
        if let deadline, deadline <= now {
            return fail(request, on: call, .timedOut, "no flow was requested")
        }
        book.wait(accept)
        if let deadline { arm(call, at: deadline) }
    }

    /// The longest waiting allocation for a name that the process is bound to.
    private mutating func nextAllocation(for process: ProcessID) -> Allocation? {
        guard !book.waiting.isEmpty else { return nil }
        let bound = naming.names(servedBy: process)
        // Through the shorter of the two.
        let names = bound.count < book.waiting.names.count ? Array(bound) : book.waiting.names.filter(bound.contains)
        var next: Allocation?
        for name in names {
            guard let first = book.firstWaiting(for: name), first.arrival < next?.arrival ?? .max else { continue }
            next = first
        }
        return next
    }

    /// Acceptors or allocations of a name have come together in another way than by their own arrival.
    mutating func match(_ name: ServiceName) {
        while let allocation = book.firstWaiting(for: name), let record = naming[name],
            let accept = book.takeAcceptor(for: allocation.name, among: record.processes, record.settings.balancing)
        {
            book.stopWaiting(allocation)
            begin(allocation, accept)
        }
    }

    mutating func join(_ request: RequestID, _ layer: LayerName, on call: CallID) {
        let members = children.ipcps.values.filter { $0.layer?.name == layer }
        guard !members.isEmpty else {
            return fail(request, on: call, .ipcp, "no IPCP here is a member of layer \(layer)")
        }
        guard members.contains(where: { $0.type == .broadcast }) else {
            return fail(request, on: call, .notAllocated, "layer \(layer) is not a broadcast layer")
        }
        fail(request, on: call, .notSupported, "this version of irmd cannot join a flow to a broadcast layer")
    }

    // Time.

    /// Has `expire` called for the call. One alarm is enough for any number of requests: when it comes up it is set again
    /// for the request that is there then.
    mutating func arm(_ id: CallID, at deadline: Instant) {
        guard let call = book.calls[id] else { return }
        if let alarm = call.alarm {
            if alarm.deadline <= deadline { return }
            timers.cancel(alarm.timer)
        }
        call.alarm = Call.Alarm(deadline: deadline, timer: timers.set(.call(id), at: deadline))
    }

    mutating func expire(_ id: CallID) {
        guard let call = book.calls[id] else { return }
        call.alarm = nil
        switch call.stage {
        case .allocating(let allocation): expire(allocation)
        case .searching(let search):
            guard search.allocation.deadline <= now else { return arm(id, at: search.allocation.deadline) }
            refuse(search.allocation, .timedOut, "the layers did not say in time whether they know the name")
        case .authenticating(_, let allocation):
            guard allocation.deadline <= now else { return arm(id, at: allocation.deadline) }
            refuse(allocation, .timedOut, "the authentication of the flow was not done in time")
        case .accepting(let request, let deadline?):
            guard deadline <= now else { return arm(id, at: deadline) }
            book.stopAccepting(id, of: call.process)
            free(id)
            fail(request, on: id, .timedOut, "no flow was requested")
        case .attached(let flow, .first):
            guard let allocation = book.flows[flow]?.allocation else { return }
            guard allocation.deadline <= now else { return arm(id, at: allocation.deadline) }
            // First the server's end learns it, so that a server that takes it now does not get a dead flow.
            release(flow, .first, .withdrawn)
            refuse(allocation, .timedOut, "the acceptor did not answer in time")
        case .attached(_, .second), .accepting(_, nil), .idle: break
        }
    }

    private mutating func expire(_ allocation: Allocation) {
        var allocation = allocation
        if allocation.deadline <= now {
            book.stopWaiting(allocation)
            return refuse(allocation, .timedOut, "nobody accepted in time")
        }
        if let limit = allocation.serverDeadline, limit <= now {
            guard let record = naming[allocation.name], isServed(record, for: allocation.process) else {
                book.stopWaiting(allocation)
                return refuse(allocation, .ipcp, "nobody served \(allocation.name) within its waiting time")
            }
            // It serves the name, and will accept.
            allocation.serverDeadline = nil
            book.change(allocation)
        }
        if let limit = allocation.startDeadline, limit <= now {
            guard hasAcceptingProcess(allocation.name) else {
                book.stopWaiting(allocation)
                return giveUpStart(for: allocation)
            }
            allocation.startDeadline = nil
            book.change(allocation)
        }
        arm(allocation.call, at: allocation.limit)
    }
}
