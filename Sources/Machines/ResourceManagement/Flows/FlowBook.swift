// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import LocalProtocol
import OrderedCollections
import Vocabulary

/// The flows, the calls that wait for one, and what each process has of them. One of irmd's four parts (see
/// `ResourceManager`): it knows no session, no binding of a name and no child, and says nothing to anybody.
struct FlowBook {
    private(set) var flows: [FlowID: Flow] = [:]
    private(set) var calls: [CallID: Call] = [:]
    private(set) var links = Links()
    private(set) var acceptors = Acceptors()
    private(set) var waiting = WaitingAllocations()
    private(set) var waitingArrivals = WaitingArrivals()
    private var accounts: [ProcessID: Account] = [:]
    private var numbers = FlowNumbers()
    /// Others only fill it, in tests.
    var quotas: FlowQuotas
    private var calling: UInt64 = 0
    private var allocating: UInt64 = 0

    /// What a process has, while it is attached.
    final class Account {
        /// Base name.
        let program: [UInt8]
        let features: Features
        fileprivate(set) var calls: Set<CallID> = []
        /// Those of which it has an end that it has not let go.
        fileprivate(set) var flows: Set<FlowID> = []
        /// It is a server: it accepted at least once.
        fileprivate(set) var hasAccepted = false
        /// Descriptors that were sent to it with offers that it has neither taken nor refused.
        fileprivate(set) var undelivered = 0
        /// Offers that wait until earlier ones are taken, so that `undelivered` stays in its bound.
        fileprivate var delayed = Deque<(flow: FlowID, end: End)>()

        fileprivate init(program: [UInt8], features: Features) {
            self.program = program
            self.features = features
        }
    }

    /// What a process leaves behind, in ascending order.
    struct Remains {
        /// Those over channels: the others end with their connections.
        let calls: [CallID]
        let flows: [FlowID]
        let links: [LinkID]
    }

    init(_ quotas: FlowQuotas) { self.quotas = quotas }

    // Processes.

    mutating func attach(
        _ process: ProcessID, program: [UInt8], features: Features, serving names: OrderedSet<ServiceName>
    ) {
        accounts[process] = Account(program: program, features: features)
        acceptors.attach(process, serving: names)
    }

    /// The process accepts nothing any more, and no new flow comes to it. What it leaves is taken back piece by piece.
    mutating func detach(_ process: ProcessID) -> Remains {
        let account = accounts.removeValue(forKey: process)
        acceptors.removeAll(of: process)
        return Remains(
            calls: account?.calls.filter { calls[$0]?.connection == nil }.sorted() ?? [],
            flows: account?.flows.sorted() ?? [], links: links.close(of: process))
    }

    func account(of process: ProcessID) -> Account? { accounts[process] }

    /// Whether the process has an end of the flow that it has not let go.
    func has(_ process: ProcessID, _ flow: FlowID) -> Bool { accounts[process]?.flows.contains(flow) == true }

    // Calls.

    mutating func openCall(_ way: Call.Way, of credentials: Credentials, for arrivalName: ServiceName? = nil) -> CallID
    {
        calling += 1
        let id = CallID(calling)
        calls[id] = Call(way, credentials, arrivalName: arrivalName)
        accounts[credentials.process]?.calls.insert(id)
        return id
    }

    /// The call's process has attached anew, and keeps the call.
    mutating func adopt(_ call: CallID) {
        guard let process = calls[call]?.process else { return }
        accounts[process]?.calls.insert(call)
    }

    /// The process is about to be another; the program that attaches next may adopt the call.
    mutating func disown(_ call: CallID, of process: ProcessID) { accounts[process]?.calls.remove(call) }

    /// The call had no request any more.
    mutating func closeCall(_ id: CallID) -> Call? {
        waitingArrivals.remove(id)
        guard let call = calls.removeValue(forKey: id) else { return nil }
        accounts[call.process]?.calls.remove(id)
        return call
    }

    /// Whether the call's process is the one that is attached now.
    func isOpen(_ call: CallID, of process: ProcessID) -> Bool { accounts[process]?.calls.contains(call) == true }

    /// Whether the call has no request, and can make one.
    func isIdle(_ call: CallID) -> Bool { if case .idle? = calls[call]?.stage { true } else { false } }

    func idle(_ call: CallID) { calls[call]?.stage = .idle }

    /// A number for a new allocation, that ascends.
    mutating func nextArrival() -> UInt64 {
        allocating += 1
        return allocating
    }

    // Allocations that wait.

    mutating func wait(_ allocation: Allocation) {
        waiting.add(allocation)
        calls[allocation.call]?.stage = .allocating(allocation)
    }

    /// It waits for something else.
    func change(_ allocation: Allocation) { calls[allocation.call]?.stage = .allocating(allocation) }

    /// Waits for a step of the authentication with another host.
    func authenticate(_ allocation: Allocation, _ authentication: AuthenticationID) {
        calls[allocation.call]?.stage = .authenticating(authentication, allocation)
    }

