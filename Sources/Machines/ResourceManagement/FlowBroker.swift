// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Brings allocations and acceptors together.
extension ResourceManager {
    mutating func allocate(_ allocation: Allocation) {
        arrivals += 1
        report(.flow(.allocating(allocation.process, allocation.name)))
        guard !isStopping else { return refuse(allocation, .manager, "irmd is stopping") }
        guard let record = naming[allocation.name] else {
            if !search(allocation) { refuseUnknown(allocation) }
            return
        }
        // An allocation without patience must not leave a server with a flow that nobody has at the other end.
        guard allocation.deadline > now else {
            guard isServed(record, for: allocation.process) else { return refuseUnknown(allocation) }
            return refuse(allocation, .timedOut, "no time was given")
        }
        seek(allocation)
    }

    /// Gives the allocation to an acceptor, or lets it wait for one.
    mutating func seek(_ allocation: Allocation) {
        guard isWanted(allocation) else { return free(allocation.connection) }
        guard let record = naming[allocation.name] else {
            return refuse(allocation, .name, "name \(allocation.name) was destroyed")
        }
        guard allocation.refusals < Limits.acceptorRefusals else {
            return refuse(allocation, .ipcp, "the servers of \(allocation.name) have no room for another flow")
        }
        if let (process, accept) = acceptors.take(among: record.processes, record.settings.balancing) {
            return begin(allocation, accept, of: process)
        }
        guard isServed(record, for: allocation.process) else {
            if !search(allocation) { refuseUnknown(allocation) }
            return
        }
        var allocation = allocation
        allocation.searched = nil
        waiting.add(allocation)
        allocation.startDeadline = startIfNeeded(for: allocation.name)
        connections[allocation.connection]?.call = .allocating(allocation)
        arm(allocation.connection, at: allocation.limit)
    }

    /// A name is served when a live process is bound to it or a program can be started for it. The process that asks
    /// counts only if it was bound by its pid or has accepted already: the client of a program that is client and
    /// server in one (oping) does not serve itself. design: flow-memory §6
    func isServed(_ record: NameRecord, for client: ProcessID) -> Bool {
        if !record.autoStarts.isEmpty || !record.pids.isEmpty || record.processes.count > 1 { return true }
        guard let only = record.processes.first else { return false }
        return only != client || processes[only]?.hasAccepted == true
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
        fail(allocation.request, on: allocation.connection, failure, reason)
        free(allocation.connection)
    }

    mutating func accept(
        _ request: RequestID, timeout: TimeSpan?, on id: ConnectionID, of process: ProcessID
    ) {
        processes[process]?.hasAccepted = true
        children.programs.hasAccepted(process)
        let deadline = timeout.map { now + $0 }
        let accept = acceptors.arrival(of: request, on: id, deadline: deadline)
        if let allocation = nextAllocation(for: process) {
            waiting.remove(allocation)
            return begin(allocation, accept, of: process)
        }
        if let deadline, deadline <= now {
            return fail(request, on: id, .timedOut, "no flow was requested")
        }
        acceptors.add(accept, of: process)
        connections[id]?.call = .accepting(request, deadline: deadline)
        if let deadline { arm(id, at: deadline) }
    }

    /// Whether the process that asks is alive. What a dead process waits for is taken back in slices (`Estate`).
    func isWanted(_ allocation: Allocation) -> Bool {
        processes[allocation.process]?.calls.contains(allocation.connection) == true
    }

    /// The longest waiting allocation for the name. Those of dead processes before it leave the queue.
    private mutating func firstWaiting(for name: ServiceName) -> Allocation? {
        while let connection = waiting.first(for: name),
            case .allocating(let allocation) = connections[connection]?.call
        {
            if isWanted(allocation) { return allocation }
            waiting.remove(allocation)
        }
        return nil
    }

