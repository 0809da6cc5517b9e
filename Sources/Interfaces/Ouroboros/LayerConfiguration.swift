// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// The configuration with which an IPCP becomes the first member of a layer. Its parameters must fit the IPCP's type.
/// spec: c-api §4
public struct LayerConfiguration: Hashable, Sendable {
    /// How a layer turns names into the bytes that it stores and compares. UDP layers always use MD5.
    public enum DirectoryHash: UInt32, Sendable, CaseIterable {
        /// SHA3 with 28 bytes.
        case sha3x224 = 0
        /// SHA3 with 32 bytes.
        case sha3x256 = 1
        /// SHA3 with 48 bytes.
        case sha3x384 = 2
        /// SHA3 with 64 bytes.
        case sha3x512 = 3
    }

    /// The parameters of each type of layer.
    public enum Parameters: Hashable, Sendable {
        /// Nothing.
        case local
        /// Nothing.
        case broadcast
        /// Policies.
        case unicast(UnicastParameters)
        /// Addresses of 4 bytes in network order; zeroes stand for no name server. The port of the layer is from 1 to
        /// 65,535, the same on all hosts. The paths of the file of hosts and of the name server's TSIG key are absolute;
        /// nil stands for no file.
        case udp4(
            address: [UInt8], nameServer: [UInt8] = [0, 0, 0, 0], nameServerPort: UInt16 = 53, port: UInt16 = 3_435,
            hostsFile: String? = nil, keyFile: String? = nil)
        /// Addresses of 16 bytes; everything else is as for `udp4`. Link-local addresses are on the network interface of
        /// this name.
        case udp6(
            address: [UInt8], interface: String? = nil,
            nameServer: [UInt8] = [UInt8](repeating: 0, count: 16), nameServerPort: UInt16 = 53,
            port: UInt16 = 3_435, hostsFile: String? = nil, keyFile: String? = nil)
        /// The name of a network interface.
        case ethernetLLC(device: String)
        /// The name of a network interface; an Ethertype from 0x0600 to 0xFFFE.
        case ethernetDIX(device: String, etherType: UInt16 = 0xA000)
    }

    /// The name of the layer.
    public var layer: String
    /// The hash of names in the layer.
    public var hash: DirectoryHash
    /// The parameters of its type.
    public var parameters: Parameters

    /// A layer of this name.
    public init(layer: String, hash: DirectoryHash = .sha3x256, parameters: Parameters) {
        self.layer = layer
        self.hash = hash
        self.parameters = parameters
    }

    var inner: Vocabulary.LayerConfiguration {
        get throws(OuroborosError) {
            let layer = try LayerName(asking: layer)
            let type = parameters.type
            var settings = LayerSettings()
            for option in type.options { settings[option] = try value(of: option) }
            do throws(LayerFault) {
                return try Vocabulary.LayerConfiguration(layer: layer, type: type, settings)
            } catch {
                throw OuroborosError(.invalid, reason: error.sentence)
            }
        }
    }

    /// What it says of an option; nil: nothing.
    private func value(of option: LayerOption) throws(OuroborosError) -> LayerValue? {
        switch (option, parameters) {
        case (.hash, _): .number(UInt64(hash.rawValue))
        case (.unicast(let option), .unicast(let policies)): policies.value(of: option)
        case (.ethernet(.device), .ethernetLLC(let device)), (.ethernet(.device), .ethernetDIX(let device, _)):
            .text(Array(device.utf8))
        case (.ethernet(.etherType), .ethernetDIX(_, let etherType)): .number(UInt64(etherType))
        case (.datagram(let option), .udp4(let address, let server, let serverPort, let port, let hosts, let key)):
            try DatagramWords(.ipv4, address, nil, server, serverPort, port, hosts, key).value(of: option)
        case (
            .datagram(let option),
            .udp6(let address, let interface, let server, let serverPort, let port, let hosts, let key)
        ):
            try DatagramWords(.ipv6, address, interface, server, serverPort, port, hosts, key).value(of: option)
        case (.unicast, _), (.ethernet, _), (.datagram, _): nil
        }
    }
}

/// The policies of a unicast layer. Values out of bounds are refused when the layer is made.
public struct UnicastParameters: Hashable, Sendable {
    /// How paths are computed from the state of links.
    public enum LinkState: UInt32, Sendable {
        /// One shortest path.
        case simple = 0
        /// With loop-free alternates.
        case loopFreeAlternates = 1
        /// All paths of equal cost.
        case equalCost = 2
    }

    /// How senders learn of congestion.
    public enum Congestion: UInt32, Sendable {
        /// They do not.
        case none = 0
        /// By marks of several bits, set by the nodes on the way.
        case multiBitECN = 1
    }

