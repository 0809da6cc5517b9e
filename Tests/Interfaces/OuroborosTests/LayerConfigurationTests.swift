// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

// Not all of it: it has a LayerConfiguration of its own.
import struct Vocabulary.DatagramAddress
import struct Vocabulary.DatagramParameters
import enum Vocabulary.EthernetOption
import enum Vocabulary.Limits

@testable import Ouroboros

@Suite struct LayerConfigurationTests {
    @Test func whatIsNotSaidOfALayerIsAsTheTableOfLayersHasIt() throws {
        func layer(_ parameters: LayerConfiguration.Parameters) -> LayerConfiguration {
            LayerConfiguration(layer: "l", parameters: parameters)
        }
        #expect(try layer(.local).inner.parameters == .local)
        #expect(try layer(.local).inner.hash == .usual)
        #expect(try layer(.broadcast).inner.parameters == .broadcast)
        #expect(try layer(.unicast(UnicastParameters())).inner.parameters == .unicast(.init()))
        #expect(
            try layer(.ethernetDIX(device: "e")).inner.parameters
                == .ethernetDIX(device: [0x65], etherType: EthernetOption.defaultEtherType))
        let port = DatagramParameters.defaultPort
        #expect(
            try layer(.udp4(address: [10, 0, 0, 1])).inner.parameters.datagram
                == DatagramParameters(own: DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0001, port: port)))
        var policies = UnicastParameters()
        policies.replicas = 21
        let error = #expect(throws: OuroborosError.self) {
            try layer(.unicast(policies)).inner
        }
        #expect(error?.reason == "The option dht_k must be a number, from 1 to 20.")
    }

    @Test func layersOfUDPTakeAbsolutePathsAndAddressesOfTheirKind() throws {
        func inner(_ parameters: LayerConfiguration.Parameters) throws -> DatagramParameters? {
            let inner = try LayerConfiguration(layer: "l", parameters: parameters).inner
            #expect(inner.hash == .md5)
            return switch inner.parameters {
            case .udp4(let datagram), .udp6(let datagram): datagram
            default: nil
            }
        }
        #expect(try inner(.udp4(address: [10, 0, 0, 1]))?.own.description == "10.0.0.1:3435")
        let full = try inner(
            .udp4(
                address: [10, 0, 0, 1], nameServer: [10, 0, 0, 2], nameServerPort: 5_353, port: 7,
                hostsFile: "/etc/hosts",
                keyFile: "/etc/key"))
        #expect(full?.own.description == "10.0.0.1:7")
        #expect(full?.server?.description == "10.0.0.2:5353")
        #expect(full?.hosts == Array("/etc/hosts".utf8))
        #expect(full?.key == Array("/etc/key".utf8))
        let linkLocal: [UInt8] = [0xfe, 0x80] + Array(repeating: 0, count: 13) + [1]
        let linked = try inner(.udp6(address: linkLocal, interface: "lo", nameServer: linkLocal))
        #expect(linked?.own.description == "[fe80::1%1]:3435" && linked?.server?.description == "[fe80::1%1]:53")
        for wrong: LayerConfiguration.Parameters in [
            .udp4(address: [1]), .udp6(address: [10, 0, 0, 1]), .udp4(address: [10, 0, 0, 1], hostsFile: "hosts"),
            .udp6(address: linkLocal), .udp6(address: linkLocal, interface: "no.such"),
            .udp4(address: [10, 0, 0, 1], keyFile: "/" + String(repeating: "k", count: Limits.pathBytes)),
        ] {
            #expect(throws: OuroborosError.self) { try inner(wrong) }
        }
    }
}
