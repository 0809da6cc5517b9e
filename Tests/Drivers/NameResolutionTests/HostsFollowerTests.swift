// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Shims
import Testing
import Vocabulary

@testable import NameResolution

/// What a hosts file may be, with whose rights it is read, and what becomes of it while it is followed.
@Suite struct HostsFollowerTests {
    private static let own = DatagramAddress.loopback(.ipv4, port: 3_435)
    private static let mine = FileRights(user: UserID(geteuid()), group: GroupID(getegid()))

    private func follower(_ path: String, by rights: FileRights = mine) -> HostsFollower {
        HostsFollower(path: Array(path.utf8), own: HostsFollowerTests.own, rights: rights)
    }

    /// In a directory of its own.
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = try NameServer.makeDirectory()
        let file = directory + "/hosts"
        defer {
            unlink(file)
            rmdir(file)
            rmdir(directory)
        }
        try body(file)
    }

    @Test(
        "what is no ordinary file is refused at once, without a byte of it being read",
        arguments: [
            "/dev/zero", "/dev/null", "/dev/tty", "/proc/self/status", "/proc/self/environ", "/proc/version",
            "/sys/kernel/mm/transparent_hugepage/enabled", "/tmp",
        ])
    func made(_ path: String) {
        guard access(path, F_OK) == 0 else { return }
        var follower = follower(path)
        #expect(follower.look() == .noHosts(.notRegular))
        #expect(follower.look() == nil)
    }

    @Test("nobody waits at a pipe or a socket, and no writer of the pipe is let go on")
    func pipe() throws {
        try inDirectory { path in
            #expect(mkfifo(path, 0o600) == 0)
            var follower = follower(path)
            #expect(follower.look() == .noHosts(.notRegular))
            unlink(path)
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            #expect(follower.look() == nil)
            unlink(path)
            try NameServer.write("127.0.0.2 a", path)
            guard case .hosts(let file)? = follower.look() else {
                Issue.record("a file is not read")
                return
            }
            #expect(file.count == 1)
            // A file that becomes a pipe: said once.
            unlink(path)
            #expect(mkfifo(path, 0o600) == 0)
            #expect(follower.look() == .noHosts(.notRegular))
            #expect(follower.look() == nil)
        }
    }

    @Test("a file that is too long is not read, however little is in it")
    func long() throws {
        try inDirectory { path in
            try NameServer.write("127.0.0.2 a", path)
            #expect(truncate(path, off_t(Limits.namedFileBytes) + 1) == 0)
            var follower = follower(path)
            #expect(follower.look() == .noHosts(.tooLong))
        }
    }

    @Test("who may not read a file names it in vain, and learns no more of it than by himself")
    func rights() throws {
        // Only root can become others.
        guard geteuid() == 0 else {
            var follower = follower("/etc/hostname", by: FileRights(user: .nobody, group: GroupID(65_534)))
            #expect(follower.look() == .noHosts(.foreignRights(user: UserID(geteuid()))))
            return
        }
        try inDirectory { path in
            try NameServer.write("127.0.0.2 secret\nvery secret words", path)
            chmod(path, 0o640)
            chown(path, 0, 7)
            chmod(path.dropLast(6) + "", 0o755)
            func look(_ rights: FileRights) throws -> DatagramLower.Event? {
                // Its thread has no other rights any more.
                let outcome = Outcome()
                let done = cl_eventfd()
                defer { cl_close(done) }
                try Thread.start {
                    var follower = self.follower(path, by: rights)
                    outcome.event = follower.look()
                    EventCounter.raise(done)
                }
                var poll = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
                #expect(CLinux.poll(&poll, 1, 60_000) == 1)
                return outcome.event
            }
            func user(_ groups: [UInt32]) -> FileRights {
                FileRights(user: UserID(12_345), group: GroupID(12_345), groups: groups.map(GroupID.init))
            }
            #expect(try look(user([])) == .noHosts(.failure(.accessDenied)))
            #expect(try look(user([0])) == .noHosts(.failure(.accessDenied)))
            guard case .hosts(let file)? = try look(user([7])) else {
                Issue.record("a member of the file's group cannot name it")
                return
            }
            #expect(file.count == 1)
            #expect(geteuid() == 0 && access(path, R_OK) == 0)
            // In a directory that he may not enter he does not learn what is there.
            chmod(path.dropLast(6) + "", 0o700)
            #expect(try look(user([7])) == .noHosts(.failure(.accessDenied)))
            unlink(path)
            #expect(try look(user([7])) == .noHosts(.failure(.accessDenied)))
        }
    }

    /// Written by a thread before it says that it is done.
    private final class Outcome: @unchecked Sendable {
        var event: DatagramLower.Event?
    }

    @Test("a user who asks for very many names leaves threads to the others")
    func lanes() throws {
        // Sockets that take questions and never answer.
        let silent = try DatagramSocket(bound: .loopback(.ipv4, port: 0))
        let resolution = try NameResolution { _, _ in }
        let label = Array("ab".utf8)
        func inquiry(_ user: UInt32) -> Inquiry {
            Inquiry(
                label: label, own: HostsFollowerTests.own, source: .server(silent.address), user: UserID(user))
        }
        for number in 0..<100 { resolution.resolve(ResolutionID(UInt64(number)), inquiry(1)) }
        resolution.resolve(ResolutionID(1_000), inquiry(2))
        // It comes among the first, and not behind all of the other user's.
        var before = 0
        while true {
            var poll = pollfd(fd: resolution.descriptor, events: Int16(POLLIN), revents: 0)
            guard CLinux.poll(&poll, 1, 60_000) == 1 else { throw Failure.timedOut }
            let ids = resolution.takeEvents().compactMap {
                if case .resolved(let id, _) = $0 { id.rawValue } else { nil }
            }
            if let place = ids.firstIndex(of: 1_000) {
                before += place
                break
            }
            before += ids.count
        }
        #expect(before <= Limits.resolvers)
    }
}