    /// The longest waiting allocation for a name that the process is bound to.
    private mutating func nextAllocation(for process: ProcessID) -> Allocation? {
        guard !waiting.isEmpty else { return nil }
        let bound = naming.names(servedBy: process)
        // Through the shorter of the two.
        let names = bound.count < waiting.names.count ? Array(bound) : waiting.names.filter(bound.contains)
        var next: Allocation?
        for name in names {
            guard let first = firstWaiting(for: name), first.arrival < next?.arrival ?? .max else { continue }
            next = first
        }
        return next
    }

    /// Acceptors or allocations of a name have come together in another way than by their own arrival.
    mutating func match(_ name: ServiceName) {
        while let allocation = firstWaiting(for: name), let record = naming[name],
            let (process, accept) = acceptors.take(among: record.processes, record.settings.balancing)
        {
            waiting.remove(allocation)
            begin(allocation, accept, of: process)
        }
    }

    mutating func join(_ request: RequestID, _ layer: LayerName, on connection: ConnectionID) {
        let members = children.ipcps.values.filter { $0.layer?.name == layer }
        guard !members.isEmpty else {
            return fail(request, on: connection, .ipcp, "no IPCP here is a member of layer \(layer)")
        }
        guard members.contains(where: { $0.type == .broadcast }) else {
            return fail(request, on: connection, .notAllocated, "layer \(layer) is not a broadcast layer")
        }
        fail(request, on: connection, .notSupported, "this irmd joins no broadcast layers")
    }

    // Time.

    /// Has `expire` called for the connection. One alarm is enough for any number of requests: when it comes up it is
    /// set again for the request that is there then.
    mutating func arm(_ id: ConnectionID, at deadline: Instant) {
        guard let connection = connections[id] else { return }
        if let alarm = connection.alarm {
            if alarm.deadline <= deadline { return }
            timers.cancel(alarm.timer)
        }
        connections[id]?.alarm = (deadline, timers.set(.connection(id), at: deadline))
    }

    mutating func disarm(_ id: ConnectionID) {
        guard let alarm = connections[id]?.alarm else { return }
        timers.cancel(alarm.timer)
        connections[id]?.alarm = nil
    }

    mutating func expire(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        connections[id]?.alarm = nil
        // Whoever holds connections without a word holds descriptors of irmd's.
        if case .greeting = connection.stage { return drop(id) }
        switch connection.call {
        case .allocating(let allocation): expire(allocation)
        case .searching(let search):
            guard search.allocation.deadline <= now else { return arm(id, at: search.allocation.deadline) }
            refuse(search.allocation, .timedOut, "the layers did not say in time whether they know the name")
        case .accepting(let request, let deadline?):
            guard deadline <= now else { return arm(id, at: deadline) }
            acceptors.remove(id, of: connection.credentials.process)
            connections[id]?.call = .idle
            fail(request, on: id, .timedOut, "no flow was requested")
        case .attached(let flow, .first):
            guard let allocation = flows[flow]?.allocation else { return }
            guard allocation.deadline <= now else { return arm(id, at: allocation.deadline) }
            refuse(allocation, .timedOut, "the acceptor did not answer in time")
            release(flow, .first, .withdrawn)
        case .attached(_, .second), .accepting(_, nil), .idle, nil: break
        }
    }

    private mutating func expire(_ allocation: Allocation) {
        var allocation = allocation
        if allocation.deadline <= now {
            waiting.remove(allocation)
            return refuse(allocation, .timedOut, "nobody accepted in time")
        }
        if let limit = allocation.serverDeadline, limit <= now {
            guard let record = naming[allocation.name], isServed(record, for: allocation.process) else {
                waiting.remove(allocation)
                return refuse(allocation, .ipcp, "nobody came to serve \(allocation.name) in the time that it waits")
            }
            // It serves the name, and will accept.
            allocation.serverDeadline = nil
            connections[allocation.connection]?.call = .allocating(allocation)
        }
        if let limit = allocation.startDeadline, limit <= now {
            guard hasAcceptingProcess(allocation.name) else {
                waiting.remove(allocation)
                return giveUpStart(for: allocation)
            }
            allocation.startDeadline = nil
            connections[allocation.connection]?.call = .allocating(allocation)
        }
        arm(allocation.connection, at: allocation.limit)
    }
}
