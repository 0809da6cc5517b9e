// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
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
    /// Told to nobody: what others shall not guess is made of it.
    package let secret: UInt64
    package let runtimeDirectory: [UInt8]
    package let started: Instant
    /// Bytes that may wait in the flows of one user, root excepted.
    package let queueBytesPerUser: UInt64
    /// How many connections irmd's descriptors suffice for.
    package let connections: Int

    package init(
        process: ProcessID, user: UserID, managers: GroupID?, incarnation: UInt64, secret: UInt64,
        runtimeDirectory: [UInt8], started: Instant, queueBytesPerUser: UInt64 = 1 << 40, connections: Int = 1 << 20
    ) {
        self.process = process
        self.user = user
        self.managers = managers
        self.incarnation = incarnation
        self.secret = secret
        self.runtimeDirectory = runtimeDirectory
        self.started = started
        self.queueBytesPerUser = queueBytesPerUser
        self.connections = connections
    }
}

/// irmd as a machine: who is attached, which names there are and who serves them, which flows exist, and which children
/// run. It is told what happens and says what to do; it never blocks, reads no clock and makes no system call.
///
/// Its parts are the tables below, none of which knows another; the extensions in the other files of this target are
/// the wiring. In the order in which to read them: `Attachment` (processes come and go), `FlowBroker`, `FlowOffers` and
/// `FlowRelease` (a flow from its request to its end), `Management` (what `irm` asks), `Naming`, `Registration`,
/// `IPCPSupervision`, `IPCPTransactions`, `ProgramSupervision`, `Shutdown`, `Listing`.
package struct ResourceManager {
    let identity: ManagerIdentity
    let rights: Rights
    let hashing: any NameHashing

    var quotas: Quotas
    var connections: [ConnectionID: Connection] = [:]
    var processes: [ProcessID: AttachedProcess] = [:]
    /// Processes whose death we want to know of.
    var watched: Set<ProcessID> = []

    var naming: Naming

    var acceptors = Acceptors()
    var waiting = WaitingAllocations()
    var waitingArrivals = WaitingArrivals()
    var flows: [FlowID: Flow] = [:]
    var flowNumbers = FlowNumbers()
    var links = Links()
    var arrivals: UInt64 = 0
    var authenticator = AuthenticationServer()
    let digest: any AuthenticationDigest
    var chance: RandomSource
    /// Requests over channels of IPCPs, ever.
    var channelCalls: UInt64 = 0
    /// What hosts tell each other. The driver sets it before each event.
    package var wallTime = WallTime(nanoseconds: 0)
    var flowsAllocated: UInt64 = 0
    var allocationsFailed: UInt64 = 0

    var children = Children()

    /// What is not done yet of what concerns very many.
    var errands = Deque<Errand>()
    /// Done for them in this turn.
    var errandSteps = 0
    /// Of the list that somebody reads page by page.
    var listedFlows: [FlowID] = []
    var isStopping = false
    var timers = TimerQueue<Due>()

    /// Of the event that is being handled.
    var now: Instant
    var outgoing: [ManagerAction] = []

    enum Due: Sendable {
        case connection(ConnectionID)
        case booting(ProcessID)
        case transaction(RequestID)
        case ending(ProcessID)
        case shutdown
    }

    package init(
        _ identity: ManagerIdentity, hashing: any NameHashing, digest: any AuthenticationDigest
    ) {
        self.identity = identity
        self.digest = digest
        chance = RandomSource(seed: identity.secret)
        naming = Naming(hashing)
        quotas = Quotas(
            queueBytesPerUser: identity.queueBytesPerUser, connections: identity.connections,
            manager: identity.user)
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
        case .received(let connection, let message, let finding): receive(message, finding, on: connection)
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
        case .connection(let connection): expire(connection)
        case .booting(let process): bootExpired(process)
        case .transaction(let request): transactionExpired(request)
        case .ending(let process): endingExpired(process)
        case .shutdown: shutdownExpired()
        }
    }

    private mutating func receive(_ message: ProcessMessage, _ finding: Finding, on id: ConnectionID) {
        guard let connection = connections[id], !isLeft(id, connection) else { return }
        switch (connection.stage, message) {
        case (.greeting, .hello(let hello)):
            greet(hello, finding, on: id, of: connection.credentials)
        case (.session, .deallocate(let flow)):
            deallocate(flow, by: connection.credentials.process)
        case (.call(.idle), .allocate(let request, let name, let quality, let timeout)):
            allocate(
                Allocation(
                    request: request, connection: id, process: connection.credentials.process, name: name,
                    quality: quality, deadline: now + (timeout ?? Limits.allocationTimeout), arrival: arrivals))
        case (.call(.idle), .accept(let request, let timeout)):
            accept(request, timeout: timeout, on: id, of: connection.credentials.process)
        case (.call(.idle), .join(let request, let layer, _)): join(request, layer, on: id)
        // Late ones, for flows that were withdrawn meanwhile, are right too: the connection is idle or busy again.
        case (.call, .taken(let flow)): taken(flow, on: id)
        case (.call, .refused(let flow, let failure)): refused(flow, failure, on: id)
        case (.management, .manage(let request, let management)):
            manage(management, finding, Requester(connection: id, request: request), connection.credentials)
        case (.greeting, _), (.session, _), (.call, _), (.management, _):
            report(.peer(.unexpectedMessage(connection.credentials.process)))
            drop(id)
        }
    }

    /// The connection is of a process that is dead, or of what it was before `exec`, and will be dropped.
    func isLeft(_ id: ConnectionID, _ connection: Connection) -> Bool {
        switch connection.stage {
        case .greeting, .management: false
        case .session: processes[connection.credentials.process]?.session != id
        case .call: processes[connection.credentials.process]?.calls.contains(id) != true
        }
    }

    // What the parts say.

    mutating func report(_ report: Report) { outgoing.append(.report(report)) }

    mutating func send(_ message: ManagerMessage, on connection: ConnectionID) {
        outgoing.append(.send(message, connection))
    }

    mutating func fail(_ request: RequestID, on connection: ConnectionID, _ failure: Failure, _ reason: String) {
        if let call = connections[connection], call.isOfChannel {
            outgoing.append(.request(.reject(request, failure), call.credentials.process))
            return
        }
        send(.failed(request, failure, reason: Array(reason.utf8.prefix(1_024))), on: connection)
    }

    /// The call is done with its request. Over a channel it was no more than that.
    mutating func free(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        guard connection.isOfChannel else {
            connections[id]?.call = .idle
            return
        }
        forget(id)
        processes[connection.credentials.process]?.calls.remove(id)
    }

    mutating func succeed(_ requester: Requester, _ result: ManagementResult = .completed) {
        send(.result(requester.request, result), on: requester.connection)
    }

    mutating func fail(_ requester: Requester, _ failure: Failure, _ reason: String) {
        report(.refused(reason: reason))
        fail(requester.request, on: requester.connection, failure, reason)
    }
}
