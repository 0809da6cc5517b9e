// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport

@Suite struct BashLineTests {
    @Test(
        "words are what bash makes of them, and nothing is expanded",
        arguments: [
            ("irm name ", ["name", ""]), ("irm name", ["name"]), ("irm", []), ("irm a\\ b c", ["a b", "c"]),
            ("irm $'a\\", ["a"]), ("irm $'a\\x", ["a"]), ("irm $'a\\x1", ["a"]), ("irm $'a\\u00e", ["a"]),
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
        // Neither with an escape that has begun.
        #expect(BashLine(Array("irm a\\".utf8)).replacement(by: Array("ab".utf8)) == nil)
        #expect(BashLine(Array("irm $'a\\x1".utf8)).replacement(by: Array("a\n".utf8)) == nil)
    }

    @Test("where several proposals are alike, as far as that is typed, each of them goes on")
    func alike() {
        let letters = Array("a \u{1}\u{1b}\n'\"\\$!\u{e9}\u{200e}".utf8) + [0x1f, 0xff, 0xfe]
        for _ in 0..<5_000 {
            let beginning = Array("ab".utf8) + (0..<Int.random(in: 0...2)).map { _ in letters.randomElement() ?? 1 }
            let words = (0..<3).map { _ in
                beginning + (0..<Int.random(in: 0...4)).map { _ in letters.randomElement() ?? 1 }
            }
            for (open, close) in [("\"", "\""), ("'", "'"), ("$'", "'"), ("", "")] {
                let line = Array("irm \(open)ab".utf8)
                // What stands in front of what readline replaces.
                let before = line.dropLast(2)
                let proposals = words.compactMap { BashLine(line).replacement(by: $0) }
                let alike = proposals.dropFirst().reduce(proposals.first ?? []) { alike, next in
                    Array(zip(alike, next).prefix { $0 == $1 }.map(\.0))
                }
                // As after another Tab; the quotes that are open now may be others.
                for word in words {
                    let middle = BashLine(before + alike)
                    guard let rest = middle.replacement(by: word) else {
                        Issue.record("\(word) is no longer proposed behind \(before + alike)")
                        continue
                    }
                    let whole = before + alike.dropLast(middle.replaced.count) + rest
                    #expect(
                        [whole, whole + Array(close.utf8), whole + [0x27], whole + [0x22]]
                            .contains { BashLine(Array($0)).words == [word] })
                }
            }
        }
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
