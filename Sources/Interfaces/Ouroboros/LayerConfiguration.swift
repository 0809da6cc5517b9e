// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// What makes an IPCP the first member of a layer. Its parameters must be of the IPCP's type. spec: c-api §4
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

    /// What layers of a type need.
    public enum Parameters: Hashable, Sendable {
        /// Nothing.
        case local
        /// Nothing.
        case broadcast
        /// Policies.
        case unicast(UnicastParameters)
        /// Addresses of 4 bytes in network order; a name server of zeroes is none. The paths of the file of hosts and of
        /// the name server's TSIG key are absolute; nil is none.
        case udp4(
            address: [UInt8], nameServer: [UInt8] = [0, 0, 0, 0], nameServerPort: UInt16 = 53, port: UInt16 = 3_435,
            hostsFile: String? = nil, keyFile: String? = nil)
        /// Addresses of 16 bytes; the rest as for `udp4`. Link-local ones are on the network interface of this name.
        case udp6(
            address: [UInt8], interface: String? = nil,
            nameServer: [UInt8] = [UInt8](repeating: 0, count: 16), nameServerPort: UInt16 = 53,
            port: UInt16 = 3_435, hostsFile: String? = nil, keyFile: String? = nil)
        /// The name of a network interface.
        case ethernetLLC(device: String)
        /// The name of a network interface.
        case ethernetDIX(device: String, etherType: UInt16 = 0xA000)
    }

    /// The name of the layer.
    public var layer: String
    /// How names are hashed in it.
    public var hash: DirectoryHash
    /// What layers of its type need.
    public var parameters: Parameters

    /// A layer of this name.
    public init(layer: String, hash: DirectoryHash = .sha3x256, parameters: Parameters) {
        self.layer = layer
        self.hash = hash
        self.parameters = parameters
    }

    var inner: Vocabulary.LayerConfiguration {
        get throws(OuroborosError) {
            let parameters = try parameters.inner
            let isUDP = parameters.type == .udp4 || parameters.type == .udp6
            let chosen = Vocabulary.DirectoryHash(rawValue: hash.rawValue) ?? .sha3x256
            return Vocabulary.LayerConfiguration(
                layer: try LayerName(asking: layer), hash: isUDP ? .md5 : chosen, parameters: parameters)
        }
    }
}

/// The policies of a unicast layer.
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

    /// Hops after which a packet is dropped.
    public var timeToLive: UInt8 = 60
    /// How paths are computed.
    public var linkState = LinkState.simple
    /// Seconds between two computations of paths.
    public var recalculateSeconds: UInt64 = 4
    /// Seconds between two announcements of links.
    public var updateSeconds: UInt64 = 15
    /// Seconds after which a link that is not announced any more is gone.
    public var timeoutSeconds: UInt64 = 60
    /// Nodes of the directory that are asked at once.
    public var searchFactor: UInt32 = 3
    /// Nodes of the directory that keep an entry.
    public var replicas: UInt32 = 8
    /// Seconds that an entry of the directory lives.
    public var expireSeconds: UInt32 = 86_400
    /// Seconds between two looks at a part of the directory that nobody asked for.
    public var refreshSeconds: UInt32 = 900
    /// Seconds between two copies of an entry.
    public var replicateSeconds: UInt32 = 900
    /// How senders learn of congestion.
    public var congestion = Congestion.multiBitECN

    /// The policies of a layer for which nothing is said.
    public init() {}

    fileprivate var inner: Vocabulary.UnicastParameters {
        var inner = Vocabulary.UnicastParameters()
        inner.timeToLive = timeToLive
        inner.linkState = linkState.rawValue
        inner.recalculateSeconds = recalculateSeconds
        inner.updateSeconds = updateSeconds
        inner.timeoutSeconds = timeoutSeconds
        inner.searchFactor = searchFactor
        inner.replicas = replicas
        inner.expireSeconds = expireSeconds
        inner.refreshSeconds = refreshSeconds
        inner.replicateSeconds = replicateSeconds
        inner.congestion = congestion.rawValue
        return inner
    }
}

extension LayerConfiguration.Parameters {
    fileprivate var inner: Vocabulary.LayerConfiguration.Parameters {
        get throws(OuroborosError) {
            switch self {
            case .local: return .local
            case .broadcast: return .broadcast
            case .unicast(let policies): return .unicast(policies.inner)
            case .udp4(let address, let nameServer, let nameServerPort, let port, let hosts, let key):
                return .udp4(try datagram(.ipv4, address, nameServer, nameServerPort, port, hosts, key))
            case .udp6(let address, let interface, let nameServer, let nameServerPort, let port, let hosts, let key):
                var parameters = try datagram(.ipv6, address, nameServer, nameServerPort, port, hosts, key)
                parameters.own = try scoped(parameters.own, interface)
                if let server = parameters.server { parameters.server = try scoped(server, interface) }
                return .udp6(parameters)
            case .ethernetLLC(let device): return .ethernetLLC(device: Array(device.utf8))
            case .ethernetDIX(let device, let etherType):
                return .ethernetDIX(device: Array(device.utf8), etherType: etherType)
            }
        }
    }

    private func scoped(
        _ address: DatagramAddress, _ interface: String?
    ) throws(OuroborosError) -> DatagramAddress {
        guard address.isLinkLocal else { return address }
        guard let interface else {
            throw OuroborosError(.invalid, reason: "\(address.addressText) is link-local, and needs an interface.")
        }
        guard let number = NetworkInterface.number(of: Array(interface.utf8)) else {
            throw OuroborosError(.invalid, reason: "There is no network interface \(interface).")
        }
        return address.with(scope: number)
    }

    private func datagram(
        _ family: DatagramAddress.Family, _ address: [UInt8], _ nameServer: [UInt8], _ nameServerPort: UInt16,
        _ port: UInt16, _ hosts: String?, _ key: String?
    ) throws(OuroborosError) -> DatagramParameters {
        func path(_ text: String?) -> [UInt8] { text.map { Array($0.utf8) } ?? [] }
        guard address.count == family.bytes, nameServer.count == family.bytes,
            var parameters = DatagramParameters(
                address: address, dns: nameServer, port: port, hosts: path(hosts), key: path(key))
        else {
            throw OuroborosError(.invalid, reason: "The addresses of this type of layer have \(family.bytes) bytes.")
        }
        parameters.server = parameters.server?.with(port: nameServerPort)
        guard parameters.isValid(for: family) else {
            throw OuroborosError(
                .invalid, reason: "The paths of a layer are absolute, and have at most \(Limits.pathBytes) bytes.")
        }
        return parameters
    }
}
