// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import ManagementClient
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct ExecutionTests {
    private let manager = FakeManager()
    private let refusal = ManagementError(.notPermitted, reason: "No, because.")

    private func local(_ layer: String = "l") throws -> LayerConfiguration {
        LayerConfiguration(layer: try #require(LayerName(layer)), hash: .sha3x256, parameters: .local)
    }

    private func name<Kind>(_ text: String) throws -> Name<Kind> { try #require(Name(text)) }

    @Test("bootstrap with a type creates the IPCP")
    func bootstrap() throws {
        let report = manager.irm("ipcp bootstrap type local name a layer l")
        #expect(report == Report())
        #expect(
            manager.requests == [.createIPCP(try name("a"), .local), .bootstrapIPCP(ProcessID(1_001), try local())])
    }

    @Test("bootstrap uses an IPCP that exists, unless its type is another")
    func existing() throws {
        let process = manager.add("a", .local)
        #expect(manager.irm("ipcp bootstrap type local name a layer l").exitStatus == 0)
        #expect(manager.requests == [.bootstrapIPCP(process, try local())])
        let report = manager.irm("ipcp bootstrap type unicast name a layer l")
        #expect(report.exitStatus == 1)
        #expect(report.errors.hasPrefix("irm: Types do not match."))
    }

    @Test("bootstrap without a type takes all IPCPs that match, or says that there is none")
    func matching() throws {
        let first = manager.add("a.1", .local)
        let second = manager.add("a.2", .local)
        manager.add("b", .local)
        #expect(manager.irm("ipcp bootstrap name a* layer l").exitStatus == 0)
        #expect(manager.requests == [.bootstrapIPCP(first, try local()), .bootstrapIPCP(second, try local())])
        #expect(manager.irm("ipcp bootstrap name c layer l").errors.hasPrefix("irm: No IPCPs matching c found."))
    }

    @Test("a bootstrap that fails takes back what it did")
    func takingBack() throws {
        manager.addName(try name("l"))
        manager.refused = { if case .bootstrapIPCP = $0 { refusal } else { nil } }
        let report = manager.irm("ipcp bootstrap type unicast name a layer l autobind")
        #expect(report.exitStatus == 1)
        #expect(report.errors == "irm: No, because.\n")
        let process = ProcessID(1_001)
        // Only the name that was not there before is destroyed.
        #expect(
            Array(manager.requests.dropFirst(4)) == [
                .unbindProcess(process, try name("l")), .unbindProcess(process, try name("a")),
                .destroyName(try name("a")), .destroyIPCP(process),
            ])
        #expect(manager.entries.isEmpty)
    }

    @Test("a bootstrap that fails leaves an IPCP that was there")
    func leaving() {
        manager.add("a", .local)
        manager.refused = { if case .bootstrapIPCP = $0 { refusal } else { nil } }
        #expect(manager.irm("ipcp bootstrap type local name a layer l").exitStatus == 1)
        #expect(manager.entries.count == 1)
    }

    @Test("autobind and foreign options are ignored with a warning where they mean nothing")
    func warnings() {
        let report = manager.irm("ipcp bootstrap type local name a layer l autobind dev eth0")
        #expect(report.exitStatus == 0)
        #expect(
            report.errors == """
                irm: Option "dev" means nothing to a layer of type local, ignored.
                irm: Can not bind this IPCP type,autobind disabled.

                """)
    }

    @Test("enrolment creates, enrols, checks the layer and binds")
    func enroll() throws {
        #expect(manager.irm("ipcp enroll name a layer l autobind") == Report())
        let process = ProcessID(1_001)
        #expect(
            manager.requests == [
                .createIPCP(try name("a"), .unicast), .enrollIPCP(process, destination: try name("l")),
                .bindProcess(process, try name("a")), .bindProcess(process, try name("l")),
            ])
        let other = manager.irm("ipcp enroll name b layer l dst m")
        #expect(other.exitStatus == 1)
        #expect(other.errors.hasPrefix("irm: Enrollment destination does not match requested layer."))
        #expect(manager.entries.count == 2)
    }

    @Test("an enrolment that fails destroys the IPCP that it created, and no other")
    func failedEnrolment() {
        manager.refused = { if case .enrollIPCP = $0 { refusal } else { nil } }
        #expect(manager.irm("ipcp enroll name a dst x").errors == "irm: Failed to enroll IPCP: No, because.\n")
        #expect(manager.entries.isEmpty)
        manager.add("b", .unicast)
        #expect(manager.irm("ipcp enroll name b dst x").exitStatus == 1)
        #expect(manager.entries.count == 1)
    }

    @Test("management connects first and disconnects last; broadcast IPCPs have none")
    func connections() throws {
        let process = manager.add("u", .unicast, layer: "l")
        let broadcast = manager.add("b", .broadcast, layer: "m")
        #expect(manager.irm("ipcp connect name u dst v qos data").exitStatus == 0)
        #expect(manager.irm("ipcp disconnect name u dst v").exitStatus == 0)
        #expect(manager.irm("ipcp connect name b dst c").exitStatus == 0)
        let management = Array("Management".utf8)
        let transfer = Array("Data Transfer".utf8)
        #expect(
            manager.requests == [
                .connectIPCP(process, destination: try name("v"), component: management, .raw),
                .connectIPCP(process, destination: try name("v"), component: transfer, .data),
                .disconnectIPCP(process, destination: try name("v"), component: transfer),
                .disconnectIPCP(process, destination: try name("v"), component: management),
                .connectIPCP(broadcast, destination: try name("c"), component: transfer, .raw),
            ])
        manager.refused = { if case .connectIPCP(_, _, transfer, _) = $0 { refusal } else { nil } }
        #expect(
            manager.irm("ipcp connect name u dst v").errors
                == "irm: Failed to connect Data Transfer to v. Management stays connected: No, because.\n")
    }

    @Test(
        "an IPCP that is not there is an error everywhere",
        arguments: [
            "ipcp destroy name x", "ipcp connect name x dst y", "ipcp disconnect name x dst y", "bind ipcp x name y",
            "unbind ipcp x", "unbind ipcp x name y",
        ])
    func unknownIPCP(_ line: String) {
        manager.add("other", .local)
        let report = manager.irm(line)
        #expect(report.exitStatus == 1)
        #expect(report.errors.hasPrefix("irm: There is no IPCP named x."))
        #expect(manager.requests.isEmpty)
    }

    @Test("a registration creates the name and takes every IPCP once")
    func register() throws {
        let first = manager.add("a", .local, layer: "l")
        let second = manager.add("b", .local, layer: "l")
        #expect(manager.irm("name register n ipcp a layer l").exitStatus == 0)
        #expect(
            manager.requests == [
                .createName(NameSettings(name: try name("n"), balancing: .spillover)),
                .registerName(try name("n"), first), .registerName(try name("n"), second),
            ])
    }

    @Test("a registration that fits nothing does nothing and says so")
    func nothing() {
        #expect(manager.irm("name register n layer l").errors.hasPrefix("irm: There are no IPCPs."))
        manager.add("a", .local, layer: "l")
        let report = manager.irm("name register n layer l layer m")
        #expect(report.exitStatus == 1)
        #expect(report.errors.hasPrefix("irm: There is no layer m."))
        #expect(manager.requests.isEmpty)
        #expect(manager.irm("name unregister n ipcp b").errors.hasPrefix("irm: There is no IPCP b."))
    }

    @Test("a registration that fails says with whom")
    func failedRegistration() {
        manager.add("a", .local, layer: "l")
        manager.refused = { if case .registerName = $0 { refusal } else { nil } }
        #expect(manager.irm("name register n layer l").errors == "irm: Failed to register with layer l: No, because.\n")
    }

    @Test("unregistering by wildcard is content with those that had the name")
    func unregister() {
        let first = manager.add("a", .local, layer: "l")
        manager.add("b", .local, layer: "m")
        manager.refused = { [refusal] request in
            if case .unregisterName(_, let ipcp) = request, ipcp != first { refusal } else { nil }
        }
        #expect(manager.irm("name unregister n layer *").exitStatus == 0)
        #expect(
            manager.irm("name unregister n layer m").errors == "irm: Failed to unregister from layer m: No, because.\n")
        #expect(manager.irm("name unregister n ipcp b*").exitStatus == 1)
    }

    @Test("files and processes are looked at before irmd is asked")
    func preparation() {
        var connections = 0
        func irm(_ words: Word...) -> Report {
            ManagementTool.run(words) { () throws(ManagementError) -> FakeManager in
                connections += 1
                return manager
            }
        }
        #expect(irm("bind", "program", "/nonexistent", "name", "x").errors == "irm: /nonexistent does not exist.\n")
        #expect(
            irm("bind", "program", "/etc/passwd", "name", "x").errors
                == "irm: Cannot execute /etc/passwd, please check permissions.\n")
        #expect(
            irm("bind", "process", "2147483647", "name", "x").errors
                == "irm: \"2147483647\" is not a valid process id.\n")
        let path = irm("name", "create", "n", "scrtpath", "/nonexistent")
        #expect(path.errors == "irm: Failed to check path /nonexistent: No such file or directory.\n")
        #expect(path.output == "")
        #expect(connections == 0)
    }

    @Test("programs are bound by their absolute path")
    func bindProgram() throws {
        #expect(manager.irm("bind program /bin/../bin/sh name n auto -- -c x").exitStatus == 0)
        guard case .bindProgram(let program, let name, true, let arguments, let directory) = manager.requests.first
        else {
            Issue.record("\(manager.requests)")
            return
        }
        #expect(try program == ProgramPath.absolute(Array("/bin/sh".utf8)))
        #expect(name == ServiceName("n"))
        #expect(arguments == [Array("-c".utf8), Array("x".utf8)])
        #expect(directory == ProgramPath.currentDirectory())
        #expect(manager.irm("bind process \(getpid()) name n").exitStatus == 0)
        #expect(manager.requests.last == .bindProcess(ProcessID(getpid()), try #require(ServiceName("n"))))
    }

    @Test("a program is unbound by the name that is given, or by the path that this leads to, in one request")
    func unbindProgram() throws {
        let path = try ProgramPath.absolute(Array("/bin/sh".utf8))
        #expect(manager.irm("unbind program /bin/../bin/sh name n").exitStatus == 0)
        let given = Array("/bin/../bin/sh".utf8)
        #expect(manager.requests == [.unbindProgram(program: given, otherwise: path, ServiceName("n"))])
        #expect(manager.irm("unbind program no-such-program").exitStatus == 0)
        let other = Array("no-such-program".utf8)
        #expect(manager.requests.last == .unbindProgram(program: other, otherwise: [], nil))
        manager.refused = { [refusal] _ in refusal }
        #expect(manager.irm("unbind program no-such-program").errors == "irm: No, because.\n")
    }

    @Test("a command that changes nothing says so, and is no failure")
    func unchanged() throws {
        manager.add("a", .local, layer: "l")
        #expect(manager.irm("name create n lb spillover") == Report())
        let again = manager.irm("name create n lb round-robin")
        #expect(again.exitStatus == 0)
        let known = "irm: Name n exists already, with policy spillover, and is left as it is."
        #expect(again.errors == known + " \"irm name set\" changes it.\n")
        for (name, wait, other, words) in [
            ("u", "wait", "", "a wait as long as the client waits"), ("v", "wait 5s", "", "a wait of 5000 ms"),
            ("w", "", "wait", "no wait"),
        ] {
            #expect(manager.irm("name create \(name) lb spillover \(wait)") == Report())
            let warning = "irm: Name \(name) exists already, with \(words), and is left as it is."
            let errors = manager.irm("name create \(name) lb spillover \(other)").errors
            #expect(errors == warning + " \"irm name set\" changes it.\n")
        }
        #expect(
            manager.irm("name create n lb spillover").errors == "irm: Name n exists already, and is left as it is.\n")
        manager.repeated = { if case .setName = $0 { true } else { false } }
        #expect(manager.irm("name set n lb spillover").errors == "irm: Name n has these settings already.\n")
        manager.repeated = { if case .registerName = $0 { true } else { false } }
        let registered = manager.irm("name register n layer l")
        #expect(registered.exitStatus == 0)
        #expect(registered.errors == "irm: n is registered with IPCP a already.\n")
    }

    @Test("without irmd its error is printed, and the status is 1")
    func unreachable() {
        let report = ManagementTool.run(["ipcp", "list"]) { () throws(ManagementError) -> FakeManager in
            throw ManagementError(.manager, reason: "Nobody home.")
        }
        #expect(
            report
                == {
                    var report = Report(); report.fail("Nobody home."); return report
                }())
    }

    @Test("a phrase of irmd becomes a line of its own")
    func phrases() {
        manager.add("a", .local, layer: "l")
        manager.refused = { _ in ManagementError(.name, reason: "there is no name n") }
        #expect(manager.irm("name destroy n").errors == "irm: there is no name n.\n")
        #expect(
            manager.irm("name unregister n layer l").errors
                == "irm: Failed to unregister from layer l: there is no name n.\n")
    }

    @Test("help and versions need no irmd")
    func help() {
        func irm(_ words: [Word]) -> Report {
            ManagementTool.run(words) { () throws(ManagementError) -> FakeManager in
                throw ManagementError(.manager)
            }
        }
        #expect(irm([]).exitStatus == 255)
        #expect(irm([]).output == Usage.irm.text)
        #expect(irm([]).errors == "")
        #expect(irm(["ipcp", "help"]).exitStatus == 0)
        #expect(irm(["ipcp", "help"]).output == Usage.ipcp.text)
        #expect(irm(["--version"]).output.hasPrefix("Ouroboros version 0.23.0 (commit "))
        let mistake = irm(["ipcp", "create", "name"])
        #expect(mistake.exitStatus == 1)
        #expect(mistake.output == "")
        #expect(mistake.errors == "irm: The value of \"name\" is missing. Try \"irm ipcp create --help\".\n")
        // Who asks for nothing but the command is shown it.
        #expect(irm(["ipcp", "create"]).output == Usage.createIPCP.text)
        #expect(irm(["ipcp"]).output == Usage.ipcp.text)
    }
}
