// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Testing
import Vocabulary

/// An irmd of its own for a test, in a directory of its own. Everything it waits for has a watchdog.
final class RunningManager {
    let directory: String
    private(set) var process: ProcessID
    private let removesDirectory: Bool

    static let watchdog = TimeSpan(seconds: 120)

    /// Where the built programs are: beside the tests.
    static let programs: String = {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes.prefix(bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0), as: UTF8.self)
    }()

    /// Starts irmd and waits until it serves.
    init(in directory: String? = nil) throws {
        removesDirectory = directory == nil
        self.directory = try directory ?? RunningManager.makeDirectory()
        process = try RunningManager.spawn(
            "irmd", ["--stdout", "--log-level", "debug", "--runtime-dir", self.directory],
            log: self.directory + "/log", runtimeDirectory: self.directory)
        // It can be connected to before it has all the descriptors that it keeps, which tests count; and the log may
        // begin with what an irmd before it said.
        try waitForLog("daemon started...")
        try waitUntil("irmd serves") { (try? MessageSocket.connect(path: socketPath)) != nil }
    }

    deinit {
        if isAlive { kill(process.rawValue, SIGKILL) }
        _ = waitpid(process.rawValue, nil, 0)
        guard removesDirectory else { return }
        for name in ["log", RuntimeDirectory.lockName, RuntimeDirectory.socketName] { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    var socketPath: String { directory + "/" + RuntimeDirectory.socketName }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/irmd-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(errno: cl_errno()) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func spawn(
        _ program: String, _ arguments: [String], log: String? = nil, runtimeDirectory: String
    ) throws -> ProcessID {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, log ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The threads of tests block signals, which children would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let path = program.hasPrefix("/") ? program : programs + "/" + program
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables =
            [strdup("\(RuntimeDirectory.variable)=\(runtimeDirectory)"), strdup("PATH=/usr/bin:/bin"), nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, path, &actions, &attributes, words, variables)
        guard result == 0 else { throw Failure(errno: result) }
        return ProcessID(pid)
    }

    private var isAlive: Bool { kill(process.rawValue, 0) == 0 }

    /// What irmd and its IPCPs have logged so far.
    var log: String {
        let file = cl_open(directory + "/log", O_RDONLY, 0)
        guard file >= 0 else { return "" }
        defer { cl_close(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &part, part.count)
            guard count > 0 else { break }
            bytes += part.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func waitForLog(_ text: String) throws { try waitUntil("the log says \(text)") { log.contains(text) } }

    /// The exit status, once it has ended.
    static func status(of process: ProcessID) throws -> ProcessHandle.Ending {
        var ending: ProcessHandle.Ending?
        try waitUntil("\(process) ends") {
            ending = ProcessHandle.reap(process)
            return ending != nil
        }
        return try #require(ending)
    }

    func end(_ signal: Int32) throws -> ProcessHandle.Ending {
        kill(process.rawValue, signal)
        return try RunningManager.status(of: process)
    }

    /// Another irmd after this one has ended.
    func restart() throws -> RunningManager { try RunningManager(in: directory) }

    func connect(_ role: ConnectionRole) throws -> Client { try Client(socketPath, role) }

    func manage(_ request: ManagementRequest) throws -> ManagementResult {
        let client = try connect(.management)
        try client.send(.manage(RequestID(1), request))
        switch try client.receive() {
        case .result(_, let result)?: return result
        case .failed(_, let failure, let reason)?: throw ManagementFailure(failure: failure, reason: printable(reason))
        default: throw Failure.manager
        }
    }
}

struct ManagementFailure: Error {
    let failure: Failure
    let reason: String
}

/// Looks again and again; fails when the watchdog barks.
func waitUntil(_ what: String, _ condition: () -> Bool) throws {
    let limit = Clock.now() + RunningManager.watchdog
    while !condition() {
        guard Clock.now() < limit else {
            Issue.record("waited in vain until \(what)")
            throw Failure.timedOut
        }
        cl_sleep_nanoseconds(1_000_000)
    }
}

/// A connection to irmd that speaks the protocol, or does not.
final class Client {
    let socket: Descriptor
    private(set) var welcome: Welcome?
    /// Those of the last message.
    private(set) var descriptors: [Int32] = []

    init(raw path: String) throws { socket = try MessageSocket.connect(path: path) }

    init(_ path: String, _ role: ConnectionRole, features: Features = []) throws {
        socket = try MessageSocket.connect(path: path)
        try send(.hello(Hello(role: role, features: features)))
        guard case .welcome(let welcome)? = try receive() else { throw Failure.manager }
        self.welcome = welcome
    }

    deinit { for descriptor in descriptors { cl_close(descriptor) } }

    func send(_ message: ProcessMessage) throws { try send(bytes: message.encoded()) }
    func send(bytes: [UInt8]) throws { try MessageSocket.send(bytes, on: socket.number) }

    /// Nil at the end of the connection.
    func receive() throws -> ManagerMessage? {
        guard cl_poll_one(socket.number, Int16(POLLIN), 30_000, nil, nil) == 1 else {
            Issue.record("waited in vain for a message")
            throw Failure.timedOut
        }
        for descriptor in descriptors { cl_close(descriptor) }
        descriptors = []
        return try read().map { bytes in try ManagerMessage(decoding: bytes) }
    }

    /// The bytes of a message; keeps its descriptors.
    private func read() throws -> [UInt8]? {
        do throws(Failure) {
            return keep(try MessageSocket.receive(on: socket.number))
        } catch {
            guard error == Failure(errno: ECONNRESET) else { throw error }
            return nil
        }
    }

    private func keep(_ arrival: consuming MessageSocket.Arrival?) -> [UInt8]? {
        guard var arrival else { return nil }
        while let descriptor = arrival.takeDescriptor() { descriptors.append(descriptor.release()) }
        return arrival.bytes
    }

    func offer() throws -> FlowOffer {
        let message = try receive()
        guard case .offer(_, let offer)? = message else {
            Issue.record("no offer: \(String(describing: message))")
            throw Failure.manager
        }
        return offer
    }
}
