// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// The kinds of IPC processes, which are the kinds of layers. spec: c-api §3
public enum IPCPType: UInt32, Sendable, CaseIterable {
    /// Processes of one host.
    case local = 0
    /// A network over other layers.
    case unicast = 1
    /// All other members get what one member sends.
    case broadcast = 2
    /// Ethernet with LLC.
    case ethernetLLC = 3
    /// Ethernet with an EtherType.
    case ethernetDIX = 4
    /// UDP over IPv4.
    case udp4 = 5
    /// UDP over IPv6.
    case udp6 = 6
}

/// An IPCP as irmd lists it.
public struct IPCP: Hashable, Sendable {
    /// Its process, by which requests name it.
    public let process: ProcessID
    /// Its kind.
    public let type: IPCPType
    /// Its name.
    public let name: String
    /// Its layer; nil before it is bootstrapped or enrolled.
    public let layer: String?
}

// IPCPs. spec: c-api §9
extension IRM {
    /// Starts an IPCP. No other IPCP may have its name.
    ///
    /// - Throws: ``OuroborosError``, with `ipcpType` if the daemon of that type is not installed.
    public func createIPCP(named name: String, type: IPCPType) throws(OuroborosError) -> ProcessID {
        let name = try IPCPName(asking: name)
        guard let type = Vocabulary.IPCPType(rawValue: type.rawValue) else { throw OuroborosError(.ipcpType) }
        return ProcessID(try ask { client throws(ManagementError) in try client.create(name, type) })
    }

    /// Ends an IPCP.
    public func destroyIPCP(_ ipcp: ProcessID) throws(OuroborosError) { try perform(.destroyIPCP(ipcp.inner)) }

    /// All IPCPs, by type and then process.
    public func ipcps() throws(OuroborosError) -> [IPCP] {
        try ask { client throws(ManagementError) in
            try client.ipcps().map { entry in
                IPCP(
                    process: ProcessID(entry.process), type: IPCPType(rawValue: entry.type.rawValue) ?? .local,
                    name: entry.name.description, layer: entry.layer?.description)
            }
        }
    }

    /// Makes an IPCP the first member of a new layer.
    ///
    /// - Throws: ``OuroborosError``, with `invalid` if the configuration is not possible.
    public func bootstrap(_ ipcp: ProcessID, as layer: LayerConfiguration) throws(OuroborosError) {
        try perform(.bootstrapIPCP(ipcp.inner, try layer.inner))
    }

    /// Enrols an IPCP in the layer of the member that serves the name `destination`, which is the name of an IPCP or of
    /// a layer.
    public func enroll(_ ipcp: ProcessID, with destination: String) throws(OuroborosError) {
        try perform(.enrollIPCP(ipcp.inner, destination: try ServiceName(asking: destination)))
    }

    /// The components of an IPCP that have connections.
    public enum Component: String, Sendable {
        /// Packets of the layer's flows.
        case dataTransfer = "Data Transfer"
        /// Routing and directory.
        case management = "Management"
    }

    /// Connects a component of an IPCP to the same component of the IPCP `destination`, over a flow of this quality.
    ///
    /// - Throws: ``OuroborosError``, with `ipcp` if its type has no connections.
    public func connect(
        _ component: Component, of ipcp: ProcessID, to destination: String, quality: QualityOfService = .raw
    ) throws(OuroborosError) {
        try perform(
            .connectIPCP(
                ipcp.inner, destination: try ServiceName(asking: destination),
                component: Array(component.rawValue.utf8), quality.request))
    }

    /// Ends a connection that ``connect(_:of:to:quality:)`` made.
    public func disconnect(
        _ component: Component, of ipcp: ProcessID, from destination: String
    ) throws(OuroborosError) {
        try perform(
            .disconnectIPCP(
                ipcp.inner, destination: try ServiceName(asking: destination),
                component: Array(component.rawValue.utf8)))
    }

    /// A request that is answered with success and nothing else.
    func perform(_ request: ManagementRequest) throws(OuroborosError) {
        try ask { client throws(ManagementError) in _ = try client.perform(request) }
    }
}

extension Name {
    /// A name in a request to irmd; `invalid` if it can be none.
    init(asking text: String) throws(OuroborosError) {
        guard let name = Self(text) else {
            throw OuroborosError(.invalid, reason: "A name has 1 to 255 bytes, and none of them is 0.")
        }
        self = name
    }
}
