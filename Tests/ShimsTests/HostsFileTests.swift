// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Testing
import Vocabulary

@Suite struct HostsFileTests {
    /// Names are their own hashes here.
    private func parse(_ text: String, _ family: DatagramAddress.Family = .ipv4) -> HostsFile {
        HostsFile(parsing: Array(text.utf8), family: family, port: 3_435) { $0 }
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

    @Test("garbage names its line, and the rest still counts")
    func garbage() {
        let long = String(repeating: "n", count: Limits.nameBytes + 1)
        let file = parse("10.0.0.1 a\n\nrubbish \u{1} here\n10.0.0.2\n10.0.0.3 \(long) c\n10.0.0.4 d\n")
        #expect(
            file.mistakes.map(\.description) == [
                "line 3: \"rubbish\" is no address", "line 4: no name for \"10.0.0.2\"",
                "line 5: \"\(String(repeating: "n", count: Limits.reportedBytes))\" is longer than 255 bytes",
            ])
        #expect(["a", "c", "d"].allSatisfy { address($0, in: file) != nil })
    }

    @Test("the last line of a name counts, and there is an end of names and of mistakes")
    func bounds() {
        #expect(address("a", in: parse("10.0.0.1 a\n10.0.0.2 a\n")) == "10.0.0.2:3435")
        let many = parse("10.0.0.1 " + (0..<Limits.names + 2).map(String.init).joined(separator: " "))
        #expect(many.count == Limits.names)
        #expect(many.mistakes.map(\.fault) == [.tooManyNames])
        #expect(parse(String(repeating: "?\n", count: 1_000)).mistakes.count == Limits.reportedMistakes)
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
            _ = HostsFile(parsing: bytes, family: .ipv6, port: 1) { $0 }
        }
    }
}
