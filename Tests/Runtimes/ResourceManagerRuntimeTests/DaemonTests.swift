// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Testing
import Vocabulary

private func service(_ name: String) throws -> ServiceName { try #require(ServiceName(name)) }

@Suite struct DaemonTests {
    @Test("options: version, help, and what is wrong")
    func options() throws {
        let directory = try RunningManager.makeDirectory()
        defer { rmdir(directory) }
        for (arguments, status, text) in [
            (["--version"], Int32(0), "Ouroboros version 0.23.0 (commit "), (["--help"], 0, "Usage: irmd [OPTION]..."),
            (["-h"], 0, "Usage: irmd"),
            (["--nonsense"], 1, "irmd: Unknown option: --nonsense. Try \"irmd --help\".\n"),
            (["word"], 1, "Unknown argument: word."),
            (["--log-level", "loud"], 1, "\"loud\" is not a log level: use error, warning, info or debug."),
            (["--color", "x"], 1, "\"x\" is not a choice of colours: use auto, always or never."),
            (["--runtime-dir", directory + "/a/b"], 1, "cannot create"),
        ] {
            let log = directory + "/out"
            let process = try RunningManager.spawn("irmd", arguments, log: log, runtimeDirectory: directory)
            guard case .exited(status) = try RunningManager.status(of: process) else {
                Issue.record("\(arguments) ended otherwise")
                continue
            }
            #expect(contents(log).contains(text))
            unlink(log)
        }
    }

    private func contents(_ path: String) -> String {
        let file = cl_open(path, O_RDONLY, 0)
        defer { cl_close(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("one irmd in a directory, and another in another")
    func single() throws {
        let first = try RunningManager()
        let second = try RunningManager()
        #expect(first.process != second.process)
        let log = second.directory + "/log"
        let third = try RunningManager.spawn(
            "irmd", ["--stdout", "--runtime-dir", second.directory], log: log, runtimeDirectory: second.directory)
        guard case .exited(1) = try RunningManager.status(of: third) else {
            Issue.record("it runs")
            return
        }
        try second.waitForLog("IRMd already running (\(second.process)), exiting.")
        guard case .status(let status) = try second.manage(.status) else {
            Issue.record("no status")
            return
        }
        #expect(status.process == second.process)
        #expect(status.runtimeDirectory == Array(second.directory.utf8))
    }

    @Test("after SIGKILL the next irmd starts at once, and says what it found")
    func stale() throws {
        let first = try RunningManager()
        let before = try first.connect(.session).welcome
        _ = try first.end(SIGKILL)
        #expect(access(first.socketPath, F_OK) == 0)
        let second = try first.restart()
        try second.waitForLog("IRMd didn't properly shut down last time.")
        #expect(try second.connect(.session).welcome?.incarnation != before?.incarnation)
    }

    @Test("when irmd is killed, its IPCPs end too")
    func orphans() throws {
        let manager = try RunningManager()
        let ipcp = try createLayer(manager)
        _ = try manager.end(SIGKILL)
        // A zombie that nobody reaps has no program any more either.
        var byte: CChar = 0
        try waitUntil("the IPCP ends") { readlink("/proc/\(ipcp)/exe", &byte, 1) < 0 }
    }

    @Test("it ends in order: children first, nothing left", arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT])
    func end(signal: Int32) throws {
        let manager = try RunningManager()
        let ipcp = try createLayer(manager)
        guard case .exited(0) = try manager.end(signal) else {
            Issue.record("not in order")
            return
        }
        #expect(kill(ipcp.rawValue, 0) != 0)
        #expect(access(manager.socketPath, F_OK) != 0)
        #expect(access(manager.directory + "/" + RuntimeDirectory.lockName, F_OK) != 0)
        #expect(manager.log.contains("Ouroboros IPC Resource Manager daemon exited. Bye."))
    }

    private func createLayer(_ manager: RunningManager) throws -> ProcessID {
        let name = try #require(IPCPName("local-ipcp"))
        guard case .created(let ipcp) = try manager.manage(.createIPCP(name, .local)) else { throw Failure.ipcp }
        let layer = try #require(LayerName("local-layer"))
        _ = try manager.manage(
            .bootstrapIPCP(ipcp, LayerConfiguration(layer: layer, hash: .sha3x256, parameters: .local)))
        return ipcp
    }

    @Test("an IPCP that dies is gone from the list, and the log says it as an error")
    func ipcpDies() throws {
        let manager = try RunningManager()
        let ipcp = try createLayer(manager)
        _ = try manager.manage(
            .createName(NameSettings(name: try service("my_very_first_oping_server"), balancing: .roundRobin)))
        _ = try manager.manage(.registerName(try service("my_very_first_oping_server"), ipcp))
        try manager.waitForLog("as 5389e8f1.")
        kill(ipcp.rawValue, SIGKILL)
        try manager.waitForLog("irmd(EE): IPCP \(ipcp) (local-ipcp) died: killed by signal 9.")
        #expect(try manager.manage(.listIPCPs(from: 0)) == .ipcps([], total: 0))
    }

    @Test("a daemon that is not installed: the reason names it")
    func notInstalled() throws {
        let manager = try RunningManager()
        let name = try #require(IPCPName("u"))
        let error = #expect(throws: ManagementFailure.self) { try manager.manage(.createIPCP(name, .ethernetDIX)) }
        #expect(error?.failure == .ipcpType)
        #expect(error?.reason.contains("ipcpd-eth-dix is not installed in \(RunningManager.programs)") == true)
    }
}

@Suite struct FlowExchangeTests {
    @Test("a flow between two connections: the same segment and the two ends of one link")
    func exchange() throws {
        let manager = try RunningManager()
        _ = try manager.manage(.bindProcess(ProcessID(getpid()), try service("echo")))
        let session = try manager.connect(.session)
        let server = try manager.connect(.call)
        let client = try manager.connect(.call)
        try server.send(.accept(RequestID(1), timeout: nil))
        try client.send(.allocate(RequestID(2), try service("echo"), .raw, timeout: nil))
        let second = try server.offer()
        #expect(server.descriptors.count == 3)
        try server.send(.taken(second.flow))
        let first = try client.offer()
        #expect(client.descriptors.count == 3)
        #expect(first.flow == second.flow && first.slot == second.slot && first.linkEnd != second.linkEnd)

        let memory = server.descriptors.map { dup($0) }
        let segment = try SegmentMemory(mapping: Descriptor(owning: memory[0]), ringBytes: Int(second.ringBytes))
        segment.base.storeBytes(of: 42, as: UInt8.self)
        let same = try SegmentMemory(
            mapping: Descriptor(owning: dup(client.descriptors[0])), ringBytes: Int(first.ringBytes))
        #expect(same.base.load(as: UInt8.self) == 42)
        _ = try LinkMemory(mapping: Descriptor(owning: memory[1]))
        cl_close(memory[2])
        #expect(send(server.descriptors[2], "x", 1, 0) == 1)
        var byte: UInt8 = 0
        #expect(recv(client.descriptors[2], &byte, 1, 0) == 1)

        try client.send(.taken(first.flow))
        try session.send(.deallocate(first.flow))
        try session.send(.deallocate(first.flow))
        try manager.waitForLog("Completed deallocation of flow_id \(first.flow.rawValue) by process \(getpid()).")
        #expect(try manager.manage(.listFlows(from: 0)) == .flows([], total: 0))
    }

    @Test("the server is killed: the client is told through its session and through the link")
    func serverKilled() throws {
        let manager = try RunningManager()
        let server = try RunningManager.spawn("attached-process", ["serve"], runtimeDirectory: manager.directory)
        _ = try manager.manage(.bindProcess(server, try service("echo")))
        let session = try manager.connect(.session)
        let client = try manager.connect(.call)
        try client.send(.allocate(RequestID(2), try service("echo"), .raw, timeout: nil))
        let offer = try client.offer()
        let link = try LinkMemory(mapping: Descriptor(owning: dup(client.descriptors[1])))
        try client.send(.taken(offer.flow))
        kill(server.rawValue, SIGKILL)
        _ = try RunningManager.status(of: server)
        #expect(try session.receive() == .flowDown(offer.flow))
        let state = link.base + LinkLayout.slot(offer.slot) + SlotLayout.state(.second)
        #expect(state.load(as: UInt32.self) == EndState.gone)
        try manager.waitForLog("Dead process removed: \(server).")
        // And the name is served no more.
        try client.send(.allocate(RequestID(3), try service("echo"), .raw, timeout: nil))
        guard case .failed(RequestID(3), .ipcp, _)? = try client.receive() else {
            Issue.record("still served")
            return
        }
    }

    @Test("a server that takes nothing: the client's deadline is kept")
    func stubborn() throws {
        let manager = try RunningManager()
        let server = try RunningManager.spawn("attached-process", ["grab"], runtimeDirectory: manager.directory)
        defer {
            kill(server.rawValue, SIGKILL)
            _ = waitpid(server.rawValue, nil, 0)
        }
        _ = try manager.manage(.bindProcess(server, try service("echo")))
        let client = try manager.connect(.call)
        let begin = Clock.now()
        let patience = TimeSpan(milliseconds: 50)
        try client.send(.allocate(RequestID(2), try service("echo"), .raw, timeout: patience))
        guard case .failed(RequestID(2), .timedOut, _)? = try client.receive() else {
            Issue.record("not timed out")
            return
        }
        #expect(Clock.now().since(begin) >= patience)
    }

    @Test("a program is started for a name, reaped when it dies, and started again")
    func autoStart() throws {
        let manager = try RunningManager()
        // Another user may own the directories of the build: then irmd would not start what is there for root.
        let program = manager.directory + "/program"
        let built = RunningManager.programs + "/attached-process"
        let copying = try RunningManager.spawn("/bin/cp", [built, program], runtimeDirectory: manager.directory)
        guard case .exited(0) = try RunningManager.status(of: copying) else { throw Failure.invalid }
        defer { unlink(program) }
        _ = try manager.manage(
            .bindProgram(
                program: Array(program.utf8), try service("echo"), autoStart: true, arguments: [Array("serve".utf8)],
                directory: Array("/tmp".utf8)))
        let client = try manager.connect(.call)
        var servers: Set<ProcessID> = []
        for request in 1...3 {
            try client.send(.allocate(RequestID(UInt64(request)), try service("echo"), .raw, timeout: nil))
            let offer = try client.offer()
            try client.send(.taken(offer.flow))
            servers.insert(offer.peer)
            #expect(readEnvironment(of: offer.peer).contains("OUROBOROS_RUNTIME_DIR=\(manager.directory)"))
            kill(offer.peer.rawValue, SIGKILL)
            try manager.waitForLog("(\(offer.peer)) ended: killed by signal 9.")
        }
        #expect(servers.count == 3)
        _ = try manager.end(SIGTERM)
    }

    private func readEnvironment(of process: ProcessID) -> [String] {
        let file = cl_open("/proc/\(process)/environ", O_RDONLY, 0)
        defer { cl_close(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(file, &bytes, bytes.count)
        return bytes.prefix(max(0, count)).split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
