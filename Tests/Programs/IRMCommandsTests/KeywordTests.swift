// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IRMCommands
import Testing
import Vocabulary

@Suite struct KeywordTests {
    private func command(_ line: String) throws -> Command {
        try Grammar.parse(line.split(separator: " ").map { Word(Array($0.utf8)) }).command
    }

    private func mistake(_ line: String) -> UsageError? {
        #expect(throws: UsageError.self) {
            try Grammar.parse(line.split(separator: " ").map { Word(Array($0.utf8)) })
        }
    }

    @Test(
        "abbreviations mean what the prototype's documents say",
        arguments: [
            // spec: irm-cli §1
            ("i l", "ipcp list"), ("n l", "name list"), ("i b n x l y", "ipcp bootstrap name x layer y"),
            ("b prog sh n x", "bind program sh name x"), ("i d n x", "ipcp destroy name x"),
            ("i c n x t local", "ipcp create name x type local"),
            ("i co n x d y", "ipcp connect name x dst y"), ("i di n x d y", "ipcp disconnect name x dst y"),
            ("i e n x l y", "ipcp enroll name x layer y"), ("n d x", "name destroy x"), ("n c x", "name create x"),
            ("n r x l y", "name register x layer y"), ("n u x i y", "name unregister x ipcp y"),
            ("b p sh name x", "bind program sh name x"), ("b pr sh name x", "bind program sh name x"),
            ("b proc 1 name x", "bind process 1 name x"), ("b i x n y", "bind ipcp x name y"),
            ("u p sh", "unbind program sh"), ("u proc 1", "unbind process 1"), ("u i x", "unbind ipcp x"),
            ("u h", "unbind help"), ("h", "help"), ("i h", "ipcp help"), ("n h", "name help"), ("b h", "bind help"),
            ("s", "status"), ("f l", "flow list"),
            // spec: irm-cli §2 bootstrap
            ("i b n x l y a 4 ty unicast", "ipcp bootstrap name x layer y addr 4 type unicast"),
            (
                "i b n x l y d 1.2.3.4 i 1.2.3.5 ty udp4",
                "ipcp bootstrap name x layer y dns 1.2.3.4 ip 1.2.3.5 type udp4"
            ),
            ("i b n x l y dev eth0 type eth-llc", "ipcp bootstrap name x layer y device eth0 type eth-llc"),
            ("i b n x l y devi lo de eth0 f 8", "ipcp bootstrap name x layer y dev lo dev eth0 eid 8"),
            ("i b n x l y h SHA3_224", "ipcp bootstrap name x layer y hash SHA3_224"),
            ("i b n x l y ho /h k /k", "ipcp bootstrap name x layer y hosts /h key /k"),
            ("i b n x l y di DHT", "ipcp bootstrap name x layer y directory DHT"),
            // older tutorials
            ("register name x layer y", "name register x layer y"),
            ("unregister name x layer y", "name unregister x layer y"),
            ("i b n x l y type udp ip 127.0.0.1", "ipcp bootstrap name x layer y type udp4 ip 127.0.0.1"),
            // the manual of 2020
            ("name list x", "name list name x*"), ("n l n", "name list name n*"), ("n l n x", "name list name x"),
            ("i co n x d y comp dt", "ipcp connect name x dst y component dt"),
        ])
    func abbreviations(_ short: String, _ full: String) throws {
        #expect(try command(short) == command(full))
    }

    @Test(
        "a prefix of several words is a mistake that lists them",
        arguments: [
            ("b pro 1 name x", "\"pro\" is ambiguous: program, process."),
            ("ipcp bootstrap t local", "\"t\" is ambiguous: type, ttl."),
            ("ipcp bootstrap dht_t 5", "\"dht_t\" is ambiguous: dht_t_expire, dht_t_refresh, dht_t_replicate."),
            ("ipcp bootstrap ls_t_ 5", "\"ls_t_\" is ambiguous: ls_t_recalc, ls_t_update, ls_t_timeo."),
            ("ipcp create name x type eth", "\"eth\" is ambiguous: eth-llc, eth-dix."),
            ("ipcp create name x type u", "\"u\" is ambiguous: unicast, udp4, udp6."),
            ("name create x s y", "\"s\" is ambiguous: sencpath, scrtpath, skeypath."),
        ])
    func ambiguous(_ line: String, _ message: String) {
        let mistake = mistake(line)
        #expect(mistake?.message == message)
        #expect(mistake?.exitStatus == 1)
    }

    @Test("a whole word is never ambiguous")
    func whole() throws {
        #expect(
            try command("ipcp bootstrap name x layer y addr 4")
                != command("ipcp bootstrap name x layer y addr_auth flat"))
        #expect(
            try command("ipcp bootstrap name x layer y type local") != command("ipcp bootstrap name x layer y ttl 5"))
    }

    @Test(
        "unknown words are refused with the prototype's words",
        arguments: [
            // spec: irm-cli §7
            ("foo", "\"foo\" is unknown, try \"irm help\"."),
            ("ipcp foo", "\"foo\" is unknown, try \"irm ipcp help\"."),
            ("name foo", "\"foo\" is unknown, try \"irm name help\"."),  // issue: not "irm ipcp help"
            ("bind foo", "\"foo\" is unknown, try \"irm bind help\"."),
            ("unbind foo", "\"foo\" is unknown, try \"irm unbind help\"."),
            ("ipcp create foo", "\"foo\" is unknown, try \"irm ipcp create --help\"."),
            ("ipcp list foo", "\"foo\" is unknown, try \"irm ipcp list --help\"."),
            ("name create n1 foo bar", "\"foo\" is unknown, try \"irm name create --help\"."),
            ("name destroy a b", "\"b\" is unknown, try \"irm name destroy --help\"."),
            ("ipcp bootstrap foo bar", "\"foo\" is unknown, try \"irm ipcp bootstrap --help\"."),
            ("ipcp bootstap", "\"bootstap\" is unknown (did you mean \"bootstrap\"?), try \"irm ipcp help\"."),
            ("ipc list x", "\"x\" is unknown, try \"irm ipcp list --help\"."),
            ("sttaus", "\"sttaus\" is unknown (did you mean \"status\"?), try \"irm help\"."),
            ("name list x y", "\"y\" is unknown, try \"irm name list --help\"."),
            ("name list --jsno", "\"--jsno\" is unknown (did you mean \"--json\"?), try \"irm name list --help\"."),
            ("bind program sh foo", "\"foo\" is unknown, try \"irm bind program --help\"."),
            ("bind program sh name x au", "\"au\" is unknown, try \"irm bind program --help\"."),
            ("regist name x layer y", "\"regist\" is unknown (did you mean \"register\"?), try \"irm help\"."),
            ("register ipcp x", "\"ipcp\" is unknown, try \"irm help\"."),
            ("status foo", "\"foo\" is unknown, try \"irm status help\"."),
            ("flow foo", "\"foo\" is unknown, try \"irm flow help\"."),
        ])
    func unknown(_ line: String, _ message: String) {
        #expect(mistake(line) == UsageError.plain(message))
    }

    @Test("a process id is a number above 0")
    func processes() {
        for (line, word, usage) in [
            ("bind process abc name x", "abc", Usage.bindProcess), ("bind process 0 name x", "0", .bindProcess),
            ("unbind process -1", "-1", .unbindProcess),
        ] {
            #expect(mistake(line) == UsageError.plain("\"\(word)\" is not a valid process id.", usage))
        }
    }

    @Test(
        "a keyword without its value gives the usage text and a message",
        arguments: [
            ("ipcp create name", "name", Usage.createIPCP), ("ipcp create type", "type", .createIPCP),
            ("ipcp destroy name", "name", .destroyIPCP), ("ipcp bootstrap name x layer", "layer", .bootstrap),
            ("ipcp bootstrap name x layer y hash", "hash", .bootstrap), ("ipcp enroll dst", "dst", .enroll),
            ("ipcp connect name x qos", "qos", .connect), ("ipcp disconnect dst", "dst", .disconnect),
            ("ipcp list layer", "layer", .listIPCPs), ("name create x lb", "lb", .createName),
            ("name register x layer", "layer", .register), ("name unregister x ipcp", "ipcp", .unregister),
            ("name list name", "name", .listNames), ("bind program sh name", "name", .bindProgram),
            ("bind process 1 name", "name", .bindProcess), ("bind ipcp x name", "name", .bindIPCP),
            ("unbind program sh name", "name", .unbindProgram), ("unbind process 1 name", "name", .unbindProcess),
            ("unbind ipcp x name", "name", .unbindIPCP), ("flow list name", "name", .listFlows),
        ])
    func missingValue(_ line: String, _ keyword: String, _ usage: Usage) {
        #expect(mistake(line) == UsageError.plain("The value of \"\(keyword)\" is missing.", usage))
    }

    @Test(
        "a command without what it needs gives its usage text",
        arguments: [
            ("ipcp", Usage.ipcp), ("name", .name), ("bind", .bind), ("unbind", .unbind), ("flow", .flow),
            ("ipcp create", .createIPCP), ("ipcp create name x", .createIPCP), ("ipcp create type local", .createIPCP),
            ("ipcp destroy", .destroyIPCP), ("ipcp bootstrap", .bootstrap), ("ipcp bootstrap name x", .bootstrap),
            ("ipcp enroll", .enroll), ("ipcp enroll name x", .enroll), ("ipcp enroll layer x", .enroll),
            ("ipcp connect", .connect), ("ipcp connect name x", .connect), ("ipcp disconnect name x", .disconnect),
            ("name create", .createName), ("name destroy", .destroyName), ("name register", .register),
            ("name register x", .register), ("name unregister x", .unregister), ("bind program", .bindProgram),
            ("bind program sh", .bindProgram), ("bind process", .bindProcess), ("bind process 1", .bindProcess),
            ("bind ipcp", .bindIPCP), ("bind ipcp x", .bindIPCP), ("unbind program", .unbindProgram),
            ("unbind process", .unbindProcess), ("unbind ipcp", .unbindIPCP),
            ("register", .register), ("register name x", .register), ("unregister name x", .register),
        ])
    func incomplete(_ line: String, _ usage: Usage) {
        let mistake = mistake(line)
        #expect(mistake?.usage == usage)
        #expect(mistake?.exitStatus == 1)
        #expect(mistake?.message.isEmpty == false)
    }

    @Test("a bare irm is 255")
    func bare() {
        let mistake = #expect(throws: UsageError.self) { try Grammar.parse([]) }
        #expect(mistake?.exitStatus == 255)
        #expect(mistake?.usage == .irm)
    }

    @Test(
        "--help asks for the usage text of what stands before it",
        arguments: [
            ("--help", Usage.irm), ("-h", .irm), ("ipcp --help", .ipcp), ("ipcp create --help", .createIPCP),
            ("i b -h", .bootstrap), ("name register --help", .register), ("bind process -h", .bindProcess),
            ("status --help", .status), ("status help", .status), ("name create --help", .createName),
            ("flow list --help", .listFlows),
            ("name list --help", .listNames),
        ])
    func help(_ line: String, _ usage: Usage) throws {
        #expect(try command(line) == .help(usage))
    }

    @Test("any words are a command or a mistake, and never trap")
    func random() {
        let words: [Word] = [
            "ipcp", "name", "bind", "unbind", "flow", "status", "register", "create", "destroy", "bootstrap", "enroll",
            "connect", "disconnect", "list", "program", "process", "type", "layer", "local", "udp4", "unicast", "ip",
            "dns", "device", "ethertype", "addr", "ttl", "port", "autobind", "addr_auth", "hash", "routing", "dst",
            "component", "qos", "lb", "scrtpath", "--", "--json", "--help", "auto", "*", "", "x", "0xA000", "1", "-1",
            "99999999999999999999", "i", "n", "b", "a", "d", "l", "t", Word([0xff]), Word([0xc3, 0x28]),
            Word(Array(repeating: 0x61, count: 256)),
        ]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let line = (0..<Int.random(in: 0...9, using: &generator)).compactMap { _ in
                words.randomElement(using: &generator)
            }
            do throws(UsageError) {
                _ = try Grammar.parse(line)
            } catch {
                #expect(error.exitStatus == 1 || line.isEmpty)
                #expect(!error.message.isEmpty || line.isEmpty)
            }
        }
    }
}

extension UsageError {
    /// One with the ordinary exit status.
    static func plain(_ message: String, _ usage: Usage? = nil) -> UsageError {
        UsageError(message, usage, exitStatus: 1)
    }
}
