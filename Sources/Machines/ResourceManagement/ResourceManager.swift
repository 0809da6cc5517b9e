// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import LocalProtocol
import Vocabulary

/// What does not change while irmd runs.
package struct ManagerIdentity: Hashable, Sendable {
    package let process: ProcessID
    package let user: UserID
    /// The group whose members may manage, if this host has it.
    package let managers: GroupID?
    /// Differs each time irmd starts. Local processes are told.
    package let incarnation: UInt64
    package let runtimeDirectory: [UInt8]
    package let started: Instant
    /// Bytes that may wait in the flows of one user, root excepted.
    package let queueBytesPerUser: UInt64
    /// How many connections irmd's descriptors suffice for.
    package let connections: Int

    package init(
        process: ProcessID, user: UserID, managers: GroupID?, incarnation: UInt64,
        runtimeDirectory: [UInt8], started: Instant, queueBytesPerUser: UInt64 = 1 << 40, connections: Int = 1 << 20
    ) {
        self.process = process
        self.user = user
        self.managers = managers
        self.incarnation = incarnation
        self.runtimeDirectory = runtimeDirectory
        self.started = started
        self.queueBytesPerUser = queueBytesPerUser
        self.connections = connections
    }
}

/// irmd as a machine: it is told what happens and says what to do; it never blocks, reads no clock and makes no system
/// call.
///
/// It has four parts that do not know each other, each in a directory of its own: `Attachments` (connections and processes),
/// `Naming` (names, and what is bound to them), `FlowBook` (flows, and the calls that wait for one) and `Children` (IPCPs
/// and programs that irmd has started). A part keeps its tables in agreement and says nothing to anybody. The extensions in
/// the other files are the wiring: they ask the parts and append actions. In the order in which to read them: `ProcessLife`
/// (processes come and go), `FlowBroker`, `FlowOffers` and `FlowRelease` (a flow from its request to its end),
/// `RemoteFlows` and `LayerSearch` (flows to and from other hosts), `Management` (what `irm` asks), `NameManagement`,
/// `Registration`, `IPCPSupervision`, `IPCPTransactions`, `ProgramSupervision`, `Shutdown`, `Listing`, `FlowInspection`, and
/// `Errands` (what concerns very many, in slices).
package struct ResourceManager {
    let identity: ManagerIdentity
    let rights: Rights
    let hashing: any NameHashing

    var attachments: Attachments
    var naming: Naming
    var book: FlowBook
    var children = Children()

    var authentications: [AuthenticationID: Authentication] = [:]
    var authenticationCount: UInt64 = 0
    var inspections = Inspections()
    var flowsAllocated: UInt64 = 0
    var allocationsFailed: UInt64 = 0

    /// What is not done yet of what concerns very many.
    var errands = Deque<Errand>()
    /// Done for them in this turn.
    var errandSteps = 0
    /// Of the list that somebody reads page by page.
    var listedFlows: [FlowID] = []
    var isStopping = false
    var timers = TimerQueue<Due>()
    /// The first sequence numbers of flows to other hosts.
    var secrets: SecretNumbers

    /// Of the event that is being handled.
    var now: Instant
    var outgoing: [ManagerAction] = []

    /// `seed`: what others shall not guess.
    package init(_ identity: ManagerIdentity, hashing: any NameHashing, seed: UInt64) {
        self.identity = identity
        secrets = SecretNumbers(seed: seed)
        naming = Naming(hashing)
        attachments = Attachments(connections: identity.connections, manager: identity.user)
        book = FlowBook(FlowQuotas(queueBytesPerUser: identity.queueBytesPerUser, manager: identity.user))
        self.hashing = hashing
        rights = Rights(manager: identity.user, managers: identity.managers)
        now = identity.started
    }

    /// When `handle(.timeout)` wants to be called if nothing else happens.
    /// Stored: to compute it, the driver's compiler would copy the whole machine.
    package private(set) var deadline: Instant?

    /// Something happened. Appends what must now be done.
    package mutating func handle(_ event: ManagerEvent, now: Instant, into actions: inout [ManagerAction]) {
        self.now = now
        swap(&outgoing, &actions)
        defer { swap(&outgoing, &actions) }
        errandSteps = 0
        switch event {
        case .connected(let connection, let credentials): connect(connection, credentials)
        case .received(let connection, let message, let fact): receive(message, fact, on: connection)
        case .disconnected(let connection): disconnect(connection)
        case .died(let process): bury(process)
        case .childExited(let process, let status): childExited(process, status)
        case .flowMemoryCreated(let flow): flowMemoryCreated(flow)
        case .flowMemoryFailed(let flow, let failure): flowMemoryFailed(flow, failure)
        case .ipcpSpawned(let name, let process, let program): ipcpSpawned(name, process, program)
        case .ipcpNotSpawned(let name, let failure, let reason): ipcpNotSpawned(name, failure, reason)
        case .ipcpReplied(let process, let reply): ipcpReplied(process, reply)
        case .ipcpChannelEnded(let process): ipcpChannelEnded(process)
        case .programSpawned(let start, let process): programSpawned(start, process)
        case .programNotSpawned(let start, let failure): programNotSpawned(start, failure)
        case .authenticated(let id, let outcome): authenticated(id, outcome)
        case .timeout: break
        case .stop: stop()
        }
        // Every event is a turn of the clock too: a busy irmd is as punctual as an idle one. Thousands may wait until the
        // same moment.
        var expired = 0
        while expired < Limits.errandsPerTurn, let due = timers.next(now: now) {
            expired += 1
            expire(due)
        }
        runErrands()
        // The driver looks at the others, then comes back.
        deadline = errands.isEmpty ? timers.deadline : now
    }

    private mutating func expire(_ due: Due) {
        switch due {
        case .greeting(let connection): drop(connection)
        case .call(let call): expire(call)
        case .booting(let process): bootExpired(process)
        case .transaction(let request): transactionExpired(request)
        case .ending(let process): endingExpired(process)
        case .shutdown: shutdownExpired()
        case .inspection(let id): inspectionExpired(id)
        }
    }

    private mutating func receive(_ message: ProcessMessage, _ fact: SystemFact, on id: ConnectionID) {
        guard let connection = attachments.connections[id], !attachments.isLeft(id, connection) else { return }
        switch (connection.stage, message) {
        case (.greeting, .hello(let hello)):
            greet(hello, fact, on: id, of: connection.credentials)
        case (.session, .deallocate(let flow)):
            deallocate(flow, by: connection.credentials.process)
        case (.session, .described(let question, let statistics)):
            described(question, statistics, by: connection.credentials.process, on: id)
        case (.call(let call), .allocate(let request, let name, let quality, let timeout)) where book.isIdle(call):
            allocate(
                Allocation(
                    request: request, call: call, process: connection.credentials.process, name: name,
                    quality: quality, deadline: now + (timeout ?? Limits.allocationTimeout),
                    arrival: book.nextArrival()))
        case (.call(let call), .accept(let request, let timeout)) where book.isIdle(call):
            accept(request, timeout: timeout, on: call, of: connection.credentials.process)
        case (.call(let call), .join(let request, let layer, _)) where book.isIdle(call):
            join(request, layer, on: call)
        // Late ones, for flows that were withdrawn meanwhile, are right too: the call is idle or busy again.
        case (.call(let call), .taken(let flow)): taken(flow, on: call)
        case (.call(let call), .refused(let flow, let failure)): refused(flow, failure, on: call)
        case (.management, .manage(let request, let management)):
            manage(management, fact, Requester(connection: id, request: request), connection.credentials)
        case (.greeting, _), (.session, _), (.call, _), (.management, _):
            refuse(id, of: connection.credentials.process)
        }
    }

    /// The process says what it may not say now.
    mutating func refuse(_ id: ConnectionID, of process: ProcessID) {
        report(.peer(.unexpectedMessage(process)))
        drop(id)
    }

    // What the parts say.

    mutating func report(_ report: Report) { outgoing.append(.report(report)) }

    mutating func send(_ message: ManagerMessage, on connection: ConnectionID) {
        outgoing.append(.send(message, connection))
    }

    mutating func fail(_ request: RequestID, on connection: ConnectionID, _ failure: Failure, _ reason: String) {
        send(.failed(request, failure, reason: Array(reason.utf8.prefix(1_024))), on: connection)
    }

    /// A request of a process. One of another host is rejected (`refuse`).
    mutating func fail(_ request: RequestID, on call: CallID, _ failure: Failure, _ reason: String) {
        if let connection = book.calls[call]?.connection { fail(request, on: connection, failure, reason) }
    }

    mutating func succeed(_ requester: Requester, _ result: ManagementResult = .completed) {
        send(.result(requester.request, result), on: requester.connection)
    }

    mutating func fail(_ requester: Requester, _ failure: Failure, _ reason: String) {
        report(.refused(reason: reason))
        fail(requester.request, on: requester.connection, failure, reason)
    }
}
