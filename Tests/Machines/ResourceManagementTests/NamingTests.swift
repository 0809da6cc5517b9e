// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct NamingTests {
    private func bindProgram(
        _ rig: inout Rig, _ path: String, _ name: String, on connection: ConnectionID, autoStart: Bool = false
    ) -> [ManagerAction] {
        rig.manage(
            .bindProgram(
                program: Array(path.utf8), service(name), autoStart: autoStart, arguments: [], directory: []),
            on: connection, .program(Array(path.utf8)))
    }

    @Test("binding creates the name, with spillover; creating one that exists changes nothing")
    func creation() throws {
        var town = Town()
        #expect(town.rig.manager.naming[service("echo")]?.settings.balancing == .spillover)
        let again = town.rig.manage(
            .createName(NameSettings(name: service("echo"), balancing: .roundRobin)), on: town.management)
        #expect(again.results == [.unchanged])
        #expect(town.rig.manager.naming[service("echo")]?.settings.balancing == .spillover)
    }

    @Test("destroying a name fails who waits for it, unbinds, and unregisters")
    func destruction() throws {
        var town = Town()
        let ipcp = try town.rig.makeLocalLayer(on: town.management)
        town.rig.register("echo", with: ipcp, on: town.management)
        town.rig.allocate(town.client.call, "echo")
        let done = town.rig.manage(.destroyName(service("echo")), on: town.management)
        #expect(done.failures(on: town.client.call) == [.name])
        #expect(done.contains { if case .request(.unregister, ipcp) = $0 { true } else { false } })
        #expect(done.results == [.completed])
        #expect(town.rig.manager.naming.names(servedBy: town.server.pid).isEmpty)
        #expect(
            town.rig.manage(.destroyName(service("echo")), on: town.management).failures == [.name])
    }

    @Test("a program serves the processes of who bound it, and of root, now and later")
    func programs() {
        var town = Town()
        let before = Attached(&town.rig, pid: 30, uid: 500, program: "/usr/bin/oping")
        _ = bindProgram(&town.rig, "/usr/bin/oping", "ping", on: town.management)
        let after = Attached(&town.rig, pid: 31, uid: 500, program: "/usr/bin/oping")
        let root = Attached(&town.rig, pid: 32, uid: 0, program: "/usr/bin/oping")
        let stranger = Attached(&town.rig, pid: 33, uid: 1_001, program: "/usr/bin/oping")
        let namesake = Attached(&town.rig, pid: 34, uid: 500, program: "/home/x/oping")
        #expect(town.rig.manager.naming[service("ping")]?.processes == [before.pid, after.pid, root.pid])
        #expect(town.rig.manager.naming.names(servedBy: stranger.pid).isEmpty)
        #expect(town.rig.manager.naming.names(servedBy: namesake.pid).isEmpty)
        #expect(
            town.rig.actions.reports.contains(.process(.acceptsFlowsFor(service("ping")))))
    }

    @Test("a program that was bound by its base name serves every program of that name")
    func baseName() {
        var town = Town()
        _ = bindProgram(&town.rig, "oecho.py", "py", on: town.management)
        let script = Attached(&town.rig, pid: 30, uid: 500, program: "/opt/oecho.py")
        #expect(town.rig.manager.naming[service("py")]?.processes == [script.pid])
        // And a script of which only its base name is known is served by a path.
        _ = bindProgram(&town.rig, "/opt/x.py", "x", on: town.management)
        let bare = Attached(&town.rig, pid: 31, uid: 500, program: "x.py")
        _ = Attached(&town.rig, pid: 32, uid: 500, program: "/other/x.py")
        #expect(town.rig.manager.naming[service("x")]?.processes == [bare.pid])
    }

    @Test("a program is unbound by its path or its base name, and its processes leave the name")
    func unbinding() {
        for word in ["/usr/bin/oping", "oping"] {
            var town = Town()
            _ = bindProgram(&town.rig, "/usr/bin/oping", "ping", on: town.management, autoStart: true)
            _ = bindProgram(&town.rig, "/usr/bin/oping", "pong", on: town.management)
            let process = Attached(&town.rig, pid: 30, uid: 500, program: "/usr/bin/oping")
            town.rig.manage(
                .unbindProgram(program: Array(word.utf8), otherwise: [], service("ping")), on: town.management)
            #expect(town.rig.manager.naming.names(servedBy: process.pid) == [service("pong")])
            #expect(town.rig.manager.naming[service("ping")]?.autoStarts.isEmpty == true)
            let all = town.rig.manage(
                .unbindProgram(program: Array(word.utf8), otherwise: [], nil), on: town.management)
            #expect(all.results == [.completed])
            #expect(town.rig.manager.naming.names(servedBy: process.pid).isEmpty)
            let none = town.rig.manage(
                .unbindProgram(program: Array(word.utf8), otherwise: [], nil), on: town.management)
            #expect(none.failures == [.noEntry])
            // And it can be bound again. spec: irmd §6, where the prototype could not.
            let again = bindProgram(&town.rig, "/usr/bin/oping", "ping", on: town.management)
            #expect(again.results == [.completed])
        }
    }

    @Test("what is bound by neither name is refused once; a second name that is right leaves no refusal in the log")
    func unbindingByEither() {
        var town = Town()
        _ = bindProgram(&town.rig, "/usr/bin/dash", "n", on: town.management)
        func unbind(_ program: String, _ otherwise: String) -> [ManagerAction] {
            town.rig.manage(
                .unbindProgram(program: Array(program.utf8), otherwise: Array(otherwise.utf8), nil),
                on: town.management)
        }
        #expect(unbind("sh", "/bin/bash").failures == [.noEntry])
        let done = unbind("sh", "/usr/bin/dash")
        #expect(done.results == [.completed])
        #expect(
            !done.contains { action in
                if case .report(.refused) = action { true } else { false }
            })
    }

    @Test("a process can be bound before it attaches, and its binding ends with it")
    func earlyBinding() {
        var town = Town()
        let bound = town.rig.manage(
            .bindProcess(ProcessID(70), service("early")), on: town.management, .process(UserID(1_000)))
        #expect(bound.contains(.watch(ProcessID(70))))
        #expect(town.rig.allocate(town.client.call, "early").failures.isEmpty)
        let process = Attached(&town.rig, pid: 70)
        #expect(town.rig.accept(process.call).offers.count == 1)
        town.rig.handle(.died(ProcessID(70)))
        #expect(town.rig.manager.naming.names(boundTo: ProcessID(70)).isEmpty)
        #expect(
            town.rig.manage(.bindProcess(ProcessID(71), service("early")), on: town.management).failures == [.noEntry])
    }

    @Test("an accept that waits already gets the request of a name that its process is bound to later")
    func lateBinding() {
        var town = Town()
        town.rig.allocate(town.client.call, "echo")
        let late = Attached(&town.rig, pid: 30)
        town.rig.accept(late.call)
        let done = town.rig.manage(
            .bindProcess(late.pid, service("echo")), on: town.management, .process(UserID(1_000)))
        #expect(done.offers.map(\.connection) == [late.call])
    }

    @Test("binding twice, or unbinding what is not bound, is said")
    func twice() {
        var town = Town()
        #expect(
            town.rig.manage(
                .bindProcess(town.server.pid, service("echo")), on: town.management, .process(UserID(1_000))
            ).failures == [.exists])
        _ = bindProgram(&town.rig, "/bin/x", "x", on: town.management)
        let again = bindProgram(&town.rig, "/bin/x", "x", on: town.management)
        #expect(again.failures == [.exists])
        #expect(
            town.rig.manage(.unbindProcess(town.client.pid, nil), on: town.management).failures == [.noEntry])
        #expect(
            town.rig.manage(.unbindProcess(town.server.pid, nil), on: town.management).results == [.completed])
    }

    @Test("a program that does not exist or cannot be executed is not bound")
    func unusable() {
        var town = Town()
        for (fact, failure) in [
            (SystemFact.unusable(.noEntry), Failure.noEntry), (.unusable(.notPermitted), .notPermitted),
            (.nothing, .noEntry),
        ] {
            let done = town.rig.manage(
                .bindProgram(program: Array("/x".utf8), service("x"), autoStart: true, arguments: [], directory: []),
                on: town.management, fact)
            #expect(done.failures == [failure])
        }
        #expect(town.rig.manager.naming[service("x")] == nil)
    }
}
