// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// How a layer turns names into the bytes it stores and compares. spec: irmd §4
package enum DirectoryHash: UInt32, Sendable, CaseIterable {
    case sha3x224 = 0
    case sha3x256 = 1
    case sha3x384 = 2
    case sha3x512 = 3
    /// Users cannot choose it: a type of layer has it always.
    case md5 = 4

    /// Where none was chosen.
    package static let usual = DirectoryHash.sha3x256
    /// Those that can be chosen, as users write them, by their numbers.
    package static let choices = ["SHA3_224", "SHA3_256", "SHA3_384", "SHA3_512"]

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

    /// - Parameter hash: Counts only if layers of the type have a choice.
    package init(layer: LayerName, hash: DirectoryHash, parameters: Parameters) {
        self.layer = layer
        self.hash = parameters.type.hash(choosing: hash)
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

    /// By which UDP layers know names. spec: irmd §4
    package static let hash = DirectoryHash.md5
    /// Of a layer. spec: udp-layer §1
    package static let defaultPort: UInt16 = 3_435
    /// Of a DNS server.
    package static let serverPort: UInt16 = 53

    /// These are addresses of this family, and paths that mean the same file in every process.
    package func isValid(for family: DatagramAddress.Family) -> Bool {
        let addresses = [own] + (server.map { [$0] } ?? [])
        return addresses.allSatisfy { $0.family == family } && Self.isPath(hosts) && Self.isPath(key)
    }

    /// Absolute, or empty for none.
    package static func isPath(_ path: [UInt8]) -> Bool {
        path.isEmpty || path.first == UInt8(ascii: "/") && path.count <= Limits.pathBytes && !path.contains(0)
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
