// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The options of `irm ipcp bootstrap`: what the user gave, and the defaults for the rest. spec: irm-cli §2 bootstrap
package struct LayerOptions: Hashable, Sendable {
    private var unicast = UnicastParameters()
    private var hash = DirectoryHash.sha3x256
    private var address: Word?
    private var dns: Word?
    private var port: UInt16 = 3435
    private var device: [UInt8]?
    private var etherType: UInt16 = 0xA000
    private var given: [BootstrapKeyword] = []

    struct Mistake: Error {
        let message: String
    }

    mutating func set(_ keyword: BootstrapKeyword, _ value: Word) throws(Mistake) {
        given.append(keyword)
        switch keyword {
        case .hash: hash = try choice(keyword, value, LayerOptions.hashes)
        case .ip: address = value
        case .dns: dns = value == "none" ? nil : value
        case .port: port = try number(keyword, value)
        case .device: device = try deviceName(value)
        case .ethertype: etherType = try etherType(value)
        case .addr: unicast.addressBytes = try number(keyword, value)
        case .eid: unicast.endpointBytes = try number(keyword, value)
        case .ttl: unicast.timeToLive = try number(keyword, value)
        case .addressAuthority: _ = try choice(keyword, value, ["flat": 0])  // there is but one
        case .directory: _ = try choice(keyword, value, ["DHT": 0])  // there is but one
        case .searchFactor: unicast.searchFactor = try number(keyword, value)
        case .replicas: unicast.replicas = try number(keyword, value)
        case .expire: unicast.expireSeconds = try number(keyword, value)
        case .refresh: unicast.refreshSeconds = try number(keyword, value)
        case .replicate: unicast.replicateSeconds = try number(keyword, value)
        case .routing: unicast.linkState = try choice(keyword, value, ["link_state": 0, "lfa": 1, "ecmp": 2])
        case .timeout: unicast.timeoutSeconds = try number(keyword, value)
        case .update: unicast.updateSeconds = try number(keyword, value)
        case .recalculate: unicast.recalculateSeconds = try number(keyword, value)
        case .congestion: unicast.congestion = try choice(keyword, value, ["none": 0, "mb-ecn": 1])
        case .type, .layer, .name, .autobind: preconditionFailure("\(keyword) is no option of a layer")
        }
    }

    /// What a layer of this type cannot do without and was not given.
    func missing(for type: IPCPType) -> String? {
        switch type {
        case .udp4: octets(address, AF_INET, 4) == nil ? "ip with an IPv4 address" : wrongDNS(AF_INET, 4)
        case .udp6: octets(address, AF_INET6, 16) == nil ? "ip with an IPv6 address" : wrongDNS(AF_INET6, 16)
        case .ethernetLLC, .ethernetDIX: device == nil ? "dev with the name of an interface" : nil
        case .local, .unicast, .broadcast: nil
        }
    }

    /// Nil if something is missing.
    func configuration(of layer: LayerName, _ type: IPCPType) -> LayerConfiguration? {
        guard let parameters = parameters(type) else { return nil }
        // UDP layers hash with MD5, whatever is said. spec: irmd §4
        let isUDP = type == .udp4 || type == .udp6
        return LayerConfiguration(layer: layer, hash: isUDP ? .md5 : hash, parameters: parameters)
    }

    /// Options that were given and mean nothing to a layer of this type.
    func ignored(by type: IPCPType) -> [String] {
        given.filter { keyword in
            switch keyword {
            case .hash: type == .udp4 || type == .udp6 || type == .broadcast
            case .ip, .dns, .port: type != .udp4 && type != .udp6
            case .device: type != .ethernetLLC && type != .ethernetDIX
            case .ethertype: type != .ethernetDIX
            default: type != .unicast
            }
        }.map(\.rawValue)
    }

    private func parameters(_ type: IPCPType) -> LayerConfiguration.Parameters? {
        switch type {
        case .local: return .local
        case .broadcast: return .broadcast
        case .unicast: return .unicast(unicast)
        case .udp4:
            guard let address = octets(address, AF_INET, 4) else { return nil }
            let dns = octets(dns, AF_INET, 4) ?? Array(repeating: 0, count: 4)
            return .udp4(address: address, dns: dns, port: port)
        case .udp6:
            guard let address = octets(address, AF_INET6, 16) else { return nil }
            let dns = octets(dns, AF_INET6, 16) ?? Array(repeating: 0, count: 16)
            return .udp6(address: address, dns: dns, port: port)
        case .ethernetLLC: return device.map { .ethernetLLC(device: $0) }
        case .ethernetDIX: return device.map { .ethernetDIX(device: $0, etherType: etherType) }
        }
    }

    private func octets(_ word: Word?, _ family: Int32, _ count: Int) -> [UInt8]? {
        guard let word else { return nil }
        var octets = [UInt8](repeating: 0, count: count)
        return cl_parse_address(family, word.bytes.map(CChar.init(bitPattern:)) + [0], &octets) ? octets : nil
    }

    private func wrongDNS(_ family: Int32, _ count: Int) -> String? {
        dns != nil && octets(dns, family, count) == nil ? "dns with an address of its kind" : nil
    }

    private static let hashes: [String: DirectoryHash] = [
        "SHA3_224": .sha3x224, "SHA3_256": .sha3x256, "SHA3_384": .sha3x384, "SHA3_512": .sha3x512,
    ]

    private func choice<Value>(
        _ keyword: BootstrapKeyword, _ word: Word, _ values: [String: Value]
    ) throws(Mistake) -> Value {
        guard let value = values[word.description] else { throw unknown(keyword, word) }
        return value
    }

    private func number<Number: FixedWidthInteger>(
        _ keyword: BootstrapKeyword, _ word: Word
    ) throws(Mistake) -> Number {
        guard let number = Number(word.description) else { throw unknown(keyword, word) }
        return number
    }

    private func unknown(_ keyword: BootstrapKeyword, _ word: Word) -> Mistake {
        Mistake(message: "Unknown parameter for \(keyword.rawValue): \"\(word)\".")
    }

    private func deviceName(_ word: Word) throws(Mistake) -> [UInt8] {
        guard !word.bytes.isEmpty, word.bytes.count <= Limits.nameBytes else { throw unknown(.device, word) }
        return word.bytes
    }

    private func etherType(_ word: Word) throws(Mistake) -> UInt16 {
        let text = word.description
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? String(text.dropFirst(2)) : text
        guard let number = UInt16(digits, radix: 16), (0x0600...0xFFFE).contains(number) else {
            throw Mistake(message: "Invalid Ethertype: \"\(word)\".\nRecommended range: 0xA000-0xEFFF.")
        }
        return number
    }
}
