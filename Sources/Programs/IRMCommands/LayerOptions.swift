// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// The options of `irm ipcp bootstrap`: what the user gave, and the defaults for the rest. spec: irm-cli §2 bootstrap
package struct LayerOptions: Hashable, Sendable {
    private var unicast = UnicastParameters()
    private var hash = DirectoryHash.sha3x256
    private var address: DatagramAddress?
    private var server: DatagramAddress?
    private var port = DatagramParameters.defaultPort
    private var hosts: Word?
    private var key: Word?
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
        case .ip: address = try ownAddress(value)
        case .dns: server = try serverAddress(value)
        case .port: port = try number(keyword, value)
        case .hosts: hosts = try path(keyword, value)
        case .key: key = try path(keyword, value)
        case .device: device = try deviceName(value)
        case .ethertype: etherType = try etherType(value)
        case .addr: unicast.addressBytes = try number(keyword, value)
        case .eid, .endpointBytes: unicast.endpointBytes = try number(keyword, value)
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
        case .udp4: address?.family != .ipv4 ? "ip with an IPv4 address" : wrongServer(.ipv4)
        case .udp6: address?.family != .ipv6 ? "ip with an IPv6 address" : wrongServer(.ipv6)
        case .ethernetLLC, .ethernetDIX: device == nil ? "dev with the name of an interface" : nil
        case .local, .unicast, .broadcast: nil
        }
    }

    /// The files that the user named, by what `replace` makes of their paths.
    mutating func replacePaths<Mistake: Error>(
        with replace: (BootstrapKeyword, Word) throws(Mistake) -> Word
    ) throws(Mistake) {
        if let path = hosts { hosts = try replace(.hosts, path) }
        if let path = key { key = try replace(.key, path) }
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
            case .ip, .dns, .port, .hosts, .key: type != .udp4 && type != .udp6
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
        case .udp4: return datagram(.ipv4).map { .udp4($0) }
        case .udp6: return datagram(.ipv6).map { .udp6($0) }
        case .ethernetLLC: return device.map { .ethernetLLC(device: $0) }
        case .ethernetDIX: return device.map { .ethernetDIX(device: $0, etherType: etherType) }
        }
    }

    private func datagram(_ family: DatagramAddress.Family) -> DatagramParameters? {
        guard let address, address.family == family, server?.family ?? family == family else { return nil }
        return DatagramParameters(
            own: address.with(port: port), server: server, hosts: hosts?.bytes ?? [], key: key?.bytes ?? [])
    }

    private func wrongServer(_ family: DatagramAddress.Family) -> String? {
        if server?.family ?? family != family { return "dns with an address of its kind" }
        return key != nil && server == nil ? "dns if it is given a key" : nil
    }

    private func ownAddress(_ word: Word) throws(Mistake) -> DatagramAddress {
        try address(word, "no IP address.") { () throws(DatagramAddress.Fault) in
            try DatagramAddress(text: word.bytes, port: port, interface: NetworkInterface.number)
        }
    }

    private func serverAddress(_ word: Word) throws(Mistake) -> DatagramAddress? {
        guard word != "none" else { return nil }
        return try address(word, "no address of a DNS server. It is written ADDRESS, IPV4:PORT or [IPV6]:PORT.") {
            () throws(DatagramAddress.Fault) in
            try DatagramAddress(
                endpoint: word.bytes, defaultPort: DatagramParameters.serverPort, interface: NetworkInterface.number)
        }
    }

    private func address(
        _ word: Word, _ nothing: String, _ parse: () throws(DatagramAddress.Fault) -> DatagramAddress
    ) throws(Mistake) -> DatagramAddress {
        let address: DatagramAddress
        do throws(DatagramAddress.Fault) {
            address = try parse()
        } catch {
            switch error {
            case .noAddress: throw Mistake(message: "\"\(word)\" is \(nothing)")
            case .noPort: throw Mistake(message: "The port in \"\(word)\" is no number from 1 to 65535.")
            case .noInterface(let name): throw Mistake(message: "There is no network interface \"\(printable(name))\".")
            case .notLinkLocal: throw Mistake(message: "\"\(word)\" is not link-local, and has no interface.")
            }
        }
        if let unfitness = address.lacksScope ? .lacksScope : address.unfitness {
            throw Mistake(message: "\"\(word)\" \(unfitness).")
        }
        return address
    }

    static let hashes: [String: DirectoryHash] = [
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

    private func path(_ keyword: BootstrapKeyword, _ word: Word) throws(Mistake) -> Word? {
        guard word != "none" else { return nil }
        guard !word.bytes.isEmpty else { throw unknown(keyword, word) }
        return word
    }

    private func deviceName(_ word: Word) throws(Mistake) -> [UInt8] {
        guard !word.bytes.isEmpty, word.bytes.count <= Limits.nameBytes else { throw unknown(.device, word) }
        return word.bytes
    }

    private func etherType(_ word: Word) throws(Mistake) -> UInt16 {
        let text = word.description
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? String(text.dropFirst(2)) : text
        guard let number = UInt16(digits, radix: 16), (0x0600...0xFFFE).contains(number) else {
            throw Mistake(message: "Invalid Ethertype: \"\(word)\". Recommended range: 0xA000-0xEFFF.")
        }
        return number
    }
}
