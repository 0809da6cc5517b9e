// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Testing
import Vocabulary

@Suite struct ChildTests {
    private func reap(_ process: ProcessID) -> Int32 {
        var status: Int32 = 0
        return waitpid(process.rawValue, &status, 0) == process.rawValue && cl_exited(status)
            ? cl_exit_status(status) : -1
    }

    @Test("a program that cannot be executed is an error with its reason, and leaves no child")
    func missing() {
        for (path, failure) in [
            ("/nonexistent/program", Failure.noEntry), ("/etc/passwd", .accessDenied), ("/", .accessDenied),
        ] {
            let spawn = Spawn(path: Array(path.utf8), arguments: [[97]])
            #expect(throws: RefusedCall("execve", failure)) { try spawn.start() }
        }
    }

    @Test("what it writes comes through its pipe; it has a session of its own and nothing else that is open here")
    func streams() throws {
        var ends: [Int32] = [-1, -1]
        try #require(cl_output_pipe(&ends) == 0)
        // Open here, and not to be inherited, although it says that it is.
        let open = dup(0)
        let script =
            "umask; ls /proc/self/fd | wc -l; test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo leads; echo wrong >&2"
        var spawn = Spawn(path: Array("/bin/sh".utf8), arguments: ["sh", "-c", script].map { Array($0.utf8) })
        spawn.environment = [Array("PATH=/usr/bin:/bin".utf8)]
        let process = try spawn.start(Spawn.Streams(output: ends[1]))
        cl_close(ends[1])
        #expect(reap(process) == 0)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(ends[0], &bytes, bytes.count)
        // ls has its directory open, too.
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "0022\n4\nleads\nwrong\n")
        cl_close(open)
        cl_close(ends[0])
    }

    @Test("a foreign program gets the environment of its account")
    func account() throws {
        var ends: [Int32] = [-1, -1]
        try #require(cl_output_pipe(&ends) == 0)
        var spawn = Spawn(path: Array("/usr/bin/env".utf8), arguments: [Array("env".utf8)])
        spawn.environment = [Array("ONE=1".utf8)]
        spawn.isForeign = true
        let process = try spawn.start(Spawn.Streams(output: ends[1]))
        cl_close(ends[1])
        #expect(reap(process) == 0)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(ends[0], &bytes, bytes.count)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        let names = lines.map { $0.prefix { $0 != "=" } }
        #expect(Set(names) == ["ONE", "HOME", "SHELL", "USER", "LOGNAME"])
        cl_close(ends[0])
    }

    @Test("a lock file is closed to others, and one that others could open is replaced")
    func locks() throws {
        var template = Array("/tmp/lock-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = Descriptor(owning: cl_open_directory(path))
        let file = path + "/lock"
        defer {
            unlink(file)
            rmdir(path)
        }
        // A stranger holds the lock of a file that everybody can read.
        let stranger = Descriptor(owning: cl_open(file, O_RDWR | O_CREAT, 0o644))
        chmod(file, 0o644)
        #expect(flock(stranger.number, LOCK_EX | LOCK_NB) == 0)
        do {
            let lock = try LockFile("lock", in: directory.number)
            var isInPlace = lock.isInPlace
            #expect(isInPlace)
            #expect(try FileIdentity("lock", in: directory.number).mode & 0o777 == 0o600)
            #expect(throws: LockFile.Refusal.self) { _ = try LockFile("lock", in: directory.number).isInPlace }
            // Somebody tidies, and another file comes in its place, which is not ours to remove.
            unlink(file)
            isInPlace = lock.isInPlace
            #expect(!isInPlace)
            cl_close(cl_open(file, O_RDWR | O_CREAT, 0o600))
            isInPlace = lock.isInPlace
            #expect(!isInPlace)
        }
        #expect(access(file, F_OK) == 0)
    }

    @Test("every number of an error has words")
    func words() {
        for number in Array(1...133).filter({ $0 != 41 && $0 != 58 }) + Array(1_000...1_009) {
            let text = Failure(errno: Int32(number)).description
            #expect(!text.isEmpty && !text.hasSuffix("error \(number)"), "\(number): \(text)")
        }
        for number in [0, 41, 134, 999, 1_010, -1, Int32.max, Int32.min] {
            #expect(Failure(errno: number).description == "unknown error \(number)")
        }
    }
}
