// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import CLinux
import Cryptography
import DequeModule
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// irmd: one thread, one loop, around the machine `ResourceManager`. It turns what the kernel says into events, and
/// actions into system calls; what should happen is decided by the machine alone.
final class ManagerDaemon {
    let log: Log
    var site: RuntimeSite
    let signals: SignalSource
    var loop: EventLoop

    var machine: ResourceManager
    var actions: [ManagerAction] = []
    private var authenticator: Authenticator<RequestDigest>
    /// Outcomes of actions, to be handled before anything else, with the user whose doing they are.
    private var outcomes = Deque<(event: ManagerEvent, culprit: UserID?)>()
    /// The user whose doing it is that is handled now; nil if that cannot be said.
    var culprit: UserID?
    var isHandling = false
    var hasEnded = false

    var ports: [ConnectionID: Port] = [:]
    var nextConnection: UInt64 = 1
    /// False while there are no descriptors for more connections.
    var isListening = true
    var listenAgainAt: Instant?
    /// That connections cannot be accepted.
    var lastComplaint = Instant(nanoseconds: 0)
    let closing: DescriptorClosing
    let inquiries = ProgramInquiries()
    var watches: [ProcessID: ProcessHandleBox] = [:]
    /// Those of which there is no descriptor that tells of their death.
    var unseen: Set<ProcessID> = []
    /// When to look at them.
    var nextLook: Instant?
    /// Attached processes of other PID namespaces, by the numbers that they have there.
    var contained: [ProcessFacts.ContainedNumber: ProcessID] = [:]
    /// The process that the message being handled comes from or names, if it is to be watched.
    var found: ProcessHandleBox?
    var children: Children
    /// More may have ended than were reaped in one turn.
    var mayHaveEndedChildren = false
    var outputs: [UInt64: ProgramOutput] = [:]
    var nextOutput: UInt64 = 1
    var flows = FlowStore()
    var limit = LineLimit<LineSource>()
    var hostLines = HostLines()
    /// When to look after the runtime directory and the log.
    private var nextRound: Instant

    /// What a token of the loop stands for: its upper byte; the rest is the number.
    enum Source: UInt64 {
        case listener = 0
        case signals
        case connection
        case watch
        case start
        case channel
        case output
        case site
        case inquiries

        func token(_ number: UInt64 = 0) -> UInt64 { rawValue << 56 | number }
        func token(_ process: ProcessID) -> UInt64 { token(UInt64(UInt32(bitPattern: process.rawValue))) }
    }

    init(_ options: ManagerOptions, _ log: Log, _ site: consuming RuntimeSite) throws(RefusedCall) {
        let signals = try SignalSource(SignalSource.ending + [SIGCHLD])
        let loop = try EventLoop()
        machine = ResourceManager(
            ManagerIdentity(
                process: ProcessID(getpid()), user: UserID(geteuid()), managers: ManagerDaemon.managers(),
                incarnation: try Entropy.word(), runtimeDirectory: site.path, started: Clock.now(),
                queueBytesPerUser: options.queueBytesPerUser, connections: ManagerDaemon.connections()),
            hashing: DirectoryHashing(), seed: try Entropy.word())
        authenticator = Authenticator(RequestDigest(), seed: try Entropy.word())
        children = Children(options, in: site.path)
        nextRound = Clock.now()
        closing = DescriptorClosing(listener: site.listener)
        self.log = log
        self.site = site
        self.signals = signals
        self.loop = loop
        try RefusedCall.named("epoll_ctl") { () throws(Failure) in
            try self.loop.add(self.signals.descriptor.number, token: Source.signals.token())
            if let answers = inquiries.descriptor { try self.loop.add(answers, token: Source.inquiries.token()) }
            try addSite()
        }
    }