    mutating func stopWaiting(_ allocation: Allocation) { waiting.remove(allocation) }

    /// Waits until the layers have said whether they know the name.
    func search(_ search: NameSearch) { calls[search.allocation.call]?.stage = .searching(search) }

    /// A process waits with a connection of its own, of which its user has so many. Other hosts have none: false if the
    /// name or the host has no more places.
    mutating func mayWait(_ allocation: Allocation) -> Bool {
        guard let origin = allocation.origin else { return true }
        return waitingArrivals.add(allocation.call, for: allocation.name, of: origin.address)
    }

    /// Whether the process that asks is alive. What a dead process waits for is taken back in slices (`Estate`).
    func isWanted(_ allocation: Allocation) -> Bool { isOpen(allocation.call, of: allocation.process) }

    /// The longest waiting allocation for the name. Those of dead processes before it leave the queue.
    mutating func firstWaiting(for name: ServiceName) -> Allocation? {
        while let call = waiting.first(for: name), case .allocating(let allocation) = calls[call]?.stage {
            if isWanted(allocation) { return allocation }
            waiting.remove(allocation)
        }
        return nil
    }

    // Acceptors.

    /// An accept that has just arrived, to be added or to be given a flow at once.
    mutating func accept(
        _ request: RequestID, on call: CallID, of process: ProcessID, deadline: Instant?
    ) -> Acceptors.Accept {
        accounts[process]?.hasAccepted = true
        return acceptors.arrival(of: request, on: call, of: process, deadline: deadline)
    }

    mutating func wait(_ accept: Acceptors.Accept) {
        acceptors.add(accept)
        calls[accept.call]?.stage = .accepting(accept.request, deadline: accept.deadline)
    }

    mutating func stopAccepting(_ call: CallID, of process: ProcessID) { acceptors.remove(call, of: process) }

    /// Takes the accept whose turn it is.
    mutating func takeAcceptor(
        for name: ServiceName, among processes: Set<ProcessID>, _ balancing: LoadBalancing
    ) -> Acceptors.Accept? {
        acceptors.take(for: name, among: processes, balancing)
    }

    /// Other processes serve the name now.
    mutating func regroup(_ name: ServiceName) { acceptors.closeQueue(of: name) }

    /// Whether a live process among these has accepted before: it is a server, busy at the moment.
    func hasServer(among processes: Set<ProcessID>) -> Bool {
        processes.contains { accounts[$0]?.hasAccepted == true }
    }

    // Flows.

    /// A flow between the two calls. Nil at a limit; then nothing is taken.
    mutating func open(
        _ allocation: Allocation, _ accept: Acceptors.Accept, _ remote: RemoteEnd?, layer: Flow.Layer?,
        now: Instant
    ) -> Flow? {
        guard let client = party(on: allocation.call), let server = party(on: accept.call),
            case let owner = remote?.end == .first ? server.user : client.user,
            let queueBytes = quotas.addFlow(of: owner, isRemote: remote != nil)
        else { return nil }
        guard let id = numbers.take() else {
            quotas.removeFlow(of: owner, queueBytes, isRemote: remote != nil)
            return nil
        }
        guard let place = place(client.process, server.process, of: owner) else {
            quotas.removeFlow(of: owner, queueBytes, isRemote: remote != nil)
            numbers.giveBack(id)
            return nil
        }
        let flow = Flow(
            id: id, queueBytes: queueBytes, place: place, layer: layer, remote: remote, begun: now, client: client,
            server: server, accept: accept, allocation: allocation)
        flows[id] = flow
        waitingArrivals.remove(allocation.call)
        calls[allocation.call]?.stage = .attached(id, .first)
        calls[accept.call]?.stage = .attached(id, .second)
        accounts[client.process]?.flows.insert(id)
        accounts[server.process]?.flows.insert(id)
        return flow
    }

    /// `credentials`: with which it has asked for its end. It may have changed them since it attached.
    private func party(on call: CallID) -> Flow.Party? {
        guard let call = calls[call], let account = accounts[call.process] else { return nil }
        return Flow.Party(
            process: call.process, user: call.credentials.user, group: call.credentials.group,
            program: account.program, features: account.features)
    }

    private mutating func place(_ client: ProcessID, _ server: ProcessID, of owner: UserID) -> LinkPlace? {
        let isNew = !links.contains(client: client, server: server)
        guard !isNew || quotas.addLink(of: owner) else { return nil }
        return links.place(client: client, server: server, owner: owner)
    }

    /// Nobody has the flow any more. Nil if there is none; else whether its link's slot is free now.
    mutating func close(_ id: FlowID) -> (flow: Flow, isSlotFree: Bool)? {
        guard let flow = flows.removeValue(forKey: id) else { return nil }
        numbers.giveBack(id)
        quotas.removeFlow(of: flow.owner, flow.queueBytes, isRemote: flow.remote != nil)
        accounts[flow.client.process]?.flows.remove(id)
        accounts[flow.server.process]?.flows.remove(id)
        return (flow, links.giveBack(flow.place.slot, of: flow.place.link))
    }

