// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Shims
import Testing
import Vocabulary

@Suite struct HostsFileTests {
    /// Names are their own hashes here.
    private func parse(
        _ text: String, _ family: DatagramAddress.Family = .ipv4, high: UInt64 = 0, scope: UInt32 = 0
    ) -> HostsFile {
        let own = DatagramAddress(family: family, high: high, low: 9, port: 3_435, scope: scope)
        return HostsFile(parsing: Array(text.utf8), for: own, interface: { $0 == Array("eth0".utf8) ? 7 : nil }) { $0 }
    }

    private func address(_ name: String, in file: HostsFile) -> String? {
        file.address(of: Array(name.utf8))?.description
    }

    @Test("a line has an address and names; blanks, comments and empty lines mean nothing")
    func lines() {
        let file = parse("# all\n\n  10.0.0.1\techo  oping # both\r\n10.0.0.2 other#x\n#10.0.0.3 none\n10.0.0.4 last")
        #expect(file.mistakes.isEmpty)
        #expect(file.count == 4)
        for (name, text) in [
            ("echo", "10.0.0.1:3435"), ("oping", "10.0.0.1:3435"), ("other", "10.0.0.2:3435"),
            ("last", "10.0.0.4:3435"),
        ] {
            #expect(address(name, in: file) == text)
        }
        #expect(address("none", in: file) == nil)
        #expect(parse("").count == 0)
    }

    @Test("addresses of the other family are for another layer, and no mistakes")
    func families() {
        let text = "10.0.0.1 echo\n2001:db8::1 echo\n"
        #expect(address("echo", in: parse(text)) == "10.0.0.1:3435")
        #expect(address("echo", in: parse(text, .ipv6)) == "[2001:db8::1]:3435")
        #expect(parse(text).mistakes.isEmpty)
    }

