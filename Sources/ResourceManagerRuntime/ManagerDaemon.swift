// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

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
    let site: RuntimeSite
    let signals: SignalSource
    var loop: EventLoop

    var machine: ResourceManager
    var actions: [ManagerAction] = []
    /// Outcomes of actions, to be handled before anything else.
    var outcomes = Deque<ManagerEvent>()
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
    var watches: [ProcessID: ProcessHandleBox] = [:]
    /// Attached processes of other PID namespaces, by the numbers that they have there.
    var contained: [ProcessFacts.Place: ProcessID] = [:]
    /// The process that the message being handled comes from or names, if it is to be watched.
    var found: ProcessHandleBox?
    var children: Children
    var flows = FlowStore()
    var warnings = WarningLimit()

    /// What a token of the loop stands for: its upper byte; the rest is the number.
    enum Source: UInt64 {
        case listener = 0
        case signals
        case connection
        case watch
        case child
        case channel

        func token(_ number: UInt64 = 0) -> UInt64 { rawValue << 56 | number }
        func token(_ process: ProcessID) -> UInt64 { token(UInt64(UInt32(bitPattern: process.rawValue))) }
    }

    init(_ options: ManagerOptions, _ log: Log, _ site: consuming RuntimeSite) throws(Failure) {
        let signals = try SignalSource(SignalSource.ending)
        let loop = try EventLoop()
        try loop.add(site.listener.number, token: Source.listener.token())
        try loop.add(signals.descriptor.number, token: Source.signals.token())
        machine = ResourceManager(
            ManagerIdentity(
                process: ProcessID(getpid()), user: UserID(geteuid()), managers: ManagerDaemon.managers(),
                incarnation: Entropy.word(), secret: Entropy.word(),
                runtimeDirectory: Array(site.directory.utf8), started: Clock.now(),
                queueBytesPerUser: options.queueBytesPerUser, connections: ManagerDaemon.connections()),
            hashing: DirectoryHashing(), digest: RequestDigest())
        children = Children(options, in: site.directory)
        closing = DescriptorClosing(listener: site.listener.number)
        self.log = log
        self.site = site
        self.signals = signals
        self.loop = loop
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
            let deadlines = [machine.deadline, listenAgainAt].compactMap { $0 }
            loop.wait(until: deadlines.min(), into: &ready)
            for readiness in ready { attend(to: readiness) }
            ready.removeAll(keepingCapacity: true)
            if let deadline = machine.deadline, deadline <= Clock.now() { handle(.timeout) }
            if let listenAgainAt, listenAgainAt <= Clock.now() { listenAgain() }
        }
    }

    private func attend(to readiness: EventLoop.Readiness) {
        let number = readiness.token & (1 << 56 - 1)
        let process = ProcessID(Int32(truncatingIfNeeded: number))
        switch Source(rawValue: readiness.token >> 56) {
        case .listener: acceptConnections()
        case .signals: if signals.next() != nil { stop() }
        case .connection: attend(to: ConnectionID(number), readiness)
        // What is ready may be the handle of an earlier process of this number.
        case .watch: if watches[process]?.handle.isOver == true { handle(.died(process)) }
        case .child: reap(process)
        case .channel: attendToChannel(of: process, readiness)
        case nil: break
        }
    }

    private func stop() {
        cl_notify_service_manager("STOPPING=1")
        handle(.stop)
    }

    /// Tells the machine and does what it says, until there is nothing more that follows from it.
    func handle(_ event: ManagerEvent) {
        outcomes.append(event)
        // Called while something is handled, this is an outcome like others.
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        while let next = outcomes.popFirst() {
            machine.wallTime = Clock.wallTime()
            machine.handle(next, now: Clock.now(), into: &actions)
            for action in actions { perform(action) }
            actions.removeAll(keepingCapacity: true)
        }
    }

    private func perform(_ action: ManagerAction) {
        switch action {
        case .report(let report): write(report.level, report.component, report.text)
        case .send(let message, let connection): send(message, on: connection)
        case .offer(let offer, let request, let connection): send(offer, request, on: connection)
        case .sendFlows(let listed, let total, let request, let connection):
            send(.result(request, .flows(listed.map(flows.counted), total: total)), on: connection)
        case .drop(let connection): close(connection)
        case .watch(let process): watch(process)
        case .unwatch(let process): unwatch(process)
        case .createFlowMemory(let flow, let link, let linkIsNew): create(flow, link, linkIsNew: linkIsNew)
        case .releaseSegment(let flow): flows.releaseSegment(flow)
        case .releaseLinkSocket(let link, let end): flows.releaseSocket(link, end)
        case .releaseLink(let link): flows.releaseLink(link)
        case .markGone(let link, let slot, let end, let linkEnd): flows.markGone(link, slot, end, linkEnd: linkEnd)
        case .resetSlot(let link, let slot): flows.reset(link, slot)
        case .spawnIPCP(let name, let type): spawnIPCP(name, type)
        case .spawnProgram(let start, let program): spawnProgram(start, program)
        case .signal(let process, let signal):
            children[process]?.handle.signal(signal == .terminate ? SIGTERM : SIGKILL)
        case .request(let request, let process): send(request, to: process)
        case .closeChannel(let process): closeChannel(of: process)
        case .exit: hasEnded = true
        }
    }

    private func create(_ flow: FlowID, _ link: LinkID, linkIsNew: Bool) {
        do throws(Failure) {
            try flows.create(flow, link, linkIsNew: linkIsNew)
            outcomes.append(.flowMemoryCreated(flow))
        } catch {
            outcomes.append(.flowMemoryFailed(flow, error))
        }
    }

    /// Warnings come from what others do, so they are limited.
    func write(_ level: LogLevel, _ component: String, _ text: @autoclosure () -> String) {
        guard level == .warning, level <= log.level else { return log.write(level, component, text()) }
        switch warnings.verdict(now: Clock.now()) {
        case .write: log.write(level, component, text())
        case .writeAfter(let suppressed):
            log.write(level, component, "\(suppressed) more warnings were not written.")
            log.write(level, component, text())
        case .suppress: break
        }
    }

    /// The group whose members may manage.
    private static func managers() -> GroupID? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { strings in
            guard let memory = strings.baseAddress,
                getgrnam_r("ouroboros", &entry, memory, strings.count, &found) == 0, found != nil
            else { return nil }
            return GroupID(entry.gr_gid)
        }
    }
}

/// A process in a table.
final class ProcessHandleBox {
    let process: ProcessID
    let handle: ProcessHandle
    /// In a PID namespace of its own.
    var place: ProcessFacts.Place?

    init(_ process: ProcessID, _ handle: consuming ProcessHandle) {
        self.process = process
        self.handle = handle
    }
}

private struct DirectoryHashing: NameHashing {
    func digest(of name: ServiceName, with algorithm: DirectoryHash) -> [UInt8] {
        NameDigest.of(name.bytes, with: algorithm)
    }
}
