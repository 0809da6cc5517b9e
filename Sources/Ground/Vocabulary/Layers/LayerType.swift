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
}

/// What is true of all layers of a type, and which options they have. This table and that of `LayerOption` are the only
/// places that say so: the grammar of `irm`, its usage texts, its completion, the checks of irmd and the IPCPs, the local
/// protocol and the configurations of C and Swift follow from them, and tests compare the header, the Python package and
/// irm(8) with them.
package struct LayerType: Sendable {
    /// How the members of a layer know names.
    package enum Directory: Hashable, Sendable {
        /// They know none.
        case none
        /// By this hash, whatever was asked for.
        case always(DirectoryHash)
        /// By one of the hashes that can be chosen.
        case chosen
    }

    /// As users write it, and as the daemon's name ends.
    package let name: String
    /// Other words for it, of older tutorials.
    package var otherNames: [String] = []
    package let directory: Directory
    /// A layer has further members, which enrol, and connect to each other by flows of other layers. Only then is an IPCP
    /// bound to names itself.
    package var hasEnrolment = false
    /// In the order in which the local protocol and usage texts have them.
    package let options: [LayerOption]

    private static let local = LayerType(name: "local", directory: .chosen, options: [.hash])
    private static let unicast = LayerType(
        name: "unicast", directory: .chosen, hasEnrolment: true,
        options: [.hash] + UnicastOption.allCases.map(LayerOption.unicast))
    private static let broadcast = LayerType(name: "broadcast", directory: .none, hasEnrolment: true, options: [])
    private static let ethernetLLC = LayerType(
        name: "eth-llc", directory: .chosen, options: [.hash, .ethernet(.device)])
    private static let ethernetDIX = LayerType(
        name: "eth-dix", directory: .chosen,
        options: [.hash, .ethernet(.device), .ethernet(.etherType)])
    // spec: irm-cli §2, older tutorials: README
    private static let udp4 = LayerType(
        name: "udp4", otherNames: ["udp"], directory: .always(DatagramParameters.hash),
        options: DatagramOption.allCases.map(LayerOption.datagram))
    private static let udp6 = LayerType(
        name: "udp6", directory: .always(DatagramParameters.hash),
        options: DatagramOption.allCases.map(LayerOption.datagram))

    fileprivate static func row(of type: IPCPType) -> LayerType {
        switch type {
        case .local: local
        case .unicast: unicast
        case .broadcast: broadcast
        case .ethernetLLC: ethernetLLC
        case .ethernetDIX: ethernetDIX
        case .udp4: udp4
        case .udp6: udp6
        }
    }
}

extension IPCPType {
    package var row: LayerType { LayerType.row(of: self) }

    package var name: String { row.name }
    /// The program that is started for it.
    package var daemon: String { "ipcpd-" + name }
    package var options: [LayerOption] { row.options }
    package var hasEnrolment: Bool { row.hasEnrolment }

    package var hasDirectory: Bool {
        switch row.directory {
        case .none: false
        case .always, .chosen: true
        }
    }

    /// The hash of a layer for which this one was chosen, or none.
    package func hash(choosing hash: DirectoryHash?) -> DirectoryHash {
        switch row.directory {
        case .none: .usual  // As the prototype says of such layers. spec: config-file §3
        case .always(let always): always
        case .chosen: hash ?? .usual
        }
    }
}
