// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// How far an allocation is when somebody dies.
enum Step: CaseIterable, Sendable {
    case clientWaits
    case serverWaits
    case offeredToServer
    case offeredToClient
    case allocated
    case deallocatedByClient
    case deallocatedByServer
}

enum Fate: CaseIterable, Sendable {
    case killed
    case sessionEnds
    case callEnds
}

@Suite struct FlowDeathTests {
    private func advance(_ town: inout Town, to step: Step) throws -> FlowID? {
        switch step {
        case .clientWaits:
            town.rig.allocate(town.client.call, "echo")
            return nil
        case .serverWaits:
            town.rig.accept(town.server.call)
            return nil
        case .offeredToServer:
            town.rig.accept(town.server.call)
            return try #require(town.rig.allocate(town.client.call, "echo").offers.first).offer.flow
        case .offeredToClient: return try town.offer()
        case .allocated: return try town.establish()
        case .deallocatedByClient:
            let flow = try town.establish()
            _ = town.deallocate(flow, town.client)
            return flow
        case .deallocatedByServer:
            let flow = try town.establish()
            _ = town.deallocate(flow, town.server)
            return flow
        }
    }

    private func strike(_ town: inout Town, _ victim: Attached, _ fate: Fate) -> [ManagerAction] {
        switch fate {
        case .killed: town.rig.handle(.died(victim.pid))
        case .sessionEnds: town.rig.handle(.disconnected(victim.session))
        case .callEnds: town.rig.handle(.disconnected(victim.call))
        }
    }

    @Test("an end that dies at any step leaves nothing half-open", arguments: Step.allCases, Fate.allCases)
    func death(step: Step, fate: Fate) throws {
        for clientDies in [true, false] {
            var town = Town()
            let flow = try advance(&town, to: step)
            let victim = clientDies ? town.client : town.server
            let survivor = clientDies ? town.server : town.client
            let hadOther = flow.flatMap { town.rig.manager.book.flows[$0]?.end(of: survivor.pid) } != nil
            let done = strike(&town, victim, fate)
            town.rig.manager.checkInvariants("\(step) \(fate) client \(clientDies)")
            // Who had the flow is told; through the link too, because it may sleep there.
            if let flow, step == .allocated, fate != .callEnds, hadOther {
                #expect(done.contains(.send(.flowDown(flow), survivor.session)))
                #expect(done.contains { if case .markGone = $0 { true } else { false } })
            }
            town.rig.handle(.died(victim.pid))
            town.rig.handle(.died(survivor.pid))
            for connection in town.rig.manager.attachments.connections.keys.sorted() {
                town.rig.handle(.disconnected(connection))
            }
            town.rig.manager.checkEmpty("\(step) \(fate) client \(clientDies)")
        }
    }

