// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import ToolSupport
import Vocabulary

@Suite struct JSONTests {
    @Test("strings are escaped, and what is not UTF-8 is replaced")
    func strings() {
        #expect(JSON.text("a\"b\\c\n\r\t\u{1}\u{7f}é").text == #""a\"b\\c\n\r\t\u0001\u007fé""#)
        #expect(JSON.string([0x61, 0xff, 0x62]).text == "\"a\u{fffd}b\"")
        #expect(JSON.text("").text == "\"\"")
    }

    @Test("numbers that JSON has no word for are null")
    func numbers() {
        #expect(JSON.number(.nan).text == "null")
        #expect(JSON.number(.infinity).text == "null")
        #expect(JSON.number(0.5).text == "0.5")
        #expect(JSON.natural(.max).text == "18446744073709551615")
        #expect(JSON.integer(-1).text == "-1")
    }

    @Test("members keep their order, and levels are indented")
    func nesting() {
        let value = JSON.members([
            "b": .array([.natural(1), .null]), "a": .members([:]), "c": .array([]), "d": .bool(true),
        ])
        #expect(
            value.text == """
                {
                  "b": [
                    1,
                    null
                  ],
                  "a": {},
                  "c": [],
                  "d": true
                }
                """)
    }
}

@Suite struct TableTests {
    @Test("a framed table is that of the prototype")
    func framed() {
        var table = FramedTable([("pid", 7), ("name", 20), ("type", 10), ("layer", 20)])
        table.append(["14850", "local-ipcp", "local", "local-layer"])
        table.append(["12721", "ipcp2", "unicast", "Not enrolled."])
        // spec: irm-cli §2 list
        #expect(
            table.text == """
                +---------+----------------------+------------+----------------------+
                |     pid |                 name |       type |                layer |
                +---------+----------------------+------------+----------------------+
                |   14850 |           local-ipcp |      local |          local-layer |
                |   12721 |                ipcp2 |    unicast |        Not enrolled. |
                +---------+----------------------+------------+----------------------+

                """)
    }

    @Test("a value that is too long widens its line only")
    func widening() {
        var table = FramedTable([("a", 3), ("b", 2)])
        table.append(["12345", "x"])
        #expect(table.text == "+-----+----+\n|   a |  b |\n+-----+----+\n| 12345 |  x |\n+-----+----+\n")
    }

    @Test("a plain table is as wide as its values")
    func plain() {
        var table = PlainTable([("N", .right), ("NAME", .left)])
        table.append(["10", "a"])
        table.append(["9", "long name"])
        #expect(table.text(indentation: " ") == "  N  NAME\n 10  a\n  9  long name\n")
    }
}

@Suite struct NumberTests {
    @Test(
        "decimals are rounded and complete",
        arguments: [
            (0.0574999, 3, "0.057"), (57, 3, "57.000"), (600.679, 3, "600.679"), (0.9996, 3, "1.000"),
            (-1.25, 1, "-1.2"), (12, 0, "12"), (-0.0001, 3, "0.000"), (.nan, 3, "NaN"), (.infinity, 1, "inf"),
        ] as [(Double, Int, String)])
    func decimals(_ value: Double, _ count: Int, _ text: String) {
        #expect(fixed(value, decimals: count) == text)
    }

    @Test(
        "durations have a number and a unit",
        arguments: [
            ("200", 200), ("200ms", 200), ("3s", 3_000), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000),
            ("0", 0), ("99999999999999999999", .max), ("9999999999999999d", .max),
        ] as [(String, UInt64)])
    func durations(_ text: String, _ milliseconds: UInt64) throws {
        #expect(try WrittenDuration.milliseconds(text) == milliseconds)
    }

    @Test("other units are mistakes, and so is no number")
    func mistakes() {
        #expect(throws: WrittenDuration.Mistake.unknownUnit("x")) { try WrittenDuration.milliseconds("5x") }
        #expect(throws: WrittenDuration.Mistake.unknownUnit("s ")) { try WrittenDuration.milliseconds("5s ") }
        for text in ["", "s", "-5", "ms", "٣"] {
            #expect(throws: WrittenDuration.Mistake.noNumber) { try WrittenDuration.milliseconds(text) }
        }
    }

    @Test("people read the two largest units")
    func spans() {
        #expect(readable(TimeSpan(seconds: 0)) == "0 s")
        #expect(readable(TimeSpan(milliseconds: 1_999)) == "1 s")
        #expect(readable(TimeSpan(seconds: 130)) == "2 min 10 s")
        #expect(readable(TimeSpan(seconds: 7_200)) == "2 h")
        #expect(readable(TimeSpan(seconds: 90_061)) == "1 d 1 h")
    }
}