    /// A connection takes up to four descriptors: its own, that of its process, a segment and a part of a link that are under
    /// way.
    private static func connections() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 256 }
        return max(16, Int(clamping: limit.rlim_cur) / 4)
    }

    /// Serves until the machine says that all is done.
    func serve() {
        var ready: [EventLoop.Readiness] = []
        while !hasEnded {
            loop.wait(until: mayHaveEndedChildren ? Clock.now() : deadline, into: &ready)
            for readiness in ready { attend(to: readiness) }
            ready.removeAll(keepingCapacity: true)
            if mayHaveEndedChildren {
                mayHaveEndedChildren = false
                reap()
            }
            let now = Clock.now()
            if children.areStarting, let deadline = children.deadline, deadline <= now { giveUpStarts(now: now) }
            if nextRound <= now { makeRound(now) }
            if let nextLook, nextLook <= now { lookAtUnseen(now) }
            if let deadline = machine.deadline, deadline <= now { handle(.timeout) }
            if let listenAgainAt, listenAgainAt <= now { listenAgain() }
        }
    }

    /// Asked before each sleep, so that it makes no array and copies no table.
    private var deadline: Instant {
        var earliest = nextRound
        if let deadline = machine.deadline, deadline < earliest { earliest = deadline }
        if let listenAgainAt, listenAgainAt < earliest { earliest = listenAgainAt }
        if let nextLook, nextLook < earliest { earliest = nextLook }
        if children.areStarting, let deadline = children.deadline, deadline < earliest { earliest = deadline }
        return earliest
    }

    private func attend(to readiness: EventLoop.Readiness) {
        let number = readiness.token & (1 << 56 - 1)
        let process = ProcessID(Int32(truncatingIfNeeded: number))
        switch Source(rawValue: readiness.token >> 56) {
        case .listener: acceptConnections()
        case .signals: receiveSignal()
        case .connection: attend(to: ConnectionID(number), readiness)
        // What is ready may be the handle of an earlier process of this number.
        case .watch:
            if let watch = watches[process], watch.handle.isOver { handle(.died(process), of: watch.user) }
        case .start: settleStart(of: process)
        case .channel: attendToChannel(of: process, readiness)
        case .output: readOutput(number)
        case .inquiries: takeFindings()
        case .site:
            site.forgetChanges()
            lookAfterSite()
        case nil: break
        }
    }

    private func receiveSignal() {
        switch signals.next() {
        case nil: break
        case SIGCHLD?: reap()
        case _?: stop()
        }
    }

    /// Now and then.
    private func makeRound(_ now: Instant) {
        lookAfterSite()
        tellSuppressed(now)
        nextRound = now + (site.watch == nil ? Limits.siteIntervalUnwatched : Limits.siteInterval)
    }

    private func stop() {
        cl_notify_service_manager("STOPPING=1")
        handle(.stop)
    }

    /// Tells the machine what follows from what is handled now, as soon as that is done.
    func tell(_ event: ManagerEvent) { outcomes.append((event, culprit)) }

    /// Tells the machine and does what it says, until there is nothing more that follows from it.
    func handle(_ event: ManagerEvent, of user: UserID? = nil) {
        outcomes.append((event, user ?? culprit))
        // Called while something is handled, this is an outcome like others.
        guard !isHandling else { return }
        isHandling = true
        let before = culprit
        defer {
            isHandling = false
            culprit = before
        }
        while let next = outcomes.popFirst() {
            culprit = next.culprit
            machine.handle(next.event, now: Clock.now(), into: &actions)
            for action in actions { perform(action) }
            actions.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ action: ManagerAction) {
        switch action {
        case .report(let report): write(report)
        case .send(let message, let connection): send(message, on: connection)
        case .offer(let offer, let request, let connection): send(offer, request, on: connection)
        case .sendFlows(let listed, let total, let request, let connection):
            send(.result(request, .flows(listed.map(flows.counted), total: total)), on: connection)
        case .sendFlow(let listed, let client, let server, let request, let connection):
            let result = ManagementResult.flow(flows.counted(listed), client: client, server: server)
            send(.result(request, result), on: connection)
        case .drop(let connection): close(connection)
        case .watch(let process): watch(process)
        case .unwatch(let process): unwatch(process)
        case .createFlowMemory(let flow, let place, let provider): create(flow, at: place, provider)
        case .releaseSegment(let flow): flows.releaseSegment(flow)
        case .releaseLinkSocket(let link, let end): flows.releaseSocket(link, end)
        case .releaseLink(let link): flows.releaseLink(link)
        case .markGone(let link, let slot, let end, let linkEnd): flows.markGone(link, slot, end, linkEnd: linkEnd)
        case .resetSlot(let link, let slot): flows.reset(link, slot)
        case .spawnIPCP(let name, let type): spawnIPCP(name, type)
        case .spawnProgram(let start, let program): spawnProgram(start, program)
        case .signal(let process, let signal):
            children[process]?.signal(signal == .terminate ? SIGTERM : SIGKILL)
        case .request(let request, let process): send(request, to: process)
        case .closeChannel(let process): closeChannel(of: process)
        case .authenticate(let id, let task):
            tell(.authenticated(id, authenticator.perform(task, now: Clock.wallTime())))
        case .exit: hasEnded = true
        }
    }

    private func create(_ flow: FlowID, at place: LinkPlace, _ provider: End?) {
        do throws(RefusedCall) {
            try flows.create(flow, at: place, provider)
            tell(.flowMemoryCreated(flow))
        } catch {
            write(.error, .memory, "irmd", "The memory of a flow cannot be made: \(error). \(advice(error.failure))")
            // Whatever forbids it is none of the client's rights.
            tell(.flowMemoryFailed(flow, error.failure.isOfDescriptors ? error.failure : .outOfMemory))
        }
    }

    func advice(_ failure: Failure) -> String {
        switch failure {
        case .tooManyDescriptors: "Raise the limit of open files (ulimit -n, LimitNOFILE=)."
        case .tableFull: "Raise the limit of open files of the host (sysctl fs.file-max)."
        case .outOfMemory: "Free memory, or raise the limit of irmd (ulimit -v, MemoryMax=)."
        case Failure(errno: EFBIG): "Raise the limit of the size of files (ulimit -f, LimitFSIZE=)."
        default: "Allow it to irmd in the sandbox or container that it runs in."
        }
    }

    /// The group whose members may manage.
    private static func managers() -> GroupID? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        // Not on the stack, which may be small: all names of a group's members.
        let strings = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 65_536)
        defer { strings.deallocate() }
        guard let memory = strings.baseAddress,
            getgrnam_r("ouroboros", &entry, memory, strings.count, &found) == 0, found != nil
        else { return nil }
        return GroupID(entry.gr_gid)
    }
}

/// A process in a table.
final class ProcessHandleBox {
    let process: ProcessID
    let handle: ProcessHandle
    /// In a PID namespace of its own.
    var contained: ProcessFacts.ContainedNumber?
    /// Whose it is, if that is known.
    var user: UserID?

    init(_ process: ProcessID, _ handle: consuming ProcessHandle) {
        self.process = process
        self.handle = handle
    }
}

extension Failure {
    fileprivate var isOfDescriptors: Bool { self == .tooManyDescriptors || self == .tableFull }
}

private struct DirectoryHashing: NameHashing {
    func digest(of name: ServiceName, with algorithm: DirectoryHash) -> [UInt8] {
        NameDigest.of(name.bytes, with: algorithm)
    }
}
