// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Testing
import Vocabulary

@testable import IRMCommands

@Suite struct LayerOptionsTests {
    private func bootstrap(_ line: String) throws -> Bootstrap {
        let words = "ipcp bootstrap name x layer l \(line)".split(separator: " ").map { Word(Array($0.utf8)) }
        guard case .bootstrap(let bootstrap) = try Grammar.parse(words).command else { throw Failure.invalid }
        return bootstrap
    }

    private func configuration(_ line: String) throws -> LayerConfiguration {
        let bootstrap = try bootstrap(line)
        let type = try #require(bootstrap.type)
        return try bootstrap.options.configuration(of: bootstrap.layer, type)
    }

    private func message(_ line: String) -> String? {
        let mistake = #expect(throws: UsageError.self) { try bootstrap(line) }
        return mistake?.message
    }

    @Test("a local layer has a hash")
    func local() throws {
        let plain = try configuration("type local")
        #expect(plain.layer == LayerName("l"))
        #expect(plain.hash == .sha3x256)
        #expect(plain.parameters == .local)
        for (word, hash) in [
            ("SHA3_224", DirectoryHash.sha3x224), ("SHA3_256", .sha3x256), ("SHA3_384", .sha3x384),
            ("SHA3_512", .sha3x512),
        ] {
            #expect(try configuration("type local hash \(word)").hash == hash)
        }
        #expect(
            message("type local hash MD5")
                == "Unknown parameter for hash: \"MD5\". It must be SHA3_224, SHA3_256, SHA3_384 or SHA3_512.")
    }

    @Test("a unicast layer has the defaults of the prototype, and all its options")
    func unicast() throws {
        #expect(try configuration("type unicast").parameters == .unicast(UnicastParameters()))
        let line = """
            type unicast addr 4 eid 8 ttl 5 addr_auth flat directory DHT dht_alpha 6 dht_k 7 dht_t_expire 10 \
            dht_t_refresh 9 dht_t_replicate 12 routing lfa ls_t_timeo 11 ls_t_update 12 ls_t_recalc 13 congestion none
            """
        var all = UnicastParameters()
        (all.addressBytes, all.endpointBytes, all.timeToLive) = (4, 8, 5)
        (all.searchFactor, all.replicas) = (6, 7)
        (all.expireSeconds, all.refreshSeconds, all.replicateSeconds) = (10, 9, 12)
        (all.linkState, all.timeoutSeconds, all.updateSeconds, all.recalculateSeconds) = (1, 11, 12, 13)
        all.congestion = 0
        #expect(try configuration(line).parameters == .unicast(all))
        #expect(try bootstrap("type unicast autobind").autobind)
        for (keyword, value, values) in [
            ("addr_auth", "x", "flat"), ("directory", "x", "DHT"), ("routing", "x", "link_state, lfa or ecmp"),
            ("congestion", "x", "none or mb-ecn"), ("addr", "x", "4"), ("addr", "256", "4"), ("eid", "-1", "8"),
            ("dht_k", "1s", "a number, from 1 to 20"), ("dht_k", "21", "a number, from 1 to 20"),
            ("ls_t_update", "0", "a number, at least 1"),
            ("ls_t_update", "18446744073709551616", "a number, at least 1"),
        ] {
            #expect(
                message("type unicast \(keyword) \(value)")
                    == "Unknown parameter for \(keyword): \"\(value)\". It must be \(values).")
        }
    }

    @Test("UDP layers need an address, and hash with MD5")
    func udp() throws {
        func parameters(_ own: [UInt8], _ port: UInt16 = 3_435, server: [UInt8]? = nil) throws -> DatagramParameters {
            DatagramParameters(
                own: try #require(DatagramAddress(own, port: port)),
                server: try server.map { try #require(DatagramAddress($0, port: 53)) })
        }
        let plain = try configuration("type udp4 ip 127.0.0.1 hash SHA3_512")
        #expect(plain.hash == .md5)
        #expect(plain.parameters == .udp4(try parameters([127, 0, 0, 1])))
        let full = try configuration("type udp ip 10.1.2.3 dns 10.1.2.4 port 5000")
        #expect(full.parameters == .udp4(try parameters([10, 1, 2, 3], 5_000, server: [10, 1, 2, 4])))
        #expect(try configuration("type udp4 port 5000 dns 10.1.2.4:53 ip 10.1.2.3") == full)
        #expect(try configuration("type udp4 ip 1.2.3.4 dns none") == configuration("type udp4 ip 1.2.3.4"))
        let loopback: [UInt8] = Array(repeating: 0, count: 15) + [1]
        #expect(
            try configuration("type udp6 ip ::1").parameters
                == .udp6(try parameters(loopback)))
        #expect(message("type udp4") == "A layer of type udp4 needs ip with an IPv4 address.")
        #expect(message("type udp4 ip ::1") == "A layer of type udp4 needs ip with an IPv4 address.")
        #expect(message("type udp6 ip 1.2.3.4") == "A layer of type udp6 needs ip with an IPv6 address.")
        #expect(message("type udp4 ip 1.2.3") == "\"1.2.3\" is not an IP address.")
        #expect(
            message("type udp4 ip 1.2.3.4 port 65536")
                == "Unknown parameter for port: \"65536\". It must be a number, from 1 to 65535.")
    }

    @Test("the DNS server of a UDP layer may have a port")
    func server() throws {
        func server(_ line: String) throws -> String? {
            switch try configuration(line).parameters {
            case .udp4(let parameters), .udp6(let parameters): parameters.server?.description
            default: nil
            }
        }
        #expect(try server("type udp4 ip 1.2.3.4 dns 1.2.3.5") == "1.2.3.5:53")
        #expect(try server("type udp4 ip 1.2.3.4 dns 1.2.3.5:5353") == "1.2.3.5:5353")
        #expect(try server("type udp6 ip ::1 dns 2001:db8::53") == "[2001:db8::53]:53")
        #expect(try server("type udp6 ip ::1 dns [2001:db8::53]:5353") == "[2001:db8::53]:5353")
        #expect(
            message("type udp4 ip 1.2.3.4 dns ::1") == "A layer of type udp4 needs dns with an IPv4 address.")
        #expect(
            message("type udp4 ip 1.2.3.4 dns x")
                == "\"x\" is not an address of a DNS server. It is written ADDRESS, IPV4:PORT or [IPV6]:PORT.")
        for port in ["0", "65536", "", "x", "-1", "053"] {
            #expect(
                message("type udp4 ip 1.2.3.4 dns 1.2.3.5:\(port)")
                    == "The port in \"1.2.3.5:\(port)\" is not a number from 1 to 65535.")
        }
    }

    @Test("a link-local address has an interface of this host")
    func interfaces() throws {
        func parameters(_ line: String) throws -> DatagramParameters? {
            let configuration = try configuration("type udp6 \(line)")
            return if case .udp6(let parameters) = configuration.parameters { parameters } else { nil }
        }
        // Every network namespace has this one first.
        let both = try #require(try parameters("ip fe80::1%lo dns [fe80::2%lo]:5353"))
        #expect(both.own.scope == 1 && both.server?.scope == 1)
        #expect(try parameters("ip fe80::1%1 dns [fe80::2%1]:5353") == both)
        var status = LayerStatus()
        status.address = Array(both.own.addressText.utf8)
        status.server = Array("\(try #require(both.server))".utf8)
        status.peers = [Array("fe80::3%4294967295".utf8), Array("2001:db8::1".utf8)]
        let named = status.withInterfaceNames
        #expect(named.address == Array("fe80::1%lo".utf8) && named.server == Array("[fe80::2%lo]:5353".utf8))
        #expect(named.peers == status.peers)
        for keyword in ["ip", "ip ::1 dns"] {
            #expect(
                message("type udp6 \(keyword) fe80::1")
                    == "\"fe80::1\" is link-local, and needs an interface, as in fe80::1%eth0.")
            #expect(message("type udp6 \(keyword) fe80::1%no.such") == "There is no network interface \"no.such\".")
            #expect(
                message("type udp6 \(keyword) ::1%lo")
                    == "\"::1%lo\" is not link-local, so it cannot name an interface.")
        }
    }

    @Test("UDP layers may have a file of hosts, and a key for their DNS server")
    func files() throws {
        let plain = try configuration("type udp4 ip 1.2.3.4")
        guard
            case .udp4(let parameters) = try configuration("type udp4 ip 1.2.3.4 hosts h dns 1.2.3.5 key /k").parameters
        else { return #expect(Bool(false)) }
        #expect(parameters.hosts == Array("h".utf8))
        #expect(parameters.key == Array("/k".utf8))
        #expect(try configuration("type udp4 ip 1.2.3.4 ho none") == plain)
        #expect(message("type udp6 ip ::1 key /k") == "A layer of type udp6 needs dns if it is given a key.")
        #expect(try bootstrap("type local hosts x key y").options.ignored(by: .local) == ["hosts", "key"])
    }

    @Test("files that a user names are made absolute, and must be readable at once")
    func paths() throws {
        func prepared(_ line: String) throws -> LayerConfiguration.Parameters? {
            guard case .bootstrap(let bootstrap) = try Preparation.prepared(.bootstrap(try bootstrap(line))) else {
                return nil
            }
            return try bootstrap.options.configuration(of: bootstrap.layer, .udp4).parameters
        }
        // Whatever directory the tests run in, it leads to this file.
        let path = String(#filePath.dropFirst())
        let here = String(decoding: ProgramPath.currentDirectory(), as: UTF8.self)
        let upwards = String(repeating: "../", count: here.split(separator: "/").count)
        guard case .udp4(let parameters) = try prepared("type udp4 ip 1.2.3.4 hosts \(upwards)\(path)") else {
            return #expect(Bool(false))
        }
        #expect(parameters.hosts == Array("\(here)/\(upwards)\(path)".utf8))
        #expect(parameters.isValid(for: .ipv4))
        let refusal = #expect(throws: Preparation.Refusal.self) {
            try prepared("type udp4 ip 1.2.3.4 hosts /nowhere/hosts")
        }
        #expect(refusal?.message == "Cannot read hosts file /nowhere/hosts: No such file or directory.")
        let long = String(repeating: "/.", count: Limits.pathBytes)
        let tooLong = #expect(throws: Preparation.Refusal.self) {
            try prepared("type udp4 ip 1.2.3.4 key /\(long) dns 1.2.3.4")
        }
        #expect(tooLong?.message.hasSuffix("File name too long.") == true)
    }

    @Test("Ethernet layers need an interface; the Ethertype has bounds")
    func ethernet() throws {
        let device = Array("eth0".utf8)
        #expect(try configuration("type eth-llc dev eth0").parameters == .ethernetLLC(device: device))
        #expect(
            try configuration("type eth-dix dev eth0").parameters == .ethernetDIX(device: device, etherType: 0xA000))
        for (word, value) in [("0x0600", 0x0600), ("FFFE", 0xFFFE), ("0Xa001", 0xA001)] as [(String, UInt16)] {
            #expect(
                try configuration("type eth-dix dev eth0 ethertype \(word)").parameters
                    == .ethernetDIX(device: device, etherType: value))
        }
        for word in ["0x05ff", "ffff", "x", "0x", "10000"] {
            #expect(
                message("type eth-dix dev eth0 ethertype \(word)")
                    == "Invalid Ethertype: \"\(word)\". Recommended range: 0xA000-0xEFFF.")
        }
        #expect(message("type eth-dix") == "A layer of type eth-dix needs dev with the name of an interface.")
        #expect(
            message("type eth-llc dev \(String(repeating: "d", count: 256))")?.hasPrefix("Unknown parameter") == true)
    }

    @Test("fd is the older name of eid")
    func olderNames() throws {
        #expect(
            try configuration("type unicast fd 8").parameters == configuration("type unicast eid 8").parameters)
    }

    @Test("options of other types are known as such")
    func ignored() throws {
        let options = try bootstrap("type local dev eth0 ttl 4 hash SHA3_224 port 7").options
        #expect(options.ignored(by: .local) == ["dev", "ttl", "port"])
        #expect(options.ignored(by: .unicast) == ["dev", "port"])
        #expect(options.ignored(by: .udp4) == ["dev", "ttl", "hash"])
        #expect(options.ignored(by: .broadcast) == ["dev", "ttl", "hash", "port"])
        #expect(options.ignored(by: .ethernetDIX) == ["ttl", "port"])
    }
}
