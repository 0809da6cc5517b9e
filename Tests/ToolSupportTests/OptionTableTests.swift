// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport

@Suite struct OptionTableTests {
    private enum Key { case verbose, count, only }
    private let table = OptionTable<Key>(
        synopsis: "Usage: x [OPTIONS]",
        [
            CommandOption(.verbose, "v", "verbose", "Say more"),
            CommandOption(.count, "c", "count", "How many", argument: "number"),
            CommandOption(.only, nil, "only-long", "No short form"),
        ])

    private func parse(_ words: String...) throws -> (given: [(Key, String)], operands: [String]) {
        let (given, operands) = try table.parse((["x"] + words).map { Array($0.utf8) })
        return (given.map { ($0.key, $0.text) }, operands.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test("all forms of an option mean the same")
    func forms() throws {
        for words in [["-c", "5"], ["-c5"], ["--count", "5"], ["--count=5"], ["--cou", "5"]] {
            let (given, operands) = try table.parse((["x"] + words).map { Array($0.utf8) })
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
        let (given, _) = try table.parse([Array("x".utf8), Array("-c".utf8), [0xff, 0xfe]])
        #expect(given.map(\.value) == [[0xff, 0xfe]])
    }

    @Test(
        "mistakes name the word",
        arguments: [
            (["--bogus"], "Unknown option: --bogus."), (["-v", "-z"], "Unknown option: -z."),
            (["-vz"], "Unknown option: -vz."), (["-c"], "Option -c needs an argument."),
            (["--count"], "Option --count needs an argument."), (["a", "-v", "--xyz", "b"], "Unknown option: --xyz."),
            (["--verbose=1"], "Unknown option: --verbose=1."),
        ])
    func mistakes(_ words: [String], _ message: String) {
        let mistake = #expect(throws: OptionTable<Key>.Mistake.self) {
            try table.parse((["x"] + words).map { Array($0.utf8) })
        }
        #expect(mistake?.message == message)
    }

    @Test("usage and completions come from the same table")
    func derived() {
        #expect(
            table.usage == """
                Usage: x [OPTIONS]

                  -v, --verbose         Say more
                  -c, --count <number>  How many
                      --only-long       No short form

                """)
        #expect(table.completions.map(\.word) == ["-v", "--verbose", "-c", "--count", "--only-long"])
        #expect(table.completions.map(\.hasArgument) == [false, false, true, true, false])
    }
}
