// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct CommandTests {
    private func parse(_ line: String) throws -> Parsed {
        try Grammar.parse(line.split(separator: " ").map { Word(Array($0.utf8)) })
    }

    private func command(_ line: String) throws -> Command { try parse(line).command }

    private func message(_ line: String) -> String? {
        let mistake = #expect(throws: UsageError.self) { try parse(line) }
        return mistake?.message
    }

    private func name<Kind>(_ text: String) throws -> Name<Kind> { try #require(Name(text)) }

    @Test("IPCPs are created and destroyed by name; later arguments override earlier ones")
    func ipcps() throws {
        #expect(try command("ipcp create name a type local") == .createIPCP(name("a"), .local))
        #expect(try command("ipcp create type local name a type eth-dix") == .createIPCP(name("a"), .ethernetDIX))
        #expect(try command("ipcp destroy name a name b") == .destroyIPCP(name("b")))
        for type in IPCPType.allCases {
            #expect(try command("ipcp create name a type \(type.name)") == .createIPCP(name("a"), type))
        }
        #expect(message("ipcp create name a type bogus") == "IPCP type \"bogus\" is unknown.")
        #expect(message("ipcp create name a type locl")?.contains("did you mean \"local\"?") == true)
    }

    @Test("names have 1 to 255 bytes, which need not be UTF-8")
    func names() throws {
        let longest = String(repeating: "n", count: 255)
        #expect(try command("name destroy \(longest)") == .destroyName(name(longest)))
        let tooLong = "Name too long: it has 256 bytes, and at most 255 are allowed."
        #expect(message("name destroy \(longest)n") == tooLong)
        #expect(message("ipcp create name \(longest)n type local") == tooLong)
        let empty = #expect(throws: UsageError.self) { try Grammar.parse(["name", "destroy", ""]) }
        #expect(empty?.message == "A name must not be empty.")
        let bytes: [UInt8] = [0xff, 0x80, 0x20]
        let parsed = try Grammar.parse(["name", "destroy", Word(bytes)]).command
        #expect(parsed == .destroyName(try #require(ServiceName(bytes))))
    }

    @Test("a name waits for so long, or as long as its client; settings can be changed one by one")
    func waiting() throws {
        func settings(_ wait: TimeSpan, _ balancing: LoadBalancing = .roundRobin) throws -> NameSettings {
            NameSettings(name: try name("n"), balancing: balancing, wait: wait)
        }
        #expect(try command("name create n") == .createName(settings(TimeSpan(nanoseconds: 0))))
        #expect(
            try command("name create n wait 5s lb spill") == .createName(settings(TimeSpan(seconds: 5), .spillover)))
        #expect(try command("name create n wait lb spill") == .createName(settings(.unlimited, .spillover)))
        #expect(try command("name create n wait") == .createName(settings(.unlimited)))
        #expect(try command("name create n wait 250") == .createName(settings(TimeSpan(milliseconds: 250))))
        #expect(try command("name create n wait 0") == .createName(settings(TimeSpan(nanoseconds: 0))))
        #expect(try command("name create n wait 99999999999999999999d") == .createName(settings(.unlimited)))
        #expect(
            try command("name set n wait 2m") == .setName(name("n"), balancing: nil, wait: TimeSpan(seconds: 120)))
        #expect(
            try command("n s n w 500ms lb round")
                == .setName(name("n"), balancing: .roundRobin, wait: TimeSpan(milliseconds: 500)))
        #expect(try command("name set n lb spillover") == .setName(name("n"), balancing: .spillover, wait: nil))
        #expect(message("name set n") == "\"irm name set\" needs a load-balance policy or a time to wait.")
        #expect(message("name set n wait 5x") == "\"5x\" is not a length of time: use for example 500ms, 5s or 2m.")
        #expect(message("name set n wait soon") == "\"soon\" is unknown, try \"irm name set --help\".")
        #expect(message("name set n lb fast") == "Load-balance policy \"fast\" is unknown.")
        #expect(message("name set") == "\"irm name set\" needs a name.")
    }

    @Test("lists are short, long or JSON; flows are ended by number")
    func styles() throws {
        #expect(try command("name list -l") == .listNames(name: nil, .long))
        #expect(try command("name list --long name x") == .listNames(name: "x", .long))
        #expect(try command("ipcp list --long --json") == .listIPCPs(IPCPFilter(), .json))
        #expect(try command("flow list --json -l") == .listFlows(name: nil, .json))
        #expect(try command("bind list") == .listBindings(name: nil, json: false))
        #expect(try command("b list n x* --json") == .listBindings(name: "x*", json: true))
        #expect(message("bind list --long") == "\"--long\" is unknown, try \"irm bind list --help\".")
        #expect(message("unbind list") == "\"list\" is unknown, try \"irm unbind help\".")
        #expect(try command("flow destroy 7") == .destroyFlow(FlowID(7)))
        #expect(try command("f d 4294967295") == .destroyFlow(FlowID(.max)))
        for word in ["x", "-1", "4294967296", "7x"] {
            #expect(
                message("flow destroy \(word)") == "\"\(word)\" is not the number of a flow, try \"irm flow list\".")
        }
        #expect(message("flow destroy 7 8") == "\"8\" is not the number of a flow, try \"irm flow list\".")
        #expect(message("flow destroy") == "\"irm flow destroy\" needs the number of a flow.")
        #expect(try command("flow show 7") == .showFlow(FlowID(7), json: false))
        #expect(try command("f s 4294967295 --json --json") == .showFlow(FlowID(.max), json: true))
        #expect(message("flow show 7x") == "\"7x\" is not the number of a flow, try \"irm flow list\".")
        #expect(message("flow show 7 8") == "\"8\" is unknown, try \"irm flow show --help\".")
        #expect(message("flow show 7 --long") == "\"--long\" is unknown, try \"irm flow show --help\".")
        #expect(message("flow show") == "\"irm flow show\" needs the number of a flow.")
        for line in ["bind list --help", "flow show --help", "flow destroy --help", "name set --help"] {
            guard case .help(let usage) = try command(line) else {
                Issue.record("no help")
                return
            }
            #expect(usage.text.contains("Usage: irm \(line.dropLast(7))"))
        }
    }

    @Test("enrolment needs a layer or a destination, which is the layer otherwise")
    func enroll() throws {
        guard case .enroll(let plain) = try command("ipcp enroll name a layer l"),
            case .enroll(let full) = try command("ipcp enroll name a dst d type broadcast autobind"),
            case .enroll(let both) = try command("ipcp enroll name a layer l dst d")
        else {
            Issue.record("no enrolment")
            return
        }
        #expect(plain.destination == (try name("l")))
        #expect(plain.layer == (try name("l")))
        #expect(plain.type == .unicast && !plain.autobind)
        #expect(full.layer == nil && full.type == .broadcast && full.autobind)
        #expect(both.destination == (try name("d")))
        #expect(message("ipcp enroll name a layer l type local")?.contains("do not enroll") == true)
    }

    @Test(
        "the component is a pattern",
        arguments: [
            ("", [Connection.Component.management, .dataTransfer]), ("component *", [.management, .dataTransfer]),
            ("component dt", [.dataTransfer]), ("component mgmt", [.management]), ("component m*", [.management]),
            ("c *t", [.management, .dataTransfer]),
        ])
    func components(_ words: String, _ components: [Connection.Component]) throws {
        guard case .connect(let connection, let quality) = try command("ipcp connect name a dst b \(words)"),
            case .disconnect(let other) = try command("ipcp disconnect name a dst b \(words)")
        else {
            Issue.record("no connection")
            return
        }
        #expect(connection.components == components)
        #expect(other.components == components)
        #expect(quality == .raw)
        #expect(message("ipcp connect name a dst b component x") == "Component \"x\" is unknown.")
    }

    @Test("an unknown quality is raw, with a warning")
    func quality() throws {
        for (word, quality) in [
            ("raw", QualityOfService.raw), ("best", .bestEffort), ("video", .video), ("voice", .voice),
            ("data", .data),
        ] {
            let parsed = try parse("ipcp connect name a dst b qos \(word)")
            guard case .connect(_, quality) = parsed.command else {
                Issue.record("\(parsed.command)")
                continue
            }
            #expect(parsed.warnings == [])
        }
        let parsed = try parse("ipcp connect name a dst b qos gold")
        guard case .connect(_, .raw) = parsed.command else {
            Issue.record("\(parsed.command)")
            return
        }
        #expect(parsed.warnings == ["Unknown QoS cube, defaulting to raw."])
    }

    @Test("lists have filters and JSON")
    func lists() throws {
        #expect(try command("ipcp list") == .listIPCPs(IPCPFilter(), .short))
        var filter = IPCPFilter()
        filter.name = "a*"
        filter.layer = "l"
        filter.type = .udp4
        #expect(try command("ipcp list --json type udp layer l name a*") == .listIPCPs(filter, .json))
        #expect(try command("name list name x* --json") == .listNames(name: "x*", .json))
        #expect(try command("flow list --json") == .listFlows(name: nil, .json))
        #expect(try command("status --json") == .status(json: true))
    }

    @Test("names are created round-robin, with the paths that are given")
    func createName() throws {
        var settings = NameSettings(name: try name("n"), balancing: .roundRobin)
        #expect(try command("name create n") == .createName(settings))
        settings.balancing = .spillover
        settings.server.encryption = [0x31]
        settings.server.certificate = [0x32]
        settings.server.key = [0x33]
        settings.client.encryption = [0x34]
        settings.client.certificate = [0x35]
        settings.client.key = [0x36]
        let line = "name create n lb spill sencpath 1 scrtpath 2 skeypath 3 cencpath 4 ccrtpath 5 ckeypath 6"
        #expect(try command(line) == .createName(settings))
        #expect(message("name create n lb bogus") == "Load-balance policy \"bogus\" is unknown.")
    }

    @Test("registrations have up to 128 IPCPs and as many layers")
    func registrations() throws {
        #expect(
            try command("name register n layer l ipcp i")
                == .register(Registration(name: name("n"), targets: [.layer("l"), .ipcp("i")])))
        let most = String(repeating: " layer l", count: 128) + String(repeating: " ipcp i", count: 128)
        guard case .register(let registration) = try command("name register n" + most) else {
            Issue.record("no registration")
            return
        }
        #expect(registration.targets.count == 256)
        for extra in [" layer l", " ipcp i"] {
            #expect(message("name register n" + most + extra) == "A command can name at most 128 IPCPs and 128 layers.")
        }
    }

    @Test("everything behind -- is the program's")
    func bindProgram() throws {
        let plain = ProgramBinding(program: "p", name: try name("n"), autoStart: false, arguments: [])
        #expect(try command("bind program p name n") == .bindProgram(plain))
        var auto = plain
        auto.autoStart = true
        auto.arguments = ["-l", "name", "--", "auto"].map { Array($0.utf8) }
        #expect(try command("bind program p auto name n -- -l name -- auto") == .bindProgram(auto))
        #expect(try command("bind program p name x auto name n -- -l name -- auto") == .bindProgram(auto))
        #expect(try parse("bind program p name n auto -- -l").warnings == [])
        #expect(try parse("bind program p name n -- -l").warnings.count == 1)
        let many = String(repeating: " a", count: 257)
        let tooMany = "A program can have at most 256 arguments"
        #expect(message("bind program p name n --" + many)?.hasPrefix(tooMany) == true)
        let long = String(repeating: "a", count: 8_193)
        #expect(message("bind program p name n -- " + long)?.hasPrefix(tooMany) == true)
    }

    @Test("processes and IPCPs are bound and unbound, the latter also from all names")
    func bindings() throws {
        #expect(try command("bind process 7 name n") == .bindProcess(ProcessID(7), name("n")))
        #expect(try command("bind ipcp i name n") == .bindIPCP(name("i"), name("n")))
        #expect(try command("unbind program p name n") == .unbindProgram("p", name("n")))
        #expect(try command("unbind program p") == .unbindProgram("p", nil))
        #expect(try command("unbind process 7") == .unbindProcess(ProcessID(7), nil))
        #expect(try command("unbind ipcp i") == .unbindIPCP(name("i"), nil))
    }

    @Test(
        "a star stands for any bytes",
        arguments: [
            ("*", "", true), ("*", "abc", true), ("a*", "abc", true), ("a*", "ba", false), ("*c", "abc", true),
            ("a*c", "abc", true), ("a*c", "ac", true), ("a*c", "acb", false), ("a*b*c", "aXbYbZc", true),
            ("**", "x", true), ("", "", true), ("", "x", false), ("abc", "abc", true), ("a.c", "abc", false),
            ("a?c", "abc", false), ("*ab", "aab", true), ("*ab*ab", "abab", true), ("*ab*ab", "ab", false),
        ])
    func wildcards(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Word(Array(pattern.utf8)).matches(Array(text.utf8)) == matches)
    }

    @Test("a pattern with many stars is not slow")
    func manyStars() {
        let pattern = Word(Array(String(repeating: "a*", count: 100).utf8) + [0x62])
        #expect(!pattern.matches(Array(repeating: 0x61, count: 255)))
    }
}
