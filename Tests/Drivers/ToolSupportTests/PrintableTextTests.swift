// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport
import Vocabulary

@Suite struct PrintableTextTests {
    @Test(
        "what cannot be seen, or changes how its neighbours are seen, is escaped",
        arguments: [
            ("", ""), ("plain text~ !", "plain text~ !"), ("é ü 日本 👍 Ω", "é ü 日本 👍 Ω"), ("\\", "\\\\"),
            ("\\x41", "\\\\x41"), ("a\u{0}b", "a\\x00b"), ("\u{1b}[2J\n\r\t", "\\x1b[2J\\x0a\\x0d\\x09"),
            ("\u{7f}", "\\x7f"), ("\u{80}\u{85}\u{9b}", "\\u0080\\u0085\\u009b"),
            ("pay\u{202e}yas", "pay\\u202eyas"), ("\u{61c}\u{200e}\u{200f}", "\\u061c\\u200e\\u200f"),
            ("\u{2066}\u{2069}", "\\u2066\\u2069"), ("\u{2028}\u{2029}", "\\u2028\\u2029"),
            ("a\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}", "a\\u200b\\u200c\\u200d\\u2060\\ufeff\\u00ad"),
            ("a\u{34f}\u{fe0f}\u{115f}\u{3164}\u{ffa0}", "a\\u034f\\ufe0f\\u115f\\u3164\\uffa0"),
            ("\u{e0001}\u{e0041}\u{e0100}", "\\U000e0001\\U000e0041\\U000e0100"),
            ("\u{a0}\u{2003}\u{3000}\u{1680}", "\\u00a0\\u2003\\u3000\\u1680"),
            ("\u{e000}\u{f0000}\u{10fffd}", "\\ue000\\U000f0000\\U0010fffd"),
            ("\u{378}", "\\u0378"),
            ("\u{301}a\u{301}", "\\u0301a\u{301}"), ("\u{20dd}", "\\u20dd"), ("\u{fffd}", "\u{fffd}"),
        ])
    func scalars(_ text: String, _ shown: String) {
        #expect(printable(text.utf8) == shown)
    }

    @Test(
        "a byte that is not UTF-8 is shown as it is",
        arguments: [
            ([0xff], "\\xff"), ([0x61, 0x80, 0x62], "a\\x80b"), ([0xc3], "\\xc3"), ([0xc3, 0x28], "\\xc3("),
            ([0xe2, 0x80], "\\xe2\\x80"), ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xc0, 0xaf], "\\xc0\\xaf"),
            ([0xef, 0xb7, 0x90, 0xef, 0xbf, 0xbe, 0xf4, 0x8f, 0xbf, 0xbf], "\\ufdd0\\ufffe\\U0010ffff"),
            ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"), ([0xe2, 0x80, 0xae, 0xff], "\\u202e\\xff"),
        ] as [([UInt8], String)])
    func bytes(_ bytes: [UInt8], _ shown: String) {
        #expect(printable(bytes) == shown)
    }

    @Test("all scalars: one line in one direction, and what is shown says what it was")
    func all() {
        var generator = SystemRandomNumberGenerator()
        for value in UInt32(0)...0x10ffff {
            // All of the first planes with characters, and a sample of the rest.
            guard let scalar = Unicode.Scalar(value), value < 0x4000 || .random(in: 0..<64, using: &generator) == 0
            else {
                continue
            }
            let text = String(Character(scalar))
            let shown = printable(text.utf8)
            #expect(restored(shown) == Array(text.utf8))
            let isPlain = shown.unicodeScalars.allSatisfy { $0.isPlain }
            #expect(isPlain)
        }
    }

    @Test("any bytes come back")
    func random() {
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) }
            #expect(restored(printable(bytes)) == bytes)
            let sentence = printable(bytes)
            #expect(printable(sentence: sentence.utf8) == sentence)
        }
    }

    @Test("JSON escapes the same characters")
    func json() {
        #expect(JSON.text("a\u{202e}\u{2028}\u{9b}\u{7f}é👍").text == "\"a\\u202e\\u2028\\u009b\\u007fé👍\"")
        #expect(JSON.text("\u{e0001}\u{1}").text == "\"\\udb40\\udc01\\u0001\"")
    }

    @Test("columns stay where they are beside wide and combining characters")
    func columns() {
        #expect(columnsOnTerminal("日本") == 4)
        #expect(columnsOnTerminal("e\u{301}") == 1)
        #expect(left("日本", width: 6) == "日本  ")
        #expect(right("e\u{301}", width: 3) == "  e\u{301}")
    }

    /// What a shell makes of the text between `$'` and `'`.
    private func restored(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let character = rest.unicodeScalars.popFirst() {
            guard character == "\\", let kind = rest.unicodeScalars.popFirst() else {
                bytes += Array(String(Character(character)).utf8)
                continue
            }
            let digits = kind == "x" ? 2 : kind == "u" ? 4 : kind == "U" ? 8 : 0
            let number = UInt32(rest.unicodeScalars.prefix(digits).map(String.init).joined(), radix: 16) ?? 0
            rest.unicodeScalars.removeFirst(digits)
            switch kind {
            case "x": bytes.append(UInt8(number))
            case "u", "U": bytes += Unicode.Scalar(number).map { Array(String(Character($0)).utf8) } ?? []
            default: bytes += Array(String(Character(kind)).utf8)
            }
        }
        return bytes
    }
}

@Suite struct ColourTests {
    @Test(
        "colours are for terminals that can, and for users who did not say no",
        arguments: [
            (Colour.auto, true, nil, "xterm", true), (.auto, false, nil, "xterm", false),
            (.auto, true, "1", "xterm", false), (.auto, true, nil, "dumb", false), (.auto, true, nil, nil, false),
            (.always, false, "1", "dumb", true), (.never, true, nil, "xterm", false),
        ] as [(Colour, Bool, String?, String?, Bool)])
    func colours(_ when: Colour, _ isTerminal: Bool, _ noColour: String?, _ kind: String?, _ expected: Bool) {
        #expect(when.applies(toTerminal: isTerminal, noColour: noColour, kind: kind) == expected)
    }
}
