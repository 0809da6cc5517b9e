// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// One rule of what an address may be, and all who ask it.
@Suite struct AddressRuleTests {
    static let unfit: [(String, DatagramAddress.Unfitness)] = [
        ("0.0.0.0", .nobody), ("0.1.2.3", .nobody), ("224.0.0.1", .multicast), ("239.255.255.255", .multicast),
        ("255.255.255.255", .broadcast), ("::", .nobody), ("ff02::1", .multicast), ("ff0e::1", .multicast),
        ("::ffff:10.0.0.1", .mapped), ("::ffff:224.0.0.1", .mapped),
    ]
    static let fit = [
        "1.0.0.1", "10.0.0.1", "127.0.0.1", "127.0.0.2", "127.255.255.254", "192.0.2.1", "223.255.255.255", "240.0.0.1",
        "::1", "::2", "2001:db8::1", "fe80::1%2", "fd00::1", "64:ff9b::10.0.0.1",
    ]

    static func address(_ text: String, port: UInt16 = 3_435) throws -> DatagramAddress {
        try DatagramAddress(text: Array(text.utf8), port: port)
    }

    @Test("an address that no single host has is none", arguments: unfit)
    func none(_ text: String, _ unfitness: DatagramAddress.Unfitness) throws {
        #expect(try AddressRuleTests.address(text).unfitness == unfitness)
    }

    @Test("any other is one", arguments: fit)
    func some(_ text: String) throws { #expect(try AddressRuleTests.address(text).unfitness == nil) }

    @Test("this host's loopback is reached from there alone, and nothing is at port 0")
    func loopback() throws {
        func reached(_ text: String, _ own: String, port: UInt16 = 3_435) throws -> DatagramAddress.Unfitness? {
            let address = try AddressRuleTests.address(text, port: port)
            let own = try AddressRuleTests.address(own)
            do throws(DatagramAddress.Unfitness) {
                _ = try address.reached(from: own)
                return nil
            } catch {
                return error
            }
        }
        #expect(try reached("127.0.0.2", "127.0.0.1") == nil)
        #expect(try reached("127.0.0.2", "10.0.0.1") == .loopback)
        #expect(try reached("::1", "fd00::1") == .loopback)
        #expect(try reached("10.0.0.2", "127.0.0.1") == nil)
        #expect(try reached("10.0.0.2", "fd00::1") == .otherFamily)
        #expect(try reached("10.0.0.2", "10.0.0.1", port: 0) == .noPort)
    }

    @Test("no layer is made with one, nor with such a DNS server", arguments: unfit)
    func bootstrap(_ text: String, _ unfitness: DatagramAddress.Unfitness) throws {
        func reason(_ own: DatagramAddress, _ server: DatagramAddress?) throws -> String {
            var parameters = DatagramParameters(own: own)
            parameters.server = server
            let name = try #require(LayerName("layer"))
            let isSix = own.family == .ipv6
            let configuration = LayerConfiguration(
                layer: name, hash: .md5, parameters: isSix ? .udp6(parameters) : .udp4(parameters))
            var layer = DatagramLayer(own.family, seed: 1)
            var actions: [DatagramAction] = []
            let request = IPCPRequest.bootstrap(RequestID(1), configuration)
            layer.handle(.request(request), now: Instant(nanoseconds: 0), into: &actions)
            #expect(LayerRig.failure(in: actions) == .invalid)
            guard case .reply(.failed(_, _, let reason)) = actions.last else { return "" }
            return String(decoding: reason, as: UTF8.self)
        }
        let address = try AddressRuleTests.address(text)
        let good = try AddressRuleTests.address(address.family == .ipv4 ? "10.0.0.1" : "fd00::1")
        #expect(try reason(address, nil) == "\(address.addressText) \(unfitness)")
        #expect(try reason(good, address.with(port: 53)) == "\(address.addressText) \(unfitness)")
        #expect(try reason(good, good).contains("the port of the layer itself"))
    }

    @Test("nobody who is asked for a name is believed such an address")
    func answers() throws {
        let own = try AddressRuleTests.address("10.0.0.1")
        for text in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1", "10.0.0.1"] {
            var directory = Directory(own: own, server: own.with(port: 53))
            let hash = [UInt8](repeating: 1, count: 16)
            var actions: [DatagramAction] = []
            let file = HostsFile(parsing: Array("\(text) x".utf8), for: own) { _ in hash }
            directory.adopt(file, now: Instant(nanoseconds: 0), into: &actions)
            let now = Instant(nanoseconds: 0)
            directory.look(up: hash, for: RequestID(1), now: now, into: &actions)
            for _ in 0..<2 {
                let inquiry = try #require(
                    actions.compactMap { if case .lower(.resolve(let id, _)) = $0 { id } else { nil } }.last)
                let bytes = try AddressRuleTests.address(text).bytes
                directory.resolved(inquiry, .address(bytes, validity: nil), now: now, into: &actions)
            }
            #expect(directory.takeAnswers().map(\.verdict) == [.unknown])
        }
    }

    @Test("a hosts file with one says so, and means nothing with it")
    func hosts() throws {
        let own = try AddressRuleTests.address("10.0.0.1")
        let text = "224.0.0.1 a\n255.255.255.255 b\n127.0.0.1 c\n0.0.0.0 d\n10.0.0.2 e\nff02::1 f\n10.0.0.255 g\n"
        let file = HostsFile(
            parsing: Array(text.utf8), for: own, isBroadcast: { $0.low & 0xff == 255 }, digest: { $0 })
        #expect(file.count == 1 && file.address(of: Array("e".utf8)) != nil)
        #expect(
            file.mistakes.map(\.description) == [
                "line 1: \"224.0.0.1\" is a multicast address, and not the address of a single host",
                "line 2: \"255.255.255.255\" is the broadcast address, and not the address of a single host",
                "line 3: \"127.0.0.1\" is a loopback address, and the layer does not have one",
                "line 4: \"0.0.0.0\" is the unspecified address, and not the address of a host",
                "line 7: \"10.0.0.255\" is the broadcast address, and not the address of a single host",
            ])
    }

    @Test("a request from one is dropped, and one that seems to come from ourselves")
    func sources() throws {
        var rig = try LayerRig()
        for text in ["224.0.0.1", "255.255.255.255", "127.0.0.1", "10.0.0.1"] {
            #expect(try rig.arrive(LayerRig.wish(3), from: AddressRuleTests.address(text)).isEmpty)
        }
        #expect(rig.arrive(LayerRig.wish(3), from: LayerRig.peer.with(port: 0)).isEmpty)
        #expect(rig.counter("dropped: impossible source") == 5)
        // Another port of this host is somebody else.
        #expect(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3), from: LayerRig.own.with(port: 9))) != nil)
    }
}
