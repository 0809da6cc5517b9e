// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Something that concerns all allocations that wait for a name, all that a dead process had, or all flows of a layer. There
/// may be very many, so it is done in slices: what is left is gone on with in the next turn, and others are served in
/// between. Errands take turns too.
enum Errand: Sendable {
    case waiting(WaitingErrand)
    case estate(Estate)
    case layer(LayerErrand)

    var isDone: Bool {
        switch self {
        case .waiting(let errand): errand.waiting.isEmpty
        case .estate(let estate):
            estate.connections.isEmpty && estate.calls.isEmpty && estate.flows.isEmpty && estate.links.isEmpty
        case .layer(let errand): errand.flows.isEmpty
        }
    }
}

struct WaitingErrand: Sendable {
    enum Purpose: Sendable {
        /// Something that served the name is gone: each may wait in vain.
        case settle
        case refuse(Failure, reason: String, isMeant: @Sendable (Allocation) -> Bool)
    }

    let name: ServiceName
    let purpose: Purpose
    /// Those that waited when the errand began.
    var waiting: ArraySlice<WaitingAllocations.Waiting>
    /// What it is run for has happened again meanwhile.
    var isAgain = false

    /// That each may wait in vain; then one errand is enough, whatever the number of servers that go.
    var settles: Bool { if case .settle = purpose { true } else { false } }
}

/// What a process leaves that is dead, or runs another program. The number may be a new process's meanwhile, which has
/// none of it.
struct Estate: Sendable {
    let process: ProcessID
    /// When the process died. A flow that began later has the number of one that is gone.
    let death: Instant
    /// Its session and its call connections.
    var connections: ArraySlice<ConnectionID>
    /// When the connections are gone: the calls that are left, which are over an IPCP's channel.
    var calls: ArraySlice<CallID>
    /// When the calls are gone: the flows that the process was about to get go with their calls.
    var flows: ArraySlice<FlowID>
    /// When the flows are gone.
    var links: ArraySlice<LinkID>
}

/// The flows of a layer whose IPCP has ended.
struct LayerErrand: Sendable {
    let end: Instant
    var flows: ArraySlice<FlowID>
}

extension ResourceManager {
    /// Something that served the name is gone: whoever waits for it may wait in vain.
    mutating func settle(_ name: ServiceName) {
        guard book.waiting.contains(name) else { return }
        for index in errands.indices {
            guard case .waiting(var errand) = errands[index], errand.settles, errand.name == name else { continue }
            errand.isAgain = true
            errands[index] = .waiting(errand)
            return
        }
        begin(.waiting(WaitingErrand(name: name, purpose: .settle, waiting: book.waiting.all(for: name)[...])))
    }

    /// Fails all who wait for the name.
    mutating func refuseWaiting(
        for name: ServiceName, _ failure: Failure, _ reason: String,
        where isMeant: @escaping @Sendable (Allocation) -> Bool = { _ in true }
    ) {
        guard book.waiting.contains(name) else { return }
        begin(
            .waiting(
                WaitingErrand(
                    name: name, purpose: .refuse(failure, reason: reason, isMeant: isMeant),
                    waiting: book.waiting.all(for: name)[...])))
    }

    /// Takes back what a process has left.
    mutating func settle(_ estate: Estate) { begin(.estate(estate)) }

    /// Ends the flows of a layer that is gone.
    mutating func bringDown(_ flows: some Collection<FlowID>) {
        begin(.layer(LayerErrand(end: now, flows: flows.sorted()[...])))
    }

    /// A part at once, the rest later.
    private mutating func begin(_ errand: Errand) {
        var errand = errand
        run(&errand)
        if !errand.isDone { errands.append(errand) }
    }

    /// What is left of earlier turns.
    mutating func runErrands() {
        while errandSteps < Limits.errandsPerTurn, var errand = errands.popFirst() {
            run(&errand)
            if !errand.isDone {
                errands.append(errand)
            } else if case .waiting(let done) = errand, done.isAgain, book.waiting.contains(done.name) {
                let all = book.waiting.all(for: done.name)[...]
                errands.append(.waiting(WaitingErrand(name: done.name, purpose: done.purpose, waiting: all)))
            }
        }
    }

    private mutating func run(_ errand: inout Errand) {
        let limit = min(errandSteps + Limits.stepsPerErrand, Limits.errandsPerTurn)
        switch errand {
        case .waiting(var waiting):
            run(&waiting, until: limit)
            errand = .waiting(waiting)
        case .estate(var estate):
            run(&estate, until: limit)
            errand = .estate(estate)
        case .layer(var layer):
            run(&layer, until: limit)
            errand = .layer(layer)
        }
    }

    private mutating func run(_ layer: inout LayerErrand, until limit: Int) {
        while errandSteps < limit, let flow = layer.flows.popFirst() {
            errandSteps += 1
            if wasThere(flow, at: layer.end) { bringDown(flow, "the layer of its name is gone") }
        }
    }

    /// False if the flow is gone, or is another one that has its number now.
    private func wasThere(_ flow: FlowID, at time: Instant) -> Bool {
        book.flows[flow].map { $0.begun <= time } ?? false
    }

    private mutating func run(_ estate: inout Estate, until limit: Int) {
        while errandSteps < limit, let connection = estate.connections.popFirst() {
            errandSteps += 1
            // Unless the other end has closed it meanwhile.
            if attachments.connections[connection] != nil { drop(connection) }
        }
        while errandSteps < limit, let call = estate.calls.popFirst() {
            errandSteps += 1
            withdraw(call)
            closeCall(call)
        }
        while errandSteps < limit, let flow = estate.flows.popFirst() {
            errandSteps += 1
            guard wasThere(flow, at: estate.death) else { continue }
            while let end = book.flows[flow]?.end(of: estate.process) { release(flow, end, .died) }
        }
        while errandSteps < limit, let link = estate.links.popFirst() {
            errandSteps += 1
            releaseLink(link)
        }
    }

    private mutating func run(_ errand: inout WaitingErrand, until last: Int) {
        // The same for all of a slice: what they wait for may have to be started.
        var limit: Instant??
        while errandSteps < last, let next = errand.waiting.popFirst() {
            errandSteps += 1
            guard case .allocating(let allocation) = book.calls[next.call]?.stage,
                allocation.arrival == next.arrival, book.isWanted(allocation)
            else { continue }
            switch errand.purpose {
            case .settle: settle(allocation, &limit)
            case .refuse(let failure, let reason, let isMeant):
                guard isMeant(allocation) else { continue }
                book.stopWaiting(allocation)
                refuse(allocation, failure, reason)
            }
        }
    }

    private mutating func settle(_ allocation: Allocation, _ limit: inout Instant??) {
        guard let record = naming[allocation.name] else { return }
        guard isServed(record, for: allocation.process) else {
            // One that waits for a server goes on as long as its name does.
            if let patience = allocation.serverDeadline, patience > now { return }
            book.stopWaiting(allocation)
            if !search(allocation) { refuseUnknown(allocation) }
            return
        }
        let start = limit ?? startIfNeeded(for: allocation.name)
        limit = start
        guard let start, start != allocation.startDeadline else { return }
        var allocation = allocation
        allocation.startDeadline = start
        book.change(allocation)
        arm(allocation.call, at: allocation.limit)
    }
}
