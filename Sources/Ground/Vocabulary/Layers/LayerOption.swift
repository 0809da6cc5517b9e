// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What can be said of a layer when it is made. spec: irm-cli §2 bootstrap, config-file §3
///
/// A new option is a case here, with its row. The compiler then asks how it is stored and what stands for it in C and in
/// Swift; all else follows, and the tests of the table say what of the manual page and the Python package is missing.
package enum LayerOption: Hashable, Sendable, CaseIterable {
    case hash
    case unicast(UnicastOption)
    case ethernet(EthernetOption)
    case datagram(DatagramOption)

    package static let allCases: [LayerOption] =
        [.hash] + UnicastOption.allCases.map(LayerOption.unicast)
        + EthernetOption.allCases.map(LayerOption.ethernet) + DatagramOption.allCases.map(LayerOption.datagram)

    /// The types that have it.
    package var types: [IPCPType] { IPCPType.allCases.filter { $0.options.contains(self) } }

    package var row: LayerOptionRow {
        switch self {
        case .hash: LayerOptionRow("hash", .choice(DirectoryHash.choices, "HASH"), "Hash of names", shortForms: ["h"])
        case .unicast(let option): option.row
        case .ethernet(let option): option.row
        case .datagram(let option): option.row
        }
    }
}

/// Options of unicast layers. The order is that of the local protocol.
package enum UnicastOption: Hashable, Sendable, CaseIterable {
    case addressBytes, endpointBytes, timeToLive, addressAuthority
    case routing, recalculate, update, timeout
    case directory, searchFactor, replicas, expire, refresh, replicate
    case congestion

    package var row: LayerOptionRow {
        switch self {
        case .addressBytes: LayerOptionRow("addr", .number(4...4, "BYTES"), "Size of addresses", shortForms: ["a"])
        case .endpointBytes: LayerOptionRow("eid", .number(8...8, "BYTES"), "Size of endpoint ids", otherWords: ["fd"])
        case .timeToLive: LayerOptionRow("ttl", .number(0...255, "HOPS"), "Greatest time to live")
        case .addressAuthority: LayerOptionRow("addr_auth", .choice(["flat"], "POLICY"), "How addresses are chosen")
        case .routing:
            LayerOptionRow("routing", .choice(["link_state", "lfa", "ecmp"], "POLICY"), "How paths are found")
        case .recalculate: LayerOptionRow("ls_t_recalc", Self.timer, "Between two calculations of paths")
        case .update: LayerOptionRow("ls_t_update", Self.timer, "Between two updates of a link")
        case .timeout: LayerOptionRow("ls_t_timeo", Self.timer, "Until a silent link is dropped")
        case .directory: LayerOptionRow("directory", .choice(["DHT"], "POLICY"), "How names are found")
        case .searchFactor: LayerOptionRow("dht_alpha", .number(1...10, "NUMBER"), "Requests at a time")
        case .replicas: LayerOptionRow("dht_k", .number(1...20, "NUMBER"), "Copies of an entry")
        case .expire: LayerOptionRow("dht_t_expire", .number(10...86_400, "SECONDS"), "Life of an entry")
        case .refresh: LayerOptionRow("dht_t_refresh", .number(3...3_600, "SECONDS"), "Between two checks of contacts")
        case .replicate:
            LayerOptionRow("dht_t_replicate", .number(3...3_600, "SECONDS"), "Between two copies of entries")
        case .congestion:
            LayerOptionRow("congestion", .choice(["none", "mb-ecn"], "POLICY"), "How senders learn of congestion")
        }
    }

    /// As long as C can say. spec: config-file §3
    private static let timer = LayerOptionKind.number(1...UInt64(Int64.max), "SECONDS")

    /// Where it is stored. Nil: there is only one choice, which takes no room.
    package var field: UnicastField? {
        switch self {
        case .addressAuthority, .directory: nil
        case .addressBytes: .octet(\.addressBytes)
        case .endpointBytes: .octet(\.endpointBytes)
        case .timeToLive: .octet(\.timeToLive)
        case .routing: .word(\.linkState)
        case .recalculate: .long(\.recalculateSeconds)
        case .update: .long(\.updateSeconds)
        case .timeout: .long(\.timeoutSeconds)
        case .searchFactor: .word(\.searchFactor)
        case .replicas: .word(\.replicas)
        case .expire: .word(\.expireSeconds)
        case .refresh: .word(\.refreshSeconds)
        case .replicate: .word(\.replicateSeconds)
        case .congestion: .word(\.congestion)
        }
    }
}

/// Options of Ethernet layers. The order is that of the local protocol.
package enum EthernetOption: Hashable, Sendable, CaseIterable {
    case device, etherType

    package var row: LayerOptionRow {
        switch self {
        case .device: LayerOptionRow("dev", .interface, "Network interface", otherWords: ["device"])
        case .etherType: LayerOptionRow("ethertype", .hexadecimal(0x0600...0xFFFE, "NUMBER"), "Ethertype of the layer")
        }
    }

    // spec: irm-cli §2 bootstrap
    package static let defaultEtherType: UInt16 = 0xA000
}

/// Options of UDP layers. The order is that of the local protocol.
package enum DatagramOption: Hashable, Sendable, CaseIterable {
    case address, port, server, hosts, key

    package var row: LayerOptionRow {
        switch self {
        case .address: LayerOptionRow("ip", .address, "Own address")
        case .port: LayerOptionRow("port", .number(1...65_535, "PORT"), "Port of the layer, the same on all hosts")
        case .server: LayerOptionRow("dns", .server, "DNS server for names", shortForms: ["d"])
        case .hosts: LayerOptionRow("hosts", .path, "Addresses and names")
        case .key: LayerOptionRow("key", .path, "TSIG key that the DNS server wants for updates")
        }
    }
}

/// What people and programs have to know of an option.
package struct LayerOptionRow: Sendable {
    /// As users write it.
    package let word: String
    /// Other words for it, which can be cut short like the first.
    package let otherWords: [String]
    /// Words that stand for it although others begin with them too.
    package let shortForms: [String]
    package let kind: LayerOptionKind
    /// Without its values, which `LayerOption.explanation` adds.
    package let summary: String

    fileprivate init(
        _ word: String, _ kind: LayerOptionKind, _ summary: String, otherWords: [String] = [], shortForms: [String] = []
    ) {
        self.word = word
        self.otherWords = otherWords
        self.shortForms = shortForms
        self.kind = kind
        self.summary = summary
    }
}

/// What an option can be.
package enum LayerOptionKind: Hashable, Sendable {
    /// One of these words, which stands for its place among them; and what stands for it in usage texts.
    case choice([String], String)
    /// A number in these bounds, and its unit.
    case number(ClosedRange<UInt64>, String)
    case hexadecimal(ClosedRange<UInt64>, String)
    /// An IP address of the layer's type, which must be given.
    case address
    /// An address with a port, or none.
    case server
    /// An absolute path, or none.
    case path
    /// The name of a network interface, which must be given.
    case interface

    /// What stands for the value in usage texts.
    package var argument: String {
        switch self {
        case .choice(_, let argument), .number(_, let argument), .hexadecimal(_, let argument): argument
        case .address: "ADDRESS"
        case .server: "SERVER"
        case .path: "FILE"
        case .interface: "INTERFACE"
        }
    }
}

/// A number of `UnicastParameters`, by its width.
package enum UnicastField: Sendable {
    case octet(WritableKeyPath<UnicastParameters, UInt8> & Sendable)
    case word(WritableKeyPath<UnicastParameters, UInt32> & Sendable)
    case long(WritableKeyPath<UnicastParameters, UInt64> & Sendable)
}
