// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// The processes that irmd started.
struct Children {
    final class Child {
        let handle: ProcessHandle
        /// Of an IPCP.
        var channel: Port?

        init(_ handle: consuming ProcessHandle) { self.handle = handle }
    }

    private let options: ManagerOptions
    private let runtimeDirectory: String
    /// Where irmd itself is, and so the IPCP daemons.
    private let directory: String
    private var children: [ProcessID: Child] = [:]

    init(_ options: ManagerOptions, in runtimeDirectory: String) {
        self.options = options
        self.runtimeDirectory = runtimeDirectory
        let executable = ProcessFacts.readLink("/proc/self/exe") ?? Array("/usr/sbin/irmd".utf8)
        directory = String(decoding: executable.prefix(executable.lastIndex(of: UInt8(ascii: "/")) ?? 0), as: UTF8.self)
    }

    subscript(process: ProcessID) -> Child? { children[process] }

    mutating func remove(_ process: ProcessID) -> Child? { children.removeValue(forKey: process) }

    struct NotSpawned: Error {
        let failure: Failure
        let reason: String
    }

    /// The path of the daemon of this type.
    func path(of type: IPCPType) -> String { directory + "/" + type.daemon }

    mutating func spawnIPCP(_ name: IPCPName, _ type: IPCPType) throws(NotSpawned) -> ProcessID {
        let path = path(of: type)
        guard access(path, X_OK) == 0 else {
            let failure = Failure(errno: cl_errno())
            let why = failure == .noEntry ? "is not installed in \(directory)" : "cannot be executed: \(failure)"
            throw NotSpawned(
                failure: failure == .noEntry ? .ipcpType : failure,
                reason: "\(type.daemon) \(why); install it beside irmd to have layers of type \(type.name)")
        }
        var ends: [Int32] = [-1, -1]
        let result = cl_socketpair_seqpacket(&ends)
        guard result == 0 else { throw notSpawned(path, Failure(result: Int(result))) }
        // An IPCP sends none; see `FlowStore`.
        _ = cl_refuse_descriptors(ends[0])
        let ours = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        var arguments = [Array(path.utf8), Array("--name".utf8), name.bytes]
        if options.toStandardOutput { arguments.append(Array("--stdout".utf8)) }
        arguments += [Array("--log-level".utf8), Array(options.level.name.utf8)]
        arguments += ["--color", options.colour.rawValue].map { Array($0.utf8) }
        let spawn = Spawn(
            path: Array(path.utf8), arguments: arguments, environment: ChildEnvironment.ofIPCP(runtimeDirectory))
        do throws(Failure) {
            let process = try start(spawn, channel: theirs.number)
            children[process]?.channel = Port(
                process, token: ManagerDaemon.Source.channel.token(process),
                blockedInterest: [.readable, .writable], ours)
            return process
        } catch {
            throw notSpawned(path, error)
        }
    }

    private func notSpawned(_ path: String, _ failure: Failure) -> NotSpawned {
        NotSpawned(failure: failure, reason: "\(path) could not be started: \(failure)")
    }

    mutating func spawnProgram(_ program: ProgramStart) throws(Failure) -> ProcessID {
        var spawn = Spawn(
            path: program.path, arguments: [program.path] + program.arguments,
            environment: ChildEnvironment.ofUser(program.user, runtimeDirectory))
        spawn.directory = program.directory.isEmpty ? nil : program.directory
        if geteuid() == 0 {
            spawn.identity = Spawn.Identity(user: program.user, group: program.group, groups: program.groups)
        } else {
            // Only root can start programs for others.
            guard program.user == UserID(geteuid()) else { throw .notPermitted }
        }
        return try start(spawn, channel: nil)
    }

    private mutating func start(_ spawn: Spawn, channel: Int32?) throws(Failure) -> ProcessID {
        let process = try spawn.start(channel: channel)
        do throws(Failure) {
            children[process] = Child(try ProcessHandle(process))
        } catch {
            // We would not learn of its end. It is ours and not reaped, so the pid is still its own.
            kill(process.rawValue, SIGKILL)
            waitpid(process.rawValue, nil, 0)
            throw error
        }
        return process
    }
}
