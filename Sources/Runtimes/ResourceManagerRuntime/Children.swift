// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// The processes that irmd started, and those that are about to run their program.
struct Children {
    enum Purpose {
        case ipcp(IPCPName, IPCPType)
        case program(StartID, ProgramStart)
    }

    final class Child {
        let process: ProcessID
        let purpose: Purpose
        /// Of an IPCP.
        var channel: Port?
        /// Nil: its program runs.
        private(set) var beginning: Spawn.Beginning?
        /// By when its program shall run.
        let deadline: Instant
        /// Of a program.
        var output: ProgramOutput?

        init(_ purpose: Purpose, _ beginning: Spawn.Beginning) {
            process = beginning.process
            self.purpose = purpose
            self.beginning = beginning
            deadline = Clock.now() + Limits.executionTimeout
        }

        func started() { beginning = nil }

        /// It is ours and not reaped, so the pid is still its own.
        func signal(_ number: Int32) { _ = cl_kill(process.rawValue, number) }
    }

    private let options: ManagerOptions
    private let runtimeDirectory: [UInt8]
    /// Where irmd itself is, and so the IPCP daemons.
    private let directory: [UInt8]
    private var children: [ProcessID: Child] = [:]
    /// Those whose program does not run yet.
    private var starting: Set<ProcessID> = []

    init(_ options: ManagerOptions, in runtimeDirectory: [UInt8]) {
        self.options = options
        self.runtimeDirectory = runtimeDirectory
        let executable = ProcessFacts.readLink("/proc/self/exe") ?? Array("/usr/sbin/irmd".utf8)
        directory = Array(executable.prefix(executable.lastIndex(of: UInt8(ascii: "/")) ?? 0))
    }

    subscript(process: ProcessID) -> Child? { children[process] }

    mutating func remove(_ process: ProcessID) -> Child? {
        starting.remove(process)
        return children.removeValue(forKey: process)
    }

    // Programs that do not run yet.

    /// When the first of them shall run.
    var areStarting: Bool { !starting.isEmpty }
    var deadline: Instant? { starting.lazy.compactMap { children[$0]?.deadline }.min() }

    func isStarting(_ process: ProcessID) -> Bool { starting.contains(process) }

    func late(now: Instant) -> [ProcessID] {
        starting.filter { process in children[process].map { $0.deadline <= now } ?? false }
    }

    mutating func started(_ process: ProcessID) {
        starting.remove(process)
        children[process]?.started()
    }

    struct NotSpawned: Error {
        let failure: Failure
        let reason: String
    }

    /// The path of the daemon of this type.
    func path(of type: IPCPType) -> [UInt8] { directory + Array("/\(type.daemon)".utf8) }

    mutating func spawnIPCP(_ name: IPCPName, _ type: IPCPType) throws(NotSpawned) -> Child {
        let path = path(of: type)
        // All else is said by the call that starts it.
        guard withCString(path, { access($0, X_OK) }) == 0 || cl_errno() != ENOENT else { throw notInstalled(type) }
        var ends: [Int32] = [-1, -1]
        let result = cl_socketpair_seqpacket(&ends)
        guard result == 0 else { throw notSpawned(type, RefusedCall("socketpair", Failure(result: Int(result)))) }
        // An IPCP sends none; see `FlowStore`.
        _ = cl_refuse_descriptors(ends[0])
        let ours = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        var arguments = [path, Array("--name".utf8), name.bytes]
        if options.toStandardOutput { arguments.append(Array("--stdout".utf8)) }
        if options.tellsTime { arguments.append(Array("--log-time".utf8)) }
        arguments += [Array("--log-level".utf8), Array(options.level.name.utf8)]
        arguments += ["--color", options.colour.rawValue].map { Array($0.utf8) }
        let spawn = Spawn(
            path: path, arguments: arguments, environment: ChildEnvironment.variables(runtimeDirectory))
        do throws(RefusedCall) {
            let child = try begin(.ipcp(name, type), spawn, Spawn.Streams(channel: theirs.number))
            child.channel = Port(
                child.process, of: UserID(geteuid()), token: ManagerDaemon.Source.channel.token(child.process),
                blockedInterest: [.readable, .writable], ours)
            return child
        } catch {
            throw notSpawned(type, error)
        }
    }

    private func notInstalled(_ type: IPCPType) -> NotSpawned {
        NotSpawned(
            failure: .ipcpType,
            reason: "\(type.daemon) is not installed in \(printable(directory)); install it beside irmd to have layers"
                + " of type \(type.name)")
    }

    func notSpawned(_ type: IPCPType, _ refused: RefusedCall) -> NotSpawned {
        NotSpawned(failure: refused.failure, reason: "\(printable(path(of: type))) could not be started: \(refused)")
    }

    mutating func spawnProgram(_ start: StartID, _ program: ProgramStart) throws(RefusedCall) -> Child {
        var spawn = Spawn(
            path: program.path, arguments: [program.path] + program.arguments,
            environment: ChildEnvironment.variables(runtimeDirectory))
        spawn.directory = program.directory.isEmpty ? nil : program.directory
        spawn.isForeign = true
        if geteuid() == 0 {
            spawn.identity = Spawn.Identity(user: program.user, group: program.group, groups: program.groups)
        } else {
            // Only root can start programs for others.
            guard program.user == UserID(geteuid()) else { throw RefusedCall("setuid", .notPermitted) }
        }
        var ends: [Int32] = [-1, -1]
        let result = cl_output_pipe(&ends)
        guard result == 0 else { throw RefusedCall("pipe", Failure(result: Int(result))) }
        let ours = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        let child = try begin(.program(start, program), spawn, Spawn.Streams(output: theirs.number))
        child.output = ProgramOutput(of: child.process, program.user, program.path, ours)
        return child
    }

    private mutating func begin(
        _ purpose: Purpose, _ spawn: Spawn, _ streams: Spawn.Streams
    ) throws(RefusedCall) -> Child {
        let child = Child(purpose, try spawn.begin(streams))
        children[child.process] = child
        starting.insert(child.process)
        return child
    }
}
