// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Platform
import Testing
import Vocabulary

@Suite struct ManagementClientTests {
    private func ipcps(_ count: Int, from: Int = 0) throws -> [IPCPEntry] {
        try (from..<from + count).map { index in
            IPCPEntry(
                process: ProcessID(Int32(index + 1)), type: .local, name: try #require(IPCPName("ipcp.\(index)")),
                layer: nil)
        }
    }

    @Test("a request gets its verdict")
    func verdict() throws {
        let irmd = try StandIn([[.welcome], [.result(1, .created(ProcessID(42)))]])
        let client = try ManagementClient(path: irmd.path)
        #expect(try client.create(try #require(IPCPName("x")), .local) == ProcessID(42))
    }

    @Test("a failure comes with its number and its reason")
    func failure() throws {
        let name = try #require(ServiceName("x"))
        let irmd = try StandIn([
            [.welcome], [.message(.failed(RequestID(1), .name, reason: Array("No name x.".utf8)))],
            [.message(.failed(RequestID(2), .ipcp, reason: []))],
        ])
        let client = try ManagementClient(path: irmd.path)
        let first = #expect(throws: ManagementError.self) { try client.perform(.destroyName(name)) }
        #expect(first == ManagementError(.name, reason: "No name x."))
        let second = #expect(throws: ManagementError.self) { try client.perform(.destroyName(name)) }
        #expect(second?.failure == .ipcp)
        #expect(second?.reason.isEmpty == false)
    }

    @Test("creating a name that exists is no failure")
    func existing() throws {
        let irmd = try StandIn([[.welcome], [.result(1, .unchanged)], [.result(2, .completed)]])
        let client = try ManagementClient(path: irmd.path)
        let settings = NameSettings(name: try #require(ServiceName("x")), balancing: .spillover)
        #expect(try !client.create(settings))
        #expect(try client.create(settings))
    }

    @Test("lists are fetched page by page")
    func pages() throws {
        let irmd = try StandIn([
            [.welcome], [.result(1, .ipcps(try ipcps(3), total: 5))],
            [.result(2, .ipcps(try ipcps(2, from: 3), total: 5))],
        ])
        #expect(try ManagementClient(path: irmd.path).ipcps() == ipcps(5))
    }

    @Test("a list that shrinks while it is fetched ends")
    func shrinking() throws {
        let irmd = try StandIn([
            [.welcome], [.result(1, .ipcps(try ipcps(3), total: 5))], [.result(2, .ipcps([], total: 3))],
        ])
        #expect(try ManagementClient(path: irmd.path).ipcps() == ipcps(3))
    }

    @Test("without irmd the error says where it was looked for and how to start one")
    func unreachable() throws {
        let error = #expect(throws: ManagementError.self) { try ManagementClient(path: "/nonexistent/irm.sock") }
        #expect(error?.failure == .manager)
        let reason = try #require(error?.reason)
        #expect(reason.hasPrefix("Failed to communicate with the Ouroboros IPC Resource Manager daemon."))
        #expect(reason.contains("Start one with \"irmd\""))
        #expect(reason.contains(RuntimeDirectory.searched()))
    }

    @Test("a refused version names both")
    func version() throws {
        let irmd = try StandIn([[.message(.versionRefused(ProtocolVersion(major: 77, minor: 8)))]])
        let error = #expect(throws: ManagementError.self) { try ManagementClient(path: irmd.path) }
        #expect(error?.failure == .manager)
        #expect(error?.reason.contains("77.8") == true)
        #expect(error?.reason.contains("\(ProtocolVersion.current)") == true)
    }

    @Test("an irmd that says nothing is given up, and never early")
    func silence() throws {
        let irmd = try StandIn([[.welcome], [.silence]])
        let client = try ManagementClient(path: irmd.path, patience: TimeSpan(milliseconds: 50))
        let start = Clock.now()
        let error = #expect(throws: ManagementError.self) { try client.perform(.status) }
        #expect(Clock.now().since(start) >= TimeSpan(milliseconds: 50))
        #expect(error?.failure == .manager)
    }

    @Test("a verdict that comes after its request was given up is not taken for the next")
    func late() throws {
        let irmd = try StandIn([
            [.welcome], [.silence], [.result(1, .created(ProcessID(1))), .result(2, .created(ProcessID(2)))],
        ])
        let client = try ManagementClient(path: irmd.path, patience: TimeSpan(milliseconds: 100))
        let name = try #require(IPCPName("x"))
        #expect(throws: ManagementError.self) { try client.create(name, .local) }
        #expect(try client.create(name, .local) == ProcessID(2))
    }

    @Test("the end of the connection is an error, also in the middle of a list")
    func hangUp() throws {
        let first = try StandIn([[.hangUp]])
        #expect(throws: ManagementError.self) { try ManagementClient(path: first.path) }
        let second = try StandIn([[.welcome], [.result(1, .ipcps(try ipcps(1), total: 2))], [.hangUp]])
        let client = try ManagementClient(path: second.path)
        let error = #expect(throws: ManagementError.self) { try client.ipcps() }
        #expect(error?.failure == .manager)
    }

    @Test(
        "answers that are none are errors, and never trap",
        arguments: [[], [9], [5, 1, 0, 0, 0, 0, 0, 0, 0, 99]] as [[UInt8]])
    func nonsense(_ bytes: [UInt8]) throws {
        let irmd = try StandIn([[.welcome], [.bytes(bytes)]])
        let client = try ManagementClient(path: irmd.path, patience: TimeSpan(seconds: 5))
        let error = #expect(throws: ManagementError.self) { try client.perform(.status) }
        #expect(error?.failure == .manager)
    }

    @Test("an answer of another kind is an error")
    func otherKind() throws {
        let irmd = try StandIn([[.welcome], [.result(1, .completed)], [.result(2, .names([], total: 0))]])
        let client = try ManagementClient(path: irmd.path)
        #expect(throws: ManagementError.unexpectedAnswer) { try client.status() }
        #expect(throws: ManagementError.unexpectedAnswer) { try client.flows() }
    }

    @Test("a request that is too long is not sent")
    func tooLong() throws {
        let irmd = try StandIn([[.welcome], [.result(2, .completed)]])
        let client = try ManagementClient(path: irmd.path)
        let request = ManagementRequest.unbindProgram(program: Array(repeating: 65, count: 20_000), otherwise: [], nil)
        let error = #expect(throws: ManagementError.self) { try client.perform(request) }
        #expect(error?.failure == .messageTooLong)
        #expect(try client.perform(.destroyIPCP(ProcessID(1))) == .completed)
    }

    @Test("an older irmd is not asked what it does not know, and one that knows it is")
    func olderManager() throws {
        let older = try StandIn([[.welcome], [.result(1, .completed)]])
        let client = try ManagementClient(path: older.path)
        #expect {
            try client.perform(.showFlow(FlowID(1)))
        } throws: { ($0 as? ManagementError)?.failure == .notSupported }
        // The connection is as good as before.
        #expect(try client.perform(.status) == .completed)
        let welcome = Welcome(features: .flowStatistics, manager: ProcessID(1), incarnation: 1)
        let newer = try StandIn([[.message(.welcome(welcome))], [.result(1, .completed)]])
        let other = try ManagementClient(path: newer.path)
        #expect(try other.perform(.showFlow(FlowID(1))) == .completed)
    }
}