    @Test("link-local addresses are on the link of the layer, if they do not say on which")
    func linkLocal() {
        let text = "fe80::1 a\nfe80::2%eth0 b\nfe80::3%eth1 c\nfe80::4%8 d\n::1%eth0 e"
        let bound = parse(text, .ipv6, high: 0xfe80 << 48, scope: 7)
        #expect(address("a", in: bound) == "[fe80::1%7]:3435" && address("b", in: bound) == "[fe80::2%7]:3435")
        #expect(
            bound.mistakes.map(\.description) == [
                "line 3: the network interface of \"fe80::3%eth1\" does not exist",
                "line 4: \"fe80::4%8\" is not on the interface of the layer",
                "line 5: \"::1%eth0\" is not link-local, so it cannot name an interface",
            ])
        let free = parse(text, .ipv6)
        #expect(address("b", in: free) == "[fe80::2%7]:3435" && address("d", in: free) == "[fe80::4%8]:3435")
        #expect(
            free.mistakes.first?.description
                == "line 1: \"fe80::1\" is link-local, and needs an interface, as in fe80::1%eth0")
        #expect(parse(text).mistakes.isEmpty)
    }

    @Test("garbage names its line, and the rest still counts")
    func garbage() {
        let long = String(repeating: "n", count: Limits.nameBytes + 1)
        let file = parse("10.0.0.1 a\n\nrubbish \u{1} here\n10.0.0.2\n10.0.0.3 \(long) c\n10.0.0.4 d\n")
        #expect(
            file.mistakes.map(\.description) == [
                "line 3: \"rubbish\" is not an address", "line 4: no name follows the address \"10.0.0.2\"",
                "line 5: \"\(String(repeating: "n", count: Limits.reportedBytes))\" is not a name: it is longer than 255 bytes, or has a zero byte",
            ])
        #expect(["a", "c", "d"].allSatisfy { address($0, in: file) != nil })
    }

    @Test("whatever an editor leaves around lines and words is none of them")
    func odd() {
        let mark = "\u{feff}"
        for text in [
            mark + "10.0.0.1 a b", "10.0.0.1 a\r\n10.0.0.1 b\r\n", "10.0.0.1 a\r10.0.0.1 b", "10.0.0.1 a b\r",
            "10.0.0.1\u{a0}a\u{3000}b", "10.0.0.1\u{2003}a\u{2028}b\u{2029}", "\u{200b}10.0.0.1\u{200b} a b\u{200b}",
            "10.0.0.1 \(mark)a\(mark) \(mark)b", "\t 10.0.0.1\u{b}a\u{c}b\u{85}", "10.0.0.1 a\u{202f}b\u{205f}\u{2060}",
            mark + mark + "10.0.0.1 a b # \u{a0}c\u{0}d", "\r\r\n\n10.0.0.1 a b#", "10.0.0.1\u{1680}a b",
        ] {
            let file = parse(text)
            #expect(file.mistakes.isEmpty && file.count == 2, "\(text.debugDescription)")
            #expect(address("a", in: file) == "10.0.0.1:3435" && address("b", in: file) == "10.0.0.1:3435")
        }
    }

    @Test("lines are counted as people count them, whatever ends them")
    func numbers() {
        #expect(parse("#\r\n\r\nrubbish\r\n").mistakes.map(\.line) == [3])
        #expect(parse("#\r\rrubbish\r").mistakes.map(\.line) == [3])
        #expect(parse("\u{feff}rubbish").mistakes.map(\.description) == ["line 1: \"rubbish\" is not an address"])
    }

    @Test("names are bytes: case counts, joiners stay, and what is not UTF-8 is a name; a zero byte is in none")
    func names() {
        let file = parse("10.0.0.1 A a \u{e9}\u{200d}x \u{0}z\n")
        #expect(file.count == 3)
        #expect(address("A", in: file) != nil && address("\u{e9}\u{200d}x", in: file) != nil)
        #expect(file.mistakes.map(\.fault) == [.longName])
        let own = DatagramAddress(family: .ipv4, high: 0, low: 9, port: 1)
        let bytes = Array("10.0.0.1 ".utf8) + [0xff, 0xc2, 0xe2, 0x80] + Array(" 10.0.0.2\n".utf8)
        let odd = HostsFile(parsing: bytes, for: own) { $0 }
        #expect(odd.address(of: [0xff, 0xc2, 0xe2, 0x80]) != nil)
    }

    @Test("a file of UTF-16 is said to be one, once")
    func sixteen() {
        let own = DatagramAddress(family: .ipv4, high: 0, low: 9, port: 1)
        let words = Array("\u{feff}10.0.0.1 a\n10.0.0.1 b\n".utf16)
        for bytes in [
            words.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }, words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] },
        ] {
            let file = HostsFile(parsing: bytes, for: own) { $0 }
            #expect(file.count == 0)
            #expect(file.mistakes.map(\.description) == ["line 1: the file is not UTF-8 but UTF-16: save it as UTF-8"])
        }
    }

    @Test("a line may be as long as the file")
    func longLine() {
        let file = parse("10.0.0.1 " + (0..<20_000).map { "name\($0)" }.joined(separator: " "))
        #expect(file.count == 20_000 && file.mistakes.isEmpty)
        let noise = parse(String(repeating: "x", count: 1 << 20))
        #expect(noise.mistakes.first?.word.count == Limits.reportedBytes)
    }

    @Test("the last line of a name counts, and there is an end of names and of mistakes")
    func bounds() {
        #expect(address("a", in: parse("10.0.0.1 a\n10.0.0.2 a\n")) == "10.0.0.2:3435")
        let many = parse("10.0.0.1 " + (0..<Limits.names + 2).map(String.init).joined(separator: " "))
        #expect(many.count == Limits.names)
        #expect(many.mistakes.map(\.fault) == [.tooManyNames])
        let wrong = parse(String(repeating: "?\n", count: 1_000))
        #expect(wrong.mistakes.count == Limits.reportedMistakes && wrong.mistakeCount == 1_000)
    }

    @Test("any bytes are a hosts file")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("1.2 :\n#".utf8)
        for _ in 0..<1_000 {
            let bytes = (0..<Int.random(in: 0...100, using: &generator)).compactMap { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator) : alphabet.randomElement(using: &generator)
            }
            let own = DatagramAddress(family: .ipv6, high: 0, low: 1, port: 1)
            _ = HostsFile(parsing: bytes, for: own) { $0 }
        }
    }
}
