// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct AutoStartTests {
    private static let program = Array("/usr/bin/oping".utf8)

    private func town() -> Town {
        var town = Town()
        let binder = town.rig.connect(.management, pid: 3, uid: 500, groups: [GroupID(5)])
        town.rig.manage(
            .bindProgram(
                program: Self.program, service("ping"), autoStart: true, arguments: [Array("--listen".utf8)],
                directory: Array("/srv".utf8)),
            on: binder, .program(Self.program))
        town.rig.clear()
        return town
    }

    private func spawn(_ actions: [ManagerAction]) -> (id: StartID, program: ProgramStart)? {
        for case .spawnProgram(let id, let program) in actions { return (id, program) }
        return nil
    }

    @Test("a request that nobody accepts starts the program as whoever bound it; the next waits for the same one")
    func start() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        #expect(start.program.path == Self.program)
        #expect(start.program.arguments == [Array("--listen".utf8)])
        #expect(start.program.directory == Array("/srv".utf8))
        #expect(start.program.user == UserID(500))
        #expect(start.program.groups == [GroupID(5)])
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        let other = Attached(&town.rig, pid: 30)
        #expect(spawn(town.rig.allocate(other.call, "ping")) == nil)
        // Whatever it says it runs: it is the one that was started.
        let server = Attached(&town.rig, pid: 80, uid: 500, program: "/usr/bin/wrapped")
        #expect(town.rig.accept(server.call).offers.count == 1)
        let flow = try #require(town.rig.manager.book.flows.keys.first)
        town.rig.take(flow, server.call)
        #expect(town.rig.accept(server.call).offers.count == 1)
    }

    @Test("a program that cannot be started fails who waits for it")
    func notSpawned() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        let done = town.rig.handle(.programNotSpawned(start.id, .accessDenied))
        #expect(done.failures(on: town.client.call) == [.ipcp])
        #expect(done.reasons == ["cannot start /usr/bin/oping: permission denied"])
        #expect(done.warnings == ["No server for ping: cannot start /usr/bin/oping: permission denied."])
        #expect(spawn(town.rig.allocate(town.client.call, "ping")) != nil)
    }

    @Test("a program that ends without accepting fails who waits; the next request starts it again")
    func endsEarly() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        let other = Attached(&town.rig, pid: 30)
        town.rig.allocate(other.call, "ping")
        let done = town.rig.handle(.childExited(ProcessID(80), .exited(127)))
        #expect(done.failures(on: town.client.call) == [.ipcp])
        let reason = "/usr/bin/oping ended with status 127 before it accepted a flow"
        #expect(done.reasons == [reason, reason])
        #expect(done.warnings == ["No server for ping: \(reason)."])
        #expect(spawn(town.rig.allocate(town.client.call, "ping")) != nil)
    }

    @Test("a program that does not accept in time fails who waits, before their own deadline")
    func neverAccepts() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        #expect(town.rig.advance(TimeSpan(seconds: 9)).failures.isEmpty)
        let other = Attached(&town.rig, pid: 30)
        town.rig.allocate(other.call, "ping")
        let done = town.rig.advance(TimeSpan(seconds: 1))
        #expect(done.failures(on: town.client.call) == [.ipcp])
        let reason = "/usr/bin/oping did not accept a flow within 10 s after it was started"
        #expect(done.reasons == [reason])
        #expect(done.warnings == ["No server for ping: \(reason)."])
        // The log knows already; whoever comes later is told all the same.
        let later = town.rig.advance(TimeSpan(seconds: 9))
        #expect(later.reasons == [reason])
        #expect(later.warnings.isEmpty)
    }

    @Test("a program that a signal ends is no less a failure; one that irmd ends when it stops is none")
    func killed() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        let done = town.rig.handle(.childExited(ProcessID(80), .killed(signal: 11)))
        #expect(done.reasons == ["/usr/bin/oping was killed by signal 11 before it accepted a flow"])
        #expect(done.warnings.count == 1)
        let again = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        town.rig.handle(.programSpawned(again.id, ProcessID(81)))
        town.rig.handle(.stop)
        #expect(town.rig.handle(.childExited(ProcessID(81), .killed(signal: 15))).warnings.isEmpty)
    }

    @Test("a short deadline of the client's own is still its deadline")
    func clientDeadline() throws {
        var town = town()
        let start = try #require(
            spawn(town.rig.allocate(town.client.call, "ping", timeout: TimeSpan(seconds: 1))))
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        #expect(town.rig.advance(TimeSpan(seconds: 1)).failures == [.timedOut])
    }

    @Test("a server that worked and died is started again, for who waits and for who comes")
    func restart() throws {
        var town = town()
        let start = try #require(spawn(town.rig.allocate(town.client.call, "ping")))
        town.rig.handle(.programSpawned(start.id, ProcessID(80)))
        let server = Attached(&town.rig, pid: 80, uid: 500)
        town.rig.accept(server.call)
        let flow = try #require(town.rig.manager.book.flows.keys.first)
        town.rig.take(flow, server.call)
        town.rig.take(flow, town.client.call)
        // It is busy: a request waits for it, and nothing is started.
        #expect(spawn(town.rig.allocate(town.client.call, "ping")) == nil)
        town.rig.clear()
        town.rig.handle(.died(ProcessID(80)))
        town.rig.handle(.childExited(ProcessID(80), .killed(signal: 9)))
        #expect(spawn(town.rig.actions) != nil)
        #expect(town.rig.actions.failures.isEmpty)
    }

    @Test("processes that irmd did not start serve the name too")
    func foreignServer() {
        var town = town()
        let server = Attached(&town.rig, pid: 85, uid: 500, program: "/usr/bin/oping")
        town.rig.accept(server.call)
        let done = town.rig.allocate(town.client.call, "ping")
        #expect(spawn(done) == nil)
        #expect(done.offers.count == 1)
    }
}
