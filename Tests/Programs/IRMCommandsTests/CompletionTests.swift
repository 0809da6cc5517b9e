// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ManagementClient
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct CompletionTests {
    private let manager = FakeManager()

    /// What is proposed for the last word, which may be empty.
    private func proposals(_ line: String) -> [String] {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { Word(Array($0.utf8)) }
        let answer = ManagementTool.complete(["words"] + words) { () throws(ManagementError) in manager }
        let records = String(decoding: answer, as: UTF8.self).dropLast()
            .split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        guard records.first == "words" else { return ["<\(records.first ?? "")>"] }
        return records.dropFirst().enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }

    @Test(
        "objects, verbs and keywords come from the tables",
        arguments: [
            ("u", ["unbind"]), ("ipcp b", ["bootstrap"]), ("i b n x a", ["addr", "addr_auth", "autobind"]),
            ("bind pro", ["program", "process"]), ("name create x l", ["lb"]),
            ("name create x lb ", ["round-robin", "spillover"]),
            ("ipcp connect comp", ["component"]), ("status --j", ["--json"]), ("ipcp list --j", ["--json"]),
            ("nonsense ", []), ("ipcp nonsense ", []), ("ipcp create name ", []), ("register name n l", ["layer"]),
            ("bind program ", ["<command>"]), ("bind program x auto -- ", ["<file>"]),
            ("ipcp bootstrap type udp4 key ", ["<file>"]), ("ipcp enroll type ", ["unicast", "broadcast"]),
        ])
    func grammar(_ line: String, _ expected: [String]) {
        #expect(proposals(line) == expected)
    }

    @Test("options are those of the type, which the line says or the IPCP has")
    func types() throws {
        manager.add("u", .udp6)
        for line in ["ipcp bootstrap type udp6 ", "ipcp bootstrap name u "] {
            let words = proposals(line)
            #expect(words.contains("dns") && words.contains("layer"))
            #expect(!words.contains("ttl") && !words.contains("dev"))
        }
        #expect(!proposals("ipcp bootstrap type local type udp6 ").contains("type"))
        #expect(proposals("ipcp bootstrap layer ").isEmpty)
        #expect(proposals("name register n layer x lay") == ["layer"])
    }

    @Test("what runs is proposed, whatever its name, once")
    func running() throws {
        manager.add("a b", .local, layer: "$(x)")
        manager.add("c", .local, layer: "$(x)")
        manager.addName(try #require(ServiceName("*")))
        #expect(proposals("ipcp destroy name ") == ["a b", "c"])
        #expect(proposals("name register n layer ") == ["$(x)"])
        #expect(proposals("name destroy ") == ["*"])
        #expect(proposals("name list ").contains("*"))
        #expect(proposals("unbind ipcp a") == ["a b"])
    }

    @Test("bash gets what it can put into the line")
    func bash() throws {
        manager.addName(try #require(ServiceName("a b$(x)")))
        let answer = ManagementTool.complete(["bash", "irm name destroy a"]) { () throws(ManagementError) in manager }
        #expect(String(decoding: answer, as: UTF8.self) == "words\0a\\ b\\$\\(x\\)\0")
    }

    @Test("without irmd nothing of it is proposed")
    func unreachable() {
        let answer = ManagementTool.complete(["words", "name", "destroy", ""]) {
            () throws(ManagementError) -> FakeManager in throw ManagementError(.manager)
        }
        #expect(String(decoding: answer, as: UTF8.self) == "words\0")
    }
}