    /// Hops after which a packet is dropped, from 0 to 255.
    public var timeToLive: UInt8 = 60
    /// How paths are computed.
    public var linkState = LinkState.simple
    /// Seconds between two computations of paths, at least 1.
    public var recalculateSeconds: UInt64 = 4
    /// Seconds between two announcements of links, at least 1.
    public var updateSeconds: UInt64 = 15
    /// Seconds after which a link that is not announced any more is gone, at least 1.
    public var timeoutSeconds: UInt64 = 60
    /// Nodes of the directory that are asked at once, from 1 to 10.
    public var searchFactor: UInt32 = 3
    /// Nodes of the directory that keep an entry, from 1 to 20.
    public var replicas: UInt32 = 8
    /// Seconds that an entry of the directory lives, from 10 to 86,400.
    public var expireSeconds: UInt32 = 86_400
    /// Seconds between two looks at a part of the directory that nobody asked for, from 3 to 3,600.
    public var refreshSeconds: UInt32 = 900
    /// Seconds between two copies of an entry, from 3 to 3,600.
    public var replicateSeconds: UInt32 = 900
    /// How senders learn of congestion.
    public var congestion = Congestion.multiBitECN

    /// The default policies.
    public init() {}

    /// Nil: there is only one choice.
    fileprivate func value(of option: UnicastOption) -> LayerValue? {
        switch option {
        case .addressBytes, .endpointBytes, .addressAuthority, .directory: nil
        case .timeToLive: .number(UInt64(timeToLive))
        case .routing: .number(UInt64(linkState.rawValue))
        case .recalculate: .number(recalculateSeconds)
        case .update: .number(updateSeconds)
        case .timeout: .number(timeoutSeconds)
        case .searchFactor: .number(UInt64(searchFactor))
        case .replicas: .number(UInt64(replicas))
        case .expire: .number(UInt64(expireSeconds))
        case .refresh: .number(UInt64(refreshSeconds))
        case .replicate: .number(UInt64(replicateSeconds))
        case .congestion: .number(UInt64(congestion.rawValue))
        }
    }
}

extension LayerConfiguration.Parameters {
    fileprivate var type: Vocabulary.IPCPType {
        switch self {
        case .local: .local
        case .broadcast: .broadcast
        case .unicast: .unicast
        case .udp4: .udp4
        case .udp6: .udp6
        case .ethernetLLC: .ethernetLLC
        case .ethernetDIX: .ethernetDIX
        }
    }
}

/// What was said of a UDP layer of either kind.
private struct DatagramWords {
    let family: DatagramAddress.Family
    let address: [UInt8]
    let interface: String?
    let nameServer: [UInt8]
    let nameServerPort: UInt16
    let port: UInt16
    let hosts: String?
    let key: String?

    init(
        _ family: DatagramAddress.Family, _ address: [UInt8], _ interface: String?, _ nameServer: [UInt8],
        _ nameServerPort: UInt16, _ port: UInt16, _ hosts: String?, _ key: String?
    ) {
        self.family = family
        self.address = address
        self.interface = interface
        self.nameServer = nameServer
        self.nameServerPort = nameServerPort
        self.port = port
        self.hosts = hosts
        self.key = key
    }

    func value(of option: DatagramOption) throws(OuroborosError) -> LayerValue? {
        switch option {
        case .address: .address(try scoped(address, port))
        case .port: .number(UInt64(port))
        case .server: try nameServer.contains { $0 != 0 } ? .address(scoped(nameServer, nameServerPort)) : nil
        case .hosts: try path(hosts)
        case .key: try path(key)
        }
    }

    private func scoped(_ bytes: [UInt8], _ port: UInt16) throws(OuroborosError) -> DatagramAddress {
        guard bytes.count == family.bytes, let address = DatagramAddress(bytes, port: port) else {
            throw OuroborosError(.invalid, reason: "The addresses of this type of layer have \(family.bytes) bytes.")
        }
        guard address.isLinkLocal else { return address }
        guard let interface else {
            throw OuroborosError(.invalid, reason: "\(address.addressText) is link-local, and needs an interface.")
        }
        guard let number = NetworkInterface.number(of: Array(interface.utf8)) else {
            throw OuroborosError(.invalid, reason: "There is no network interface \(interface).")
        }
        return address.with(scope: number)
    }

    private func path(_ text: String?) throws(OuroborosError) -> LayerValue? {
        guard let text else { return nil }
        let path = Array(text.utf8)
        guard DatagramParameters.isPath(path) else {
            throw OuroborosError(
                .invalid, reason: "The paths of a layer are absolute, and have at most \(Limits.pathBytes) bytes.")
        }
        return .text(path)
    }
}
