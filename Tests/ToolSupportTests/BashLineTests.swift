// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport

@Suite struct BashLineTests {
    @Test(
        "words are what bash makes of them, and nothing is expanded",
        arguments: [
            ("irm name ", ["name", ""]), ("irm name", ["name"]), ("irm", []), ("irm a\\ b c", ["a b", "c"]),
            ("irm 'a b' \"c d\"e", ["a b", "c de"]), ("irm \"a$b`c\\$\\\"\\x", ["a$b`c$\"\\x"]),
            ("irm $'a\\n\\x41\\u00e9\\\\' x", ["a\nAé\\", "x"]), ("irm $(touch x) *", ["$(touch", "x)", "*"]),
            ("irm 'open ", ["open "]), ("irm a\\", ["a"]), ("irm   a\t b", ["a", "b"]), ("irm ''", [""]),
            ("irm '' x", ["", "x"]), ("irm $'\\q", ["\\q"]), ("irm a=b:c", ["a=b:c"]),
        ])
    func words(_ line: String, _ words: [String]) {
        #expect(BashLine(Array(line.utf8)).words == words.map { Array($0.utf8) })
    }

    @Test(
        "a proposal goes on where the user stopped",
        arguments: [
            ("irm ", "a b", "a\\ b"), ("irm ", "$(touch x)", "\\$\\(touch\\ x\\)"), ("irm ", "*", "\\*"),
            ("irm a", "a`b`", "a\\`b\\`"), ("irm a\\ ", "a b'c", "a\\ b\\'c"), ("irm a\\", "a b", "a\\ b"),
            ("irm \"a", "a $x\"!", "a \\$x\\\"\"'!'\""), ("irm 'a", "a'b", "a'\\''b"), ("irm $'a", "a'\\", "a\\'\\\\"),
            // readline replaces only what stands behind these characters
            ("irm a:", "a:b", "b"), ("irm a=b@", "a=b@c d", "c\\ d"), ("irm a\\:b", "a:bc", "a\\:bc"),
            ("irm ", "a\nb\u{202e}c", "a$'\\x0a'b$'\\xe2\\x80\\xae'c"), ("irm \"", "a\nb", "a\"$'\\x0a'\"b"),
            ("irm '", "a\nb", "a'$'\\x0a''b"), ("irm ", "-x", "-x"), ("irm ", "~x", "\\~x"), ("irm ", "#x", "\\#x"),
            ("irm ", "é", "é"), ("irm ", "{a,b}", "\\{a,b\\}"), ("irm 'a'b", "abc", "bc"),
        ])
    func replacements(_ line: String, _ candidate: String, _ replacement: String) throws {
        let found = try #require(BashLine(Array(line.utf8)).replacement(by: Array(candidate.utf8)))
        #expect(String(decoding: found, as: UTF8.self) == replacement)
    }

    @Test("what does not begin as the user did is not proposed")
    func others() {
        #expect(BashLine(Array("irm x".utf8)).replacement(by: Array("a".utf8)) == nil)
        #expect(BashLine(Array("irm 'a b".utf8)).replacement(by: Array("a c".utf8)) == nil)
    }

    @Test("a quoted word is that word, whatever its bytes")
    func random() {
        for _ in 0..<5_000 {
            let word = (0..<Int.random(in: 1...12)).map { _ in
                Bool.random()
                    ? UInt8.random(in: 1...255) : Array(" \t\n'\"\\$`!*?[]{}()<>|&;~#-=:@".utf8).randomElement() ?? 1
            }
            #expect(BashLine(Array("irm ".utf8) + BashLine.quoted(word)).words == [word])
            for (open, close) in [("\"", "\""), ("'", "'"), ("$'", "'"), ("", "")] {
                let line = Array("irm \(open)".utf8)
                let rest = BashLine(line).replacement(by: word) ?? []
                #expect(BashLine(line + rest + Array(close.utf8)).words == [word])
            }
        }
    }
}

@Suite struct NearestTests {
    @Test(
        "the nearest word is the one that was meant",
        arguments: [
            ("bootstap", "bootstrap"), ("bootsrtap", "bootstrap"), ("lst", "list"), ("craete", "create"), ("x", nil),
            ("", nil), ("foo", nil), ("list", nil), (String(repeating: "a", count: 10_000), nil),
        ] as [(String, String?)])
    func nearest(_ word: String, _ expected: String?) {
        #expect(ToolSupport.nearest(to: word, among: ["create", "destroy", "bootstrap", "list"]) == expected)
    }
}