    @Test("a client that dies after the server took the flow leaves it with a flow that is down, not a ghost")
    func clientDiesLate() throws {
        var town = Town()
        let flow = try town.offer()
        let place = try #require(town.rig.manager.book.flows[flow]).place
        let done = town.rig.handle(.died(town.client.pid))
        #expect(done.contains(.markGone(place.link, place.slot, .first, linkEnd: place.clientEnd)))
        #expect(done.contains(.send(.flowDown(flow), town.server.session)))
        #expect(done.contains(.releaseLink(place.link)))
        #expect(town.deallocate(flow, town.server).contains(.report(.flow(.deallocated(flow, town.server.pid)))))
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("a client that gives up before the server took the flow: the server is told when it has it")
    func clientDiesEarly() throws {
        var town = Town()
        let flow = try #require(try advance(&town, to: .offeredToServer))
        let done = town.rig.handle(.disconnected(town.client.call))
        #expect(done.contains { if case .markGone(_, _, .first, _) = $0 { true } else { false } })
        #expect(town.rig.take(flow, town.server.call).contains(.send(.flowDown(flow), town.server.session)))
    }

    @Test("an acceptor that dies before the client got anything: the next acceptor gets the request")
    func nextAcceptor() throws {
        var town = Town()
        let second = Attached(&town.rig, pid: 11)
        town.rig.manage(.bindProcess(second.pid, service("echo")), on: town.management, .process(UserID(1_000)))
        town.rig.accept(second.call)
        town.rig.accept(town.server.call)
        let first = try #require(town.rig.allocate(town.client.call, "echo").offers.first)
        // Spillover: the most recent acceptor.
        #expect(first.connection == town.server.call)
        let next = town.rig.handle(.died(town.server.pid))
        #expect(next.offers.map(\.connection) == [second.call])
        #expect(next.failures.isEmpty)
    }

    @Test("an acceptor that refuses is not asked again, and the client learns it when nobody is left")
    func refusal() throws {
        var town = Town()
        let flow = try #require(try advance(&town, to: .offeredToServer))
        let done = town.rig.handle(.received(town.server.call, .refused(flow, .tooManyDescriptors), .nothing))
        // It is still bound, so the name is served: the request waits.
        #expect(done.failures.isEmpty)
        #expect(town.rig.manager.book.waiting.contains(service("echo")))
        let died = town.rig.handle(.died(town.server.pid))
        #expect(died.failures(on: town.client.call) == [.ipcp])
    }

    @Test("servers that refuse again and again: the client is told before its deadline")
    func refusals() throws {
        var town = Town()
        _ = try #require(try advance(&town, to: .offeredToServer))
        var failures: [Failure] = []
        var refusals = 0
        while failures.isEmpty, refusals < 100, let flow = town.rig.manager.book.flows.keys.first {
            failures += town.rig.handle(.received(town.server.call, .refused(flow, .outOfMemory), .nothing)).failures
            refusals += 1
            failures += town.rig.accept(town.server.call).failures
        }
        #expect(failures == [.ipcp])
        #expect(refusals == Limits.acceptorRefusals)
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("a client that refuses: the server's end goes down")
    func clientRefuses() throws {
        var town = Town()
        let flow = try town.offer()
        let done = town.rig.handle(.received(town.client.call, .refused(flow, .outOfMemory), .nothing))
        #expect(done.contains(.send(.flowDown(flow), town.server.session)))
    }

    @Test("a second session of a pid replaces the first, whose flows are gone")
    func replacement() throws {
        var town = Town()
        let flow = try town.establish()
        let session = town.rig.connect(.session, pid: 20, program: "/bin/other")
        #expect(town.rig.actions.contains(.send(.flowDown(flow), town.server.session)))
        #expect(town.rig.actions.contains(.drop(town.client.session)))
        #expect(town.rig.actions.contains(.drop(town.client.call)))
        #expect(town.rig.manager.attachments.processes[town.client.pid]?.session == session)
        // The end of the old session, read late, is not the end of the new one.
        town.rig.handle(.disconnected(town.client.session))
        #expect(town.rig.manager.attachments.processes[town.client.pid]?.session == session)
    }

    @Test("a connection of what a process was before `exec` is none of the new program's", arguments: [false, true])
    func formerConnections(isGreeted: Bool) throws {
        var town = Town()
        // Another user's, who ran a program that begins with the rights of its owner, and has kept a connection.
        let pid: Int32 = 60
        let former = ConnectionID(town.rig.nextConnection)
        town.rig.nextConnection += 1
        let credentials = Credentials(process: ProcessID(pid), user: UserID(2_000), group: GroupID(2_000), groups: [])
        town.rig.handle(.connected(former, credentials))
        let greeting = ManagerEvent.received(
            former, .hello(Hello(role: .call, features: [])), .program(Array("/bin/former".utf8)))
        if isGreeted { town.rig.handle(greeting) }
        let server = Attached(&town.rig, pid: pid, uid: 0, program: "/bin/server")
        town.rig.manage(
            .bindProcess(server.pid, service("held")), on: town.management, .process(.root, number: server.pid))
        if !isGreeted { #expect(town.rig.handle(greeting).contains(.drop(former))) }
        #expect(town.rig.manager.attachments.connections[former] == nil)
        let process = try #require(town.rig.manager.attachments.processes[server.pid])
        #expect(process.credentials.user == .root && process.program == Array("/bin/server".utf8))
        #expect(process.session == server.session && process.calls == [server.call])
        town.rig.accept(former)
        #expect(town.rig.allocate(town.client.call, "held").offers.isEmpty)
        #expect(town.rig.accept(server.call).offers.map(\.connection) == [server.call])
    }

    @Test("a session of what a process was before `exec` cuts none of its flows")
    func formerSession() throws {
        var town = Town()
        let former = ConnectionID(town.rig.nextConnection)
        town.rig.nextConnection += 1
        let credentials = Credentials(process: ProcessID(60), user: UserID(2_000), group: GroupID(2_000), groups: [])
        town.rig.handle(.connected(former, credentials))
        let now = Attached(&town.rig, pid: 60, uid: 0, program: "/bin/server")
        town.rig.handle(.received(former, .hello(Hello(role: .session, features: [])), .nothing))
        #expect(town.rig.manager.attachments.processes[now.pid]?.session == now.session)
        #expect(!town.rig.actions.contains(.drop(now.session)))
    }

    @Test("calls that came after a new session are kept, and are the new program's")
    func callsBeforeTheirSession() throws {
        var town = Town()
        let session = ConnectionID(town.rig.nextConnection)
        town.rig.nextConnection += 1
        let credentials = Credentials(process: town.client.pid, user: UserID(1_000), group: GroupID(1_000), groups: [])
        town.rig.handle(.connected(session, credentials))
        let call = town.rig.connect(.call, pid: town.client.pid.rawValue, program: "/bin/other")
        town.rig.handle(
            .received(
                session, .hello(Hello(role: .session, features: [])), .program(Array("/bin/other".utf8))))
        let process = try #require(town.rig.manager.attachments.processes[town.client.pid])
        #expect(process.session == session && process.calls == [call] && process.program == Array("/bin/other".utf8))
    }

    @Test("flow memory that cannot be made: the client learns it, the acceptor goes on waiting")
    func noMemory() throws {
        var town = Town()
        town.rig.accept(town.server.call)
        town.rig.memoryFailure = .tooManyDescriptors
        #expect(town.rig.allocate(town.client.call, "echo").failures == [.tooManyDescriptors])
        town.rig.memoryFailure = nil
        #expect(town.rig.allocate(town.client.call, "echo").offers.count == 1)
    }

    @Test("the layer's IPCP dies: both ends go down")
    func layerDies() throws {
        var town = Town()
        let ipcp = try town.rig.makeLocalLayer(on: town.management)
        town.rig.register("echo", with: ipcp, on: town.management)
        let flow = try town.establish()
        let done = town.rig.handle(.childExited(ipcp, .killed(signal: 9)))
        #expect(done.contains(.send(.flowDown(flow), town.server.session)))
        #expect(done.contains(.send(.flowDown(flow), town.client.session)))
        #expect(done.reports.contains { if case .supervision(.ipcpDied(ipcp, _, _)) = $0 { true } else { false } })
    }
}
