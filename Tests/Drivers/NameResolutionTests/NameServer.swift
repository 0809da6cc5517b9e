// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Testing
import Vocabulary

/// A BIND 9 of a test's own: it serves the root zone to this host, at a port of its own, and takes updates; with a key,
/// only those that are signed with it.
final class NameServer {
    /// Debian's package bind9 has it; ./check installs that.
    static let isInstalled = access(program, X_OK) == 0
    private static let program = "/usr/sbin/named"
    private static let watchdog = TimeSpan(seconds: 60)

    let directory: String
    let port: UInt16
    /// A file with the key that it wants; empty: none.
    let key: [UInt8]
    private let process: ProcessID

    init(withKey: Bool = false) throws {
        directory = try NameServer.makeDirectory()
        port = try NameServer.freePort()
        if withKey {
            let path = directory + "/key"
            // As tsig-keygen writes it.
            try NameServer.write(
                "key \"test\" {\n\talgorithm hmac-sha256;\n\tsecret \"bWFueSBieXRlcyB0aGF0IG5vYm9keSBrbm93cyE=\";\n};\n",
                path)
            key = Array(path.utf8)
        } else {
            key = []
        }
        try NameServer.write(
            """
            \(withKey ? "include \"\(directory)/key\";" : "")
            options {
                directory "\(directory)"; pid-file none; session-keyfile none;
                listen-on port \(port) { 127.0.0.1; }; listen-on-v6 port \(port) { ::1; };
                recursion no; dnssec-validation no; notify no; empty-zones-enable no; lock-file none;
            };
            controls { };
            zone "." { type primary; file "\(directory)/root"; allow-update { \(withKey ? "key test" : "localhost"); }; };

            """, directory + "/conf")
        try NameServer.write(
            """
            $TTL 60
            . IN SOA ns.test. root.test. 1 60 60 60 1
            . IN NS ns.test.
            ns.test. IN A 127.0.0.1

            """, directory + "/root")
        let arguments = ["named", "-g", "-c", directory + "/conf", "-n", "1", "-p", "\(port)"]
        let spawn = Spawn(path: Array(NameServer.program.utf8), arguments: arguments.map { Array($0.utf8) })
        let log = cl_open(directory + "/log", O_RDWR | O_CREAT, 0o600)
        defer { cl_close(log) }
        // Its error output is the log.
        process = try NameServer.start(spawn, log)
        let end = Clock.now() + NameServer.watchdog
        while !NameServer.text(directory + "/log").contains("all zones loaded") {
            guard Clock.now() < end, waitpid(process.rawValue, nil, WNOHANG) == 0 else {
                Issue.record("named does not run: \(NameServer.text(directory + "/log"))")
                throw Failure.timedOut
            }
            cl_sleep_nanoseconds(10_000_000)
        }
    }

    deinit {
        kill(process.rawValue, SIGKILL)
        _ = waitpid(process.rawValue, nil, 0)
        for name in ["key", "conf", "root", "root.jnl", "log", "managed-keys.bind", "managed-keys.bind.jnl"] {
            unlink(directory + "/" + name)
        }
        rmdir(directory)
    }

    func address(_ family: DatagramAddress.Family) -> DatagramAddress { .loopback(family, port: port) }

    /// A thread's children end with it, and threads of tests come and go, so it is no `Spawn.start`.
    private static func start(_ spawn: Spawn, _ log: Int32) throws -> ProcessID {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, log, 1)
        posix_spawn_file_actions_adddup2(&actions, log, 2)
        let words = spawn.arguments.map { strdup($0.map(CChar.init(bitPattern:)) + [0]) }
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let error = posix_spawn(&process, program, &actions, nil, words + [nil], [nil])
        guard error == 0 else { throw Failure(errno: error) }
        return ProcessID(process)
    }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/ouroboros-names-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(errno: cl_errno()) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func write(_ text: String, _ path: String) throws {
        let file = cl_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw Failure(result: Int(file)) }
        defer { cl_close(file) }
        _ = Array(text.utf8).withUnsafeBytes { cl_write_all(file, $0.baseAddress, $0.count) }
    }

    private static func text(_ path: String) -> String {
        let file = cl_open(path, O_RDONLY, 0)
        guard file >= 0 else { return "" }
        defer { cl_close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func freePort() throws -> UInt16 { try SilentServer().port }
}

/// A socket that nobody reads from.
final class SilentServer {
    let port: UInt16
    private let socket: Descriptor

    init() throws {
        let number = CLinux.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw Failure(errno: cl_errno()) }
        socket = Descriptor(owning: number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(number, generic, count) == 0 ? getsockname(number, generic, &count) : -1
            }
        }
        guard result == 0 else { throw Failure(errno: cl_errno()) }
        port = UInt16(bigEndian: address.sin_port)
    }
}

extension DatagramAddress {
    static func loopback(_ family: Family, port: UInt16) -> DatagramAddress {
        family == .ipv4
            ? DatagramAddress(family: .ipv4, high: 0, low: 0x7f00_0001, port: port)
            : DatagramAddress(family: .ipv6, high: 0, low: 1, port: port)
    }
}
