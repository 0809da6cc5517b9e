// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@Suite struct AddressTextTests {
    private func address(_ text: String) -> DatagramAddress? {
        try? DatagramAddress(text: Array(text.utf8), port: 3_435)
    }

    @Test(
        "addresses are read and written as people have it",
        arguments: [
            ("1.2.3.4", "1.2.3.4"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
            ("::1", "::1"), ("1::", "1::"), ("2001:DB8::0:5", "2001:db8::5"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("fe80::1%2", "fe80::1%2"),
            ("::ffff:1.2.3.4", "::ffff:102:304"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"),
        ])
    func good(_ text: String, _ canonical: String) throws {
        let address = try #require(self.address(text))
        #expect(address.addressText == canonical)
        #expect(self.address(canonical) == address)
        #expect(address.description == (address.family == .ipv4 ? "\(canonical):3435" : "[\(canonical)]:3435"))
    }

    @Test("a link-local address may say on which interface it is, and no other address may")
    func interfaces() throws {
        func address(_ text: String) throws(DatagramAddress.Fault) -> DatagramAddress {
            try DatagramAddress(endpoint: Array(text.utf8), defaultPort: 53) { $0 == Array("eth0".utf8) ? 7 : nil }
        }
        for (text, scope) in [("fe80::1%eth0", 7), ("[febf::1%eth0]:5353", 7), ("fe80::1%4294967295", .max)]
            as [(String, UInt32)]
        {
            #expect(try address(text).scope == scope)
        }
        #expect(try address("fe80::1").scope == 0)
        #expect(try address("fe80::1").lacksScope)
        #expect(try !address("fe80::1%eth0").lacksScope)
        #expect(try !address("fec0::1").lacksScope)
        for name in ["", "0", "eth1", "eth0 ", "%eth0", "01", "4294967296"] {
            let fault = DatagramAddress.Fault.noInterface(name: Array(name.utf8))
            #expect(throws: fault) { try address("fe80::1%\(name)") }
        }
        for text in ["::1%eth0", "2001:db8::1%eth0", "fec0::1%7", "fe7f::1%eth0"] {
            #expect(throws: DatagramAddress.Fault.notLinkLocal) { try address(text) }
        }
        for text in ["1.2.3.4%eth0", "%eth0", "x%eth0"] {
            #expect(throws: DatagramAddress.Fault.noAddress) { try address(text) }
        }
    }

    @Test("a link-local address is reached on the link of the layer, and from no other link")
    func links() throws {
        func reached(_ text: String, _ own: String) throws -> String? {
            let (address, own) = (try #require(self.address(text)), try #require(self.address(own)))
            return try? address.reached(from: own).addressText
        }
        #expect(try reached("fe80::2", "fe80::1%3") == "fe80::2%3")
        #expect(try reached("fe80::2%3", "fe80::1%3") == "fe80::2%3")
        #expect(try reached("fe80::2%4", "fe80::1%3") == nil)
        #expect(try reached("fe80::2%4", "2001:db8::1") == "fe80::2%4")
        #expect(try reached("fe80::2", "2001:db8::1") == nil)
        #expect(try reached("2001:db8::2", "fe80::1%3") == "2001:db8::2")
    }

    @Test(
        "an address may have a port behind it; that of IPv6 is in brackets then",
        arguments: [
            ("1.2.3.4", "1.2.3.4:53"), ("1.2.3.4:1", "1.2.3.4:1"), ("1.2.3.4:65535", "1.2.3.4:65535"),
            ("::1", "[::1]:53"), ("[::1]", "[::1]:53"), ("[::1]:5353", "[::1]:5353"), ("1::2:5353", "[1::2:5353]:53"),
            ("[fe80::1%2]:7", "[fe80::1%2]:7"),
        ])
    func endpoint(_ text: String, _ canonical: String) throws {
        let address = try DatagramAddress(endpoint: Array(text.utf8), defaultPort: 53)
        #expect(address.description == canonical)
        #expect(try DatagramAddress(endpoint: Array(canonical.utf8), defaultPort: 7) == address)
    }

    @Test(
        "what is wrong with an address and its port is said",
        arguments: [
            ("", DatagramAddress.Fault.noAddress), (":", .noAddress), (":53", .noAddress), ("x:53", .noAddress),
            ("[", .noAddress), ("[]", .noAddress), ("[::1", .noAddress), ("[::1]53", .noAddress),
            ("[1.2.3.4]:53", .noAddress), ("[::1]]:53", .noAddress), ("1.2.3.4:5:3", .noAddress),
            ("1.2.3.4:", .noPort), ("1.2.3.4:0", .noPort), ("1.2.3.4:65536", .noPort), ("1.2.3.4:+1", .noPort),
            ("[::1]:", .noPort), ("[::1]::1", .noPort), ("[::1]:053", .noPort),
        ])
    func noEndpoint(_ text: String, _ fault: DatagramAddress.Fault) {
        #expect(throws: fault) { try DatagramAddress(endpoint: Array(text.utf8), defaultPort: 53) }
    }

    @Test(
        "what is nearly an address is none",
        arguments: [
            "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.-4", "1.2.3.+4", "1.2..4", "1.2.3.4 ",
            "0x1.2.3.4", ":", ":::", ":1", "1:", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8",
            "12345::", "g::", "::-1", "::+1", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::1%",
            "::1%0", "::1%eth0", "::1%-1", "::1%4294967296", "1.2.3.4%1", "%1", "::%1%2",
        ])
    func bad(_ text: String) { #expect(address(text) == nil) }

    @Test("any bytes are an address or none; any address can be read again")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("0123456789abcdefg::::..%\0é".utf8)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...50, using: &generator)).compactMap { _ in
                alphabet.randomElement(using: &generator)
            }
            _ = try? DatagramAddress(text: text, port: 1)
            let words = (0..<8).flatMap { _ -> [UInt8] in
                Bool.random(using: &generator) ? [0, 0] : [UInt8.random(in: 0...1, using: &generator), 7]
            }
            let address = DatagramAddress(words, port: 3_435)
            #expect(address.flatMap { self.address($0.addressText) } == address)
        }
    }
}
