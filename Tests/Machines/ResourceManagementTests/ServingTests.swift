// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct ServingTests {
    @Test("an unknown name fails with ENAME")
    func unknown() {
        var town = Town()
        #expect(town.rig.allocate(town.client.call, "nobody").failures == [.name])
    }

    @Test("a name that nobody serves fails at once")
    func unserved() {
        var town = Town()
        town.rig.manage(.createName(NameSettings(name: service("empty"), balancing: .roundRobin)), on: town.management)
        #expect(town.rig.allocate(town.client.call, "empty").failures == [.ipcp])
    }

    @Test("the client of a program that is client and server in one does not serve itself")
    func ownProgram() {
        var town = Town()
        town.rig.manage(
            .bindProgram(
                program: Array("/bin/oping".utf8), service("ping"), autoStart: false, arguments: [], directory: []),
            on: town.management, .program(Array("/bin/oping".utf8)))
        let client = Attached(&town.rig, pid: 40, uid: 500, program: "/bin/oping")
        #expect(town.rig.allocate(client.call, "ping").failures == [.ipcp])
        // But an attached other one does, accepting or not.
        _ = Attached(&town.rig, pid: 41, uid: 500, program: "/bin/oping")
        #expect(town.rig.allocate(client.call, "ping").failures.isEmpty)
    }

    @Test("who waits for a name learns it when the last process that served it dies")
    func lastServerDies() {
        var town = Town()
        town.rig.allocate(town.client.call, "echo")
        #expect(town.rig.handle(.died(town.server.pid)).failures(on: town.client.call) == [.ipcp])
    }

    @Test("round-robin gives a flow to the longest waiting acceptor, spillover to the most recent")
    func balancing() throws {
        for (balancing, expected) in [(LoadBalancing.roundRobin, [50, 51, 52]), (.spillover, [52, 51, 50])] {
            var town = Town()
            let name = service("many")
            town.rig.manage(.createName(NameSettings(name: name, balancing: balancing)), on: town.management)
            for pid in [Int32(50), 51, 52] {
                let server = Attached(&town.rig, pid: pid)
                town.rig.manage(.bindProcess(server.pid, name), on: town.management, .process(UserID(1_000)))
                town.rig.accept(server.call)
            }
            var served: [Int32] = []
            for client in 60..<63 {
                let client = Attached(&town.rig, pid: Int32(client))
                let offer = try #require(town.rig.allocate(client.call, "many").offers.first)
                served.append(try #require(town.rig.manager.book.flows[offer.offer.flow]).server.process.rawValue)
            }
            #expect(served == expected.map(Int32.init))
        }
    }

    @Test("waiting allocations are served in the order of their arrival, over all names of the acceptor")
    func order() throws {
        var town = Town()
        town.rig.manage(.bindProcess(town.server.pid, service("other")), on: town.management, .process(UserID(1_000)))
        let late = Attached(&town.rig, pid: 30)
        town.rig.allocate(town.client.call, "other")
        town.rig.allocate(late.call, "echo")
        let first = try #require(town.rig.accept(town.server.call).offers.first)
        #expect(town.rig.manager.book.flows[first.offer.flow]?.client.process == town.client.pid)
    }

    @Test("no process is sent more descriptors than it takes")
    func window() throws {
        var town = Town()
        var flows: [(FlowID, ConnectionID)] = []
        for index in 0..<20 {
            let call = index == 0 ? town.server.call : town.rig.connect(.call, pid: 10)
            town.rig.accept(call)
        }
        for pid in 100..<120 {
            let client = Attached(&town.rig, pid: Int32(pid))
            for offer in town.rig.allocate(client.call, "echo").offers {
                flows.append((offer.offer.flow, offer.connection))
            }
        }
        // Each with a link that is new to the server: three descriptors.
        #expect(flows.count == Limits.undeliveredDescriptors / 3)
        var taken = 0
        while let (flow, connection) = flows.popLast() {
            taken += 1
            for offer in town.rig.take(flow, connection).offers where offer.offer.end == .second {
                flows.append((offer.offer.flow, offer.connection))
            }
            town.rig.manager.checkInvariants()
        }
        #expect(taken == 20)
    }

    @Test(
        "a client that has much to take gets a flow that its server has let go of meanwhile, or another if the server died",
        arguments: [false, true])
    func letGo(dies: Bool) throws {
        var town = Town()
        var calls = [town.client.call]
        for _ in 1..<20 { calls.append(town.rig.connect(.call, pid: town.client.pid.rawValue)) }
        var toServer: [(FlowID, ConnectionID)] = []
        var toClient: [(FlowID, ConnectionID)] = []
        func sort(_ actions: [ManagerAction]) {
            for offer in actions.offers {
                if offer.offer.end == .second {
                    toServer.append((offer.offer.flow, offer.connection))
                } else {
                    toClient.append((offer.offer.flow, offer.connection))
                }
            }
        }
        for (index, call) in calls.enumerated() {
            let accepting = index == 0 ? town.server.call : town.rig.connect(.call, pid: town.server.pid.rawValue)
            sort(town.rig.accept(accepting))
            sort(town.rig.allocate(call, "echo"))
        }
        var served = 0
        while let (flow, connection) = toServer.popLast() {
            sort(town.rig.take(flow, connection))
            sort(town.rig.handle(.received(town.server.session, .deallocate(flow), .nothing)))
            served += 1
        }
        town.rig.manager.checkInvariants()
        #expect(served == 20 && toClient.count < 20)
        if dies {
            town.rig.handle(.died(town.server.pid))
            town.rig.advance(TimeSpan(nanoseconds: 0))
        }
        var taken = 0
        while let (flow, connection) = toClient.popLast() {
            sort(town.rig.take(flow, connection))
            taken += 1
        }
        town.rig.manager.checkInvariants()
        #expect(toServer.isEmpty)
        #expect(dies ? taken < 20 && town.rig.manager.book.waiting.count(for: service("echo")) == 0 : taken == 20)
        for flow in town.rig.manager.book.flows.keys.sorted() {
            town.rig.handle(.received(town.client.session, .deallocate(flow), .nothing))
        }
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("flow ids are not used again at once, and differ in their generation when they are")
    func flowIDs() {
        var numbers = FlowNumbers()
        var first: [FlowID] = []
        while let id = numbers.take() { first.append(id) }
        #expect(first.count == 131_071)
        #expect(first.first == FlowID(1))
        numbers.giveBack(FlowID(7))
        numbers.giveBack(FlowID(3))
        #expect(numbers.take() == FlowID(7 + (1 << 17)))
        #expect(numbers.take() == FlowID(3 + (1 << 17)))
        #expect(numbers.take() == nil)
    }
}
