// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct LimitsTests {
    @Test("1,000 servers and a client with 10,000 flows; all of them end with the client")
    func many() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        rig.manage(.createName(NameSettings(name: service("echo"), balancing: .roundRobin)), on: management)
        var servers: [Attached] = []
        for number in 0..<1_000 {
            let server = Attached(&rig, pid: Int32(1_000 + number))
            rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
            rig.accept(server.call)
            servers.append(server)
        }
        let client = Attached(&rig, pid: 10)
        for number in 0..<10_000 {
            rig.clear()
            let offer = try #require(rig.allocate(client.call, "echo").offers.first)
            // Round-robin: each in its turn.
            let server = servers[number % servers.count]
            #expect(offer.connection == server.call)
            rig.take(offer.offer.flow, server.call)
            rig.take(offer.offer.flow, client.call)
            rig.accept(server.call)
        }
        #expect(rig.manager.book.flows.count == 10_000)
        #expect(rig.manager.book.links.count == 1_000)
        rig.clear()
        rig.handle(.died(client.pid))
        rig.advance(TimeSpan(nanoseconds: 0))
        let done = rig.actions
        #expect(done.count { if case .send(.flowDown, _) = $0 { true } else { false } } == 10_000)
        #expect(done.count { if case .releaseLink = $0 { true } else { false } } == 1_000)
        for server in servers { rig.handle(.died(server.pid)) }
        #expect(rig.manager.book.flows.isEmpty)
        #expect(rig.manager.book.links.count == 0)
    }

    @Test("there is a last name, and a name of any length that a name can have")
    func names() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let longest = service(String(repeating: "x", count: 255))
        #expect(ServiceName(String(repeating: "x", count: 256)) == nil)
        #expect(ServiceName("") == nil)
        let foreign = try #require(ServiceName([0xff, 0xfe]))
        for name in [longest, foreign, service("y")] {
            let done = rig.manage(.createName(NameSettings(name: name, balancing: .roundRobin)), on: management)
            #expect(done.results == [.completed])
        }
        rig.clear()
        for number in 0..<(Limits.names - 3) {
            _ = rig.manager.naming.create(
                NameSettings(name: service("\(number)"), balancing: .roundRobin), owner: Rig.irmdUser, isExempt: true)
        }
        let beyond = NameSettings(name: service("beyond"), balancing: .roundRobin)
        #expect(rig.manage(.createName(beyond), on: management).failures == [.tableFull])
        #expect(
            rig.manage(.bindProcess(ProcessID(2), service("beyond")), on: management, .process(UserID(0))).failures
                == [.tableFull])
        rig.manage(.destroyName(foreign), on: management)
        #expect(rig.manage(.createName(beyond), on: management).results == [.completed])
    }

    @Test("arguments of an auto-started program have a bound")
    func arguments() {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let program = Array("/bin/x".utf8)
        for arguments in [
            Array(repeating: [UInt8](), count: Limits.arguments + 1),
            [[UInt8](repeating: 1, count: Limits.argumentBytes)], [[0x61, 0, 0x62]],
        ] {
            let done = rig.manage(
                .bindProgram(
                    program: program, service("x"), autoStart: true, arguments: arguments, directory: []),
                on: management, .program(program))
            #expect(done.failures == [.invalid])
        }
    }
}
