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
        #expect(listed.first?.entry.clientProgram == Array("app".utf8))
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
}