    /// No more flows come to the link.
    mutating func removeLink(_ link: LinkID) {
        if let owner = links.owner(of: link) { quotas.removeLink(of: owner) }
        links.remove(link)
    }

    /// See `Links.surplus`.
    mutating func surplusLink(of process: ProcessID) -> (link: LinkID, end: End)? { links.surplus(of: process) }
}

// Offers: how an end comes to its process.

extension FlowBook {
    enum Offering {
        /// Now or later: what has to be is done.
        case settled
        /// Its server let go of the flow while the client had to wait, and has died since.
        case withoutServer(Flow)
        case made(Offer)
    }

    /// An end that is sent to its process.
    struct Offer {
        let flow: Flow
        let end: End
        let message: FlowOffer
        let request: RequestID
        let call: CallID
    }

    /// The end can be sent to its process, now or when the process has taken enough of what it was sent before.
    mutating func offer(_ id: FlowID, to end: End) -> Offering {
        guard let flow = flows[id], let account = accounts[flow[end].process], account.flows.contains(id) else {
            return .settled
        }
        let place = flow.place
        guard links.contains(place.link) else { return .withoutServer(flow) }
        let linkEnd = flow.linkEnd(end)
        let linkIsIncluded = links.isMissing(at: linkEnd, of: place.link)
        let descriptors = linkIsIncluded ? 3 : 1
        guard account.undelivered + descriptors <= Limits.undeliveredDescriptors else {
            account.delayed.append((id, end))
            return .settled
        }
        let allocation = end == .first ? flow.allocation : nil
        if end == .first, allocation == nil { return .settled }
        // The verdict is given: from here on the client's deadline is past.
        if end == .first { flow.allocation = nil }
        let request = allocation?.request ?? flow.accept.request
        let call = allocation?.call ?? flow.accept.call
        account.undelivered += descriptors
        flow[end].hold = .offered(request, call, descriptors: descriptors)
        var message = FlowOffer(
            flow: id, end: end, quality: flow.quality, peer: flow[end.other].process,
            parties: flow.parties(for: end), link: place.link, slot: place.slot, linkEnd: linkEnd,
            linkIsIncluded: linkIsIncluded, isExpedited: flow.isExpedited,
            queueBytes: flow.queueBytes(from: end), arrivingQueueBytes: flow.queueBytes(from: end.other))
        if let remote = flow.remote {
            message.messageBytes = remote.reach.messageBytes
            message.role = end == remote.end ? .provider : .user
            // The IPCP knows what it said, and what the ends agree on is none of its business.
            if end != remote.end {
                message.terms = remote.reach.terms
                message.terms.items = remote.negotiated?.agreement.items ?? []
            }
        }
        return .made(Offer(flow: flow, end: end, message: message, request: request, call: call))
    }

    /// The end that is offered on this call.
    func offered(_ id: FlowID, on call: CallID) -> (flow: Flow, end: End, descriptors: Int)? {
        guard case .attached(id, let end) = calls[call]?.stage, let flow = flows[id],
            case .offered(_, call, let descriptors) = flow[end].hold
        else { return nil }
        return (flow, end, descriptors)
    }

    /// The process has the descriptors that came with an offer. Whether those of the link were among them, for the first time.
    mutating func delivered(_ flow: Flow, _ end: End, _ descriptors: Int) -> Bool {
        descriptors > 1 && links.delivered(to: flow.linkEnd(end), of: flow.place.link)
    }

    /// The process has what it was sent, or does not want it.
    func settleOffer(to process: ProcessID, descriptors: Int) { accounts[process]?.undelivered -= descriptors }

    /// An offer that has waited until the process took others, and can be made now.
    mutating func nextDelayed(of process: ProcessID) -> (flow: FlowID, end: End)? {
        guard let account = accounts[process] else { return nil }
        while let next = account.delayed.first {
            // Else it was withdrawn while it waited.
            if let flow = flows[next.flow], case .waiting = flow[next.end].hold {
                let descriptors = links.isMissing(at: flow.linkEnd(next.end), of: flow.place.link) ? 3 : 1
                guard account.undelivered + descriptors <= Limits.undeliveredDescriptors else { return nil }
                account.delayed.removeFirst()
                return next
            }
            account.delayed.removeFirst()
        }
        return nil
    }

    /// The call through which the end is to be given.
    func call(of flow: Flow, _ end: End) -> CallID? {
        switch (flow[end].hold, end) {
        case (.offered(_, let call, _), _): call
        case (.waiting, .second): flow.accept.call
        case (.waiting, .first): flow.allocation?.call
        case (.held, _), (.released, _): nil
        }
    }

    /// The end is let go of. The process has the flow no more, unless it has the other end too.
    func release(_ flow: Flow, _ end: End, _ cause: Flow.Release) {
        flow[end].hold = .released(cause)
        if end == .first { flow.allocation = nil }
        let process = flow[end].process
        if flow.end(of: process) == nil { accounts[process]?.flows.remove(flow.id) }
    }
}
