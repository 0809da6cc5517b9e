// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct ListingTests {
    @Test("5,000 names are listed in the order of their creation, each page fits a message")
    func names() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let long = [UInt8](repeating: 0x61, count: Limits.pathBytes)
        var paths = SecurityPaths()
        (paths.encryption, paths.key, paths.certificate) = (long, long, long)
        for number in 0..<5_000 {
            // Every tenth is as long as a name can be.
            rig.manage(
                .createName(
                    NameSettings(
                        name: service("name-\(number)"), balancing: .roundRobin,
                        server: number % 10 == 0 ? paths : SecurityPaths(),
                        client: number % 10 == 0 ? paths : SecurityPaths())),
                on: management)
        }
        rig.clear()
        var listed: [NameEntry] = []
        while true {
            let message = try #require(rig.manage(.listNames(from: UInt32(listed.count)), on: management).last)
            guard case .send(let reply, _) = message, case .result(_, .names(let page, let total)) = reply else {
                Issue.record("no list")
                return
            }
            #expect(total == 5_000)
            #expect(reply.encoded().count <= Limits.localMessageBytes)
            if page.isEmpty { break }
            listed += page
        }
        #expect(listed.map(\.settings.name) == (0..<5_000).map { service("name-\($0)") })
    }

    @Test("IPCPs are listed by type, then by pid")
    func ipcps() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        for number in 0..<100 {
            let name = try #require(IPCPName("ipcp-\(number)"))
            let type: IPCPType = number % 2 == 0 ? .unicast : .local
            rig.manage(.createIPCP(name, type), on: management)
            rig.handle(.ipcpSpawned(name, ProcessID(Int32(900 - number)), program: []))
            rig.handle(.ipcpReplied(ProcessID(Int32(900 - number)), .initialised(.current, type)))
        }
        var listed: [IPCPEntry] = []
        while listed.count < 100 {
            let result = try #require(rig.manage(.listIPCPs(from: UInt32(listed.count)), on: management).results.first)
            guard case .ipcps(let page, 100) = result, !page.isEmpty else {
                Issue.record("no page")
                return
            }
            listed += page
        }
        #expect(listed.prefix(50).allSatisfy { $0.type == .local })
        #expect(listed.prefix(50).map(\.process) == listed.prefix(50).map(\.process).sorted())
        #expect(rig.manage(.listIPCPs(from: .max), on: management).results == [.ipcps([], total: 100)])
    }

    @Test("no program's name is so long that its flow is not listed")
    func longPrograms() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10, program: String(repeating: "s", count: 16_000))
        let client = Attached(&rig, pid: 20, program: "/" + String(repeating: "c", count: 16_000))
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        for _ in 0..<40 {
            rig.accept(server.call)
            let flow = try #require(rig.allocate(client.call, "echo").offers.first).offer.flow
            rig.take(flow, server.call)
            rig.take(flow, client.call)
        }
        var listed = 0
        while listed < 40 {
            guard
                case .sendFlows(let page, 40, let request, _) = rig.manage(
                    .listFlows(from: UInt32(listed)), on: management
                ).last,
                !page.isEmpty
            else {
                Issue.record("a page is missing")
                return
            }
            let message = ManagerMessage.result(request, .flows(page.map(\.entry), total: 40))
            #expect(message.encoded().count <= Limits.localMessageBytes)
            listed += page.count
        }
    }

    @Test("flows are listed with their ends, state and layer; what waits is counted")
    func flows() throws {
        var town = Town()
        let flow = try town.establish()
        town.rig.accept(town.server.call)
        town.rig.clear()
        let action = try #require(town.rig.manage(.listFlows(from: 0), on: town.management).last)
        guard case .sendFlows(let listed, let total, _, _) = action else {
            Issue.record("no list")
            return
        }
        #expect(total == 1)
        #expect(listed.first?.entry.flow == flow)
        #expect(listed.first?.entry.state == .allocated)
        #expect(listed.first?.entry.client.program == Array("app".utf8))
        #expect(listed.first?.entry.layer == nil)
        guard case .names(let names, _) = town.rig.manage(.listNames(from: 0), on: town.management).results.first else {
            Issue.record("no names")
            return
        }
        #expect(names.first?.acceptors == 1)
        #expect(names.first?.processes == 1)
        guard case .status(let status) = town.rig.manage(.status, on: town.management).results.first else {
            Issue.record("no status")
            return
        }
        #expect(status.flows == 1)
        #expect(status.flowsAllocated == 1)
        #expect(status.processes == 2)
    }

    @Test("what is bound is listed: programs with arguments, processes, IPCPs; each page fits a message")
    func bindings() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        let program = Array("/bin/server".utf8)
        let arguments = [Array("-l".utf8), [0xff]]
        rig.manage(
            .bindProgram(program: program, service("a"), autoStart: true, arguments: arguments, directory: []),
            on: management, .program(program))
        rig.manage(
            .bindProgram(program: program, service("b"), autoStart: false, arguments: [], directory: []),
            on: management, .program(program))
        let server = Attached(&rig, pid: 10, program: "/bin/app")
        rig.manage(.bindProcess(server.pid, service("b")), on: management, .process(UserID(1_000)))
        rig.manage(.bindProcess(ProcessID(11), service("b")), on: management, .process(UserID(1_000)))
        rig.manage(.bindProcess(ipcp, service("c")), on: management, .process(UserID(500)))
        let expected = [
            BindingEntry(name: service("a"), bound: .program(program, UserID(500), arguments: arguments)),
            BindingEntry(name: service("b"), bound: .program(program, UserID(500), arguments: nil)),
            BindingEntry(name: service("b"), bound: .process(server.pid, program: Array("app".utf8))),
            BindingEntry(name: service("b"), bound: .process(ProcessID(11), program: [])),
            BindingEntry(name: service("c"), bound: .ipcp(ipcp, try #require(IPCPName("local")))),
        ]
        #expect(rig.manage(.listBindings(from: 0), on: management).results == [.bindings(expected, total: 5)])
        #expect(rig.manage(.listBindings(from: .max), on: management).results == [.bindings([], total: 5)])

        // Entries as long as they can be: one fits a message.
        let long = [UInt8](repeating: 0x2f, count: Limits.programBytes)
        let most = [[UInt8]](repeating: [UInt8](repeating: 0x61, count: 31), count: Limits.arguments)
        for number in 0..<3 {
            let name = service(String(repeating: "n", count: 254) + "\(number)")
            rig.manage(
                .bindProgram(program: long, name, autoStart: true, arguments: most, directory: []), on: management,
                .program(long))
        }
        var listed: [BindingEntry] = []
        while listed.count < 8 {
            let message = try #require(rig.manage(.listBindings(from: UInt32(listed.count)), on: management).last)
            guard case .send(let reply, _) = message, case .result(_, .bindings(let page, 8)) = reply, !page.isEmpty
            else {
                Issue.record("no page")
                return
            }
            #expect(reply.encoded().count <= Limits.localMessageBytes)
            listed += page
        }
    }

    @Test("a flow has an age, and of another host an address")
    func remoteFlows() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        var network = try Network(&rig, on: management)
        let server = Attached(&rig, pid: 10)
        rig.manage(.bindProcess(server.pid, service("here")), on: management, .process(UserID(1_000)))
        rig.accept(server.call)
        network.arrive("here", &rig)
        rig.advance(TimeSpan(seconds: 3))
        let actions = rig.manage(.listFlows(from: 0), on: management)
        guard case .sendFlows(let listed, 1, _, _) = actions.last, let entry = listed.first?.entry else {
            Issue.record("no list")
            return
        }
        #expect(entry.age == TimeSpan(seconds: 3))
        #expect(entry.client.host == Array("10.0.0.2:3435".utf8) && entry.client.process == network.ipcp)
        #expect(entry.server.host == nil && entry.server.process == server.pid)
    }
}
