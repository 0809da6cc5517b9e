// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The kinds of IPC processes, in the order in which a flow allocation asks them. spec: c-api §3 ipcp_type
package enum IPCPType: UInt32, Sendable, CaseIterable {
    case local = 0
    case unicast = 1
    case broadcast = 2
    case ethernetLLC = 3
    case ethernetDIX = 4
    case udp4 = 5
    case udp6 = 6

    /// As users write it, and as the daemon's name ends.
    package var name: String {
        switch self {
        case .local: "local"
        case .unicast: "unicast"
        case .broadcast: "broadcast"
        case .ethernetLLC: "eth-llc"
        case .ethernetDIX: "eth-dix"
        case .udp4: "udp4"
        case .udp6: "udp6"
        }
    }

    /// The program that is started for it.
    package var daemon: String { "ipcpd-" + name }
}

/// How a layer turns names into the bytes it stores and compares. spec: irmd §4
package enum DirectoryHash: UInt32, Sendable, CaseIterable {
    case sha3x224 = 0
    case sha3x256 = 1
    case sha3x384 = 2
    case sha3x512 = 3
    /// UDP layers only; users cannot choose it.
    case md5 = 4

    package var bytes: Int {
        switch self {
        case .sha3x224: 28
        case .sha3x256: 32
        case .sha3x384: 48
        case .sha3x512: 64
        case .md5: 16
        }
    }

    /// As the log says it.
    package var name: String {
        switch self {
        case .sha3x224: "SHA3-224"
        case .sha3x256: "SHA3-256"
        case .sha3x384: "SHA3-384"
        case .sha3x512: "SHA3-512"
        case .md5: "MD5"
        }
    }
}

/// What makes an IPCP the first member of a layer. spec: c-api §4 ipcp_config
package struct LayerConfiguration: Hashable, Sendable {
    package var layer: LayerName
    package var hash: DirectoryHash
    package var parameters: Parameters

    package init(layer: LayerName, hash: DirectoryHash, parameters: Parameters) {
        self.layer = layer
        self.hash = hash
        self.parameters = parameters
    }

    package enum Parameters: Hashable, Sendable {
        case local
        case broadcast
        case unicast(UnicastParameters)
        /// With addresses of 4 bytes.
        case udp4(DatagramParameters)
        /// With addresses of 16 bytes.
        case udp6(DatagramParameters)
        case ethernetLLC(device: [UInt8])
        case ethernetDIX(device: [UInt8], etherType: UInt16)

        package var type: IPCPType {
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
}

/// What a UDP layer needs to know.
package struct DatagramParameters: Hashable, Sendable {
    /// Of this host, with the port of the layer.
    package var own: DatagramAddress
    /// The DNS server that names are published at and asked for; nil: none.
    package var server: DatagramAddress?
    /// Absolute path of a file of addresses and names; empty: none.
    package var hosts: [UInt8]
    /// Absolute path of the TSIG key file that `dns` wants for updates; empty: none.
    package var key: [UInt8]

    package init(
        own: DatagramAddress, server: DatagramAddress? = nil, hosts: [UInt8] = [], key: [UInt8] = []
    ) {
        self.own = own
        self.server = server
        self.hosts = hosts
        self.key = key
    }

    /// With addresses as structures have them: in network order, and zeroes for no server. The server is at the usual
    /// port. Nil if these are no addresses.
    package init?(
        address: [UInt8], dns: [UInt8] = [], port: UInt16 = defaultPort, hosts: [UInt8] = [], key: [UInt8] = []
    ) {
        guard let own = DatagramAddress(address, port: port) else { return nil }
        self.init(own: own, hosts: hosts, key: key)
        guard dns.contains(where: { $0 != 0 }) else { return }
        guard let server = DatagramAddress(dns, port: DatagramParameters.serverPort) else { return nil }
        self.server = server
    }

    /// Of a layer. spec: udp-layer §1
    package static let defaultPort: UInt16 = 3_435
    /// Of a DNS server.
    package static let serverPort: UInt16 = 53

    /// These are addresses of this family, and paths that mean the same file in every process.
    package func isValid(for family: DatagramAddress.Family) -> Bool {
        func isPath(_ path: [UInt8]) -> Bool {
            path.isEmpty || path.first == UInt8(ascii: "/") && path.count <= Limits.pathBytes && !path.contains(0)
        }
        let addresses = [own] + (server.map { [$0] } ?? [])
        return addresses.allSatisfy { $0.family == family } && isPath(hosts) && isPath(key)
    }
}

/// The policies of a unicast layer, by the numbers of `ouroboros/ipcp.h`.
package struct UnicastParameters: Hashable, Sendable {
    package var addressBytes: UInt8 = 4
    package var endpointBytes: UInt8 = 8
    package var timeToLive: UInt8 = 60
    package var linkState: UInt32 = 0
    package var recalculateSeconds: UInt64 = 4
    package var updateSeconds: UInt64 = 15
    package var timeoutSeconds: UInt64 = 60
    package var searchFactor: UInt32 = 3
    package var replicas: UInt32 = 8
    package var expireSeconds: UInt32 = 86_400
    package var refreshSeconds: UInt32 = 900
    package var replicateSeconds: UInt32 = 900
    package var congestion: UInt32 = 1

    package init() {}
}
