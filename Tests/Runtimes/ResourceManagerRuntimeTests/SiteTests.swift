// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Testing
import Vocabulary

/// Somebody else tidies the runtime directory.
@Suite struct SiteTests {
    private func answers(_ manager: RunningManager) -> Bool {
        guard case .status(let status)? = try? manager.manage(.status) else { return false }
        return status.process == manager.process
    }

    /// Another irmd in the directory, which shall not run.
    private func isRefused(_ manager: RunningManager) throws -> Bool {
        let other = try RunningManager.spawn(
            "irmd", ["--stdout", "--runtime-dir", manager.directory], runtimeDirectory: manager.directory)
        guard case .exited(1) = try RunningManager.status(of: other) else { return false }
        return true
    }

    @Test(
        "what is removed is made again, and the log says so; meanwhile no second irmd takes the place",
        arguments: [["irm.lock"], ["irm.sock"], ["irm.lock", "irm.sock"], ["irm.sock", "irm.lock"]])
    func removed(names: [String]) throws {
        let manager = try RunningManager()
        for name in names { unlink(manager.directory + "/" + name) }
        #expect(try isRefused(manager))
        for name in names { try manager.waitForLog("\(name) was removed, it is made again.") }
        try waitUntil("it can be reached") { answers(manager) }
        #expect(try isRefused(manager))
        #expect(answers(manager))
        guard case .exited(0) = try manager.end(SIGTERM) else {
            Issue.record("not in order")
            return
        }
        #expect(access(manager.socketPath, F_OK) != 0)
        #expect(access(manager.directory + "/irm.lock", F_OK) != 0)
    }

    @Test("a second irmd takes no place of a first one that is stopped, whatever was removed")
    func stopped() throws {
        let manager = try RunningManager()
        kill(manager.process.rawValue, SIGSTOP)
        for name in ["irm.lock", "irm.sock"] {
            unlink(manager.directory + "/" + name)
            #expect(try isRefused(manager))
        }
        kill(manager.process.rawValue, SIGCONT)
        try waitUntil("it can be reached") { answers(manager) }
    }

    @Test("a socket of another process in its place is neither removed nor replaced")
    func foreign() throws {
        let manager = try RunningManager()
        unlink(manager.socketPath)
        // Perhaps irmd is faster; then this one comes in its place.
        var listener: Int32 = -1
        try waitUntil("the other one listens") {
            unlink(manager.socketPath)
            listener = cl_listen(manager.socketPath, 0o600)
            return listener >= 0
        }
        try manager.waitForLog("No new connections can reach this irmd")
        _ = try manager.end(SIGTERM)
        #expect(access(manager.socketPath, F_OK) == 0)
        cl_close(listener)
        unlink(manager.socketPath)
    }

    @Test("a directory that is removed is made again; one that takes its place is moved into")
    func directory() throws {
        let parent = try RunningManager.makeDirectory()
        let path = parent + "/run"
        let log = parent + "/log"
        let process = try RunningManager.spawn(
            "irmd", ["--stdout", "--runtime-dir", path], log: log, runtimeDirectory: path)
        let reaches = { (try? MessageSocket.connect(path: path + "/irm.sock")) != nil }
        try waitUntil("irmd serves", reaches)
        for name in ["irm.sock", "irm.lock"] { unlink(path + "/" + name) }
        // Perhaps irmd is faster, and the directory not empty.
        rmdir(path)
        try waitUntil("irmd serves again", reaches)
        try #require(rename(path, parent + "/moved") == 0)
        try waitUntil("irmd serves where it should", reaches)
        try waitUntil("what it has left elsewhere is removed") {
            access(parent + "/moved/irm.lock", F_OK) != 0 && access(parent + "/moved/irm.sock", F_OK) != 0
        }
        kill(process.rawValue, SIGTERM)
        guard case .exited(0) = try RunningManager.status(of: process) else {
            Issue.record("not in order")
            return
        }
        for name in ["/moved/irm.sock", "/log"] { unlink(parent + name) }
        for name in ["/moved", "/run", ""] { rmdir(parent + name) }
    }
}
