// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport

@Suite struct OptionTableTests {
    private enum Key { case verbose, count, only }
    private let table = OptionTable<Key>(
        "x", synopsis: "Usage: x [OPTION]...",
        [
            CommandOption(.verbose, "v", "verbose", "Say more"),
            CommandOption(.count, "c", "count", "How many", argument: "NUMBER"),
            CommandOption(.only, nil, "only-long", "No short form"),
        ])

    private func read(_ words: [String]) throws -> (given: [OptionTable<Key>.Given], operands: [[UInt8]]) {
        guard case .given(let given, let operands) = try table.read((["x"] + words).map { Array($0.utf8) }) else {
            Issue.record("\(words) has an answer")
            return ([], [])
        }
        return (given, operands)
    }

    private func parse(_ words: String...) throws -> (given: [(Key, String)], operands: [String]) {
        let (given, operands) = try read(words)
        return (given.map { ($0.key, $0.text) }, operands.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test("all forms of an option mean the same")
    func forms() throws {
        for words in [["-c", "5"], ["-c5"], ["--count", "5"], ["--count=5"], ["--cou", "5"]] {
            let (given, operands) = try read(words)
            #expect(given.map(\.key) == [.count])
            #expect(given.map(\.text) == ["5"])
            #expect(operands.isEmpty)
        }
        let grouped = try parse("-vc3", "--only-long", "-v")
        #expect(grouped.given.map(\.0) == [.verbose, .count, .only, .verbose])
    }

    @Test("words that are no options are left, wherever they stand")
    func operands() throws {
        let result = try parse("a", "-v", "b", "--", "-v")
        #expect(result.given.map(\.0) == [.verbose])
        #expect(result.operands == ["a", "b", "-v"])
        #expect(try parse().operands == [])
    }

    @Test("bytes that are not UTF-8 arrive as they are")
    func bytes() throws {
        guard case .given(let given, _) = try table.read([Array("x".utf8), Array("-c".utf8), [0xff, 0xfe]]) else {
            Issue.record("an answer")
            return
        }
        #expect(given.map(\.value) == [[0xff, 0xfe]])
    }

    @Test(
        "mistakes name the word",
        arguments: [
            (["--bogus"], "Unknown option: --bogus."), (["-v", "-z"], "Unknown option: -z."),
            (["-vz"], "Unknown option: -vz."), (["-c"], "Option -c needs an argument."),
            (["--count"], "Option --count needs an argument."), (["a", "-v", "--xyz", "b"], "Unknown option: --xyz."),
            (["--verbos", "--cuont"], "Unknown option: --cuont, did you mean --count?"),
            (["--verbose=1"], "Option --verbose takes no argument."),
        ])
    func mistakes(_ words: [String], _ message: String) {
        let mistake = #expect(throws: OptionTable<Key>.Mistake.self) {
            try table.read((["x"] + words).map { Array($0.utf8) })
        }
        #expect(mistake?.message == message)
    }

    @Test("the usage text comes from the table")
    func usage() {
        #expect(
            table.usage == """
                Usage: x [OPTION]...

                  -v, --verbose       Say more
                  -c, --count NUMBER  How many
                      --only-long     No short form
                  -h, --help          Print this text and exit
                      --version       Print the version and the commit, and exit

                """)
    }

    @Test(
        "completions come from the table",
        arguments: [
            ([""], ["-v", "--verbose", "-c", "--count", "--only-long", "-h", "--help", "--version"]),
            (["--ver"], ["--verbose", "--version"]), (["-c", ""], []), (["--count", "1"], []),
            (["x", "--o"], ["--only-long"]),
        ])
    func completions(_ words: [String], _ expected: [String]) throws {
        let line = (["x", "--complete", "words"] + words).map { Array($0.utf8) }
        guard case .answer(let bytes) = try table.read(line) else {
            Issue.record("no answer")
            return
        }
        let records = String(decoding: bytes, as: UTF8.self).dropLast().split(
            separator: "\0", omittingEmptySubsequences: false)
        #expect(records[0] == "words")
        #expect(records.dropFirst().enumerated().filter { $0.offset % 2 == 0 }.map { String($0.element) } == expected)
    }
}
