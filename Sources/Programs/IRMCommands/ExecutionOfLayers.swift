// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// Bootstrapping, enrolling, and connecting IPCPs. spec: irm-cli §2
extension Execution {
    mutating func perform(_ bootstrap: Bootstrap) throws(ManagementError) {
        var undo: [ManagementRequest] = []
        do throws(ManagementError) {
            for ipcp in try bootstrapped(bootstrap, &undo) { try self.bootstrap(ipcp, bootstrap, &undo) }
        } catch {
            takeBack(undo)
            throw error
        }
    }

    /// The IPCPs that the command is about, one of which may have to be created.
    private func bootstrapped(
        _ bootstrap: Bootstrap, _ undo: inout [ManagementRequest]
    ) throws(ManagementError) -> [IPCPEntry] {
        let existing = try service.ipcps()
        guard let type = bootstrap.type, let name = IPCPName(bootstrap.ipcp.bytes) else {
            let matching = existing.filter { bootstrap.ipcp.matches($0.name.bytes) }
            guard !matching.isEmpty else {
                throw ManagementError(
                    .ipcp,
                    reason: "No IPCPs matching \(bootstrap.ipcp) found. With \"type\" the command creates one.")
            }
            return matching
        }
        return [try entry(name, type, among: existing, &undo)]
    }

    /// The IPCP of this name, created if there is none.
    private func entry(
        _ name: IPCPName, _ type: IPCPType, among existing: [IPCPEntry], _ undo: inout [ManagementRequest]
    ) throws(ManagementError) -> IPCPEntry {
        if let entry = existing.first(where: { $0.name == name }) {
            guard entry.type == type else {
                throw ManagementError(
                    .ipcpType, reason: "Types do not match. IPCP \(name) exists and is of type \(entry.type.name).")
            }
            return entry
        }
        let process = try service.create(name, type)
        undo.append(.destroyIPCP(process))
        return IPCPEntry(process: process, type: type, name: name, layer: nil)
    }

    private mutating func bootstrap(
        _ ipcp: IPCPEntry, _ bootstrap: Bootstrap, _ undo: inout [ManagementRequest]
    ) throws(ManagementError) {
        for option in bootstrap.options.ignored(by: ipcp.type) {
            report.warn("Option \"\(option)\" means nothing to a layer of type \(ipcp.type.name), ignored.")
        }
        let configuration: LayerConfiguration
        do throws(LayerFault) {
            configuration = try bootstrap.options.configuration(of: bootstrap.layer, ipcp.type)
        } catch {
            throw ManagementError(.invalid, reason: error.sentence)
        }
        if bootstrap.autobind {
            if ipcp.type.hasEnrolment {
                try bind(ipcp.process, [ipcp.name.bytes, bootstrap.layer.bytes], &undo)
            } else {
                report.warn("Can not bind this IPCP type,autobind disabled.")
            }
        }
        try request(.bootstrapIPCP(ipcp.process, configuration))
    }

    /// Binds the process to all names, and notes what to take back.
    private func bind(
        _ process: ProcessID, _ names: [[UInt8]], _ undo: inout [ManagementRequest]
    ) throws(ManagementError) {
        let known = Set(try service.names().map(\.settings.name))
        for name in names.compactMap({ ServiceName($0) }) {
            do throws(ManagementError) {
                try request(.bindProcess(process, name))
            } catch {
                throw error.explaining("Failed to bind \(process) to \(name).")
            }
            if !known.contains(name) { undo.append(.destroyName(name)) }
            undo.append(.unbindProcess(process, name))
        }
    }

    /// In reverse order. What fails now has no better remedy, and the first failure is the one to report.
    private func takeBack(_ undo: [ManagementRequest]) {
        for request in undo.reversed() { _ = try? service.perform(request) }
    }

    mutating func perform(_ enroll: Enroll) throws(ManagementError) {
        var undo: [ManagementRequest] = []
        let ipcp = try entry(enroll.ipcp, enroll.type, among: try service.ipcps(), &undo)
        do throws(ManagementError) {
            try request(.enrollIPCP(ipcp.process, destination: enroll.destination))
        } catch {
            takeBack(undo)
            throw error.explaining("Failed to enroll IPCP.")
        }
        let now = try service.ipcps().first { $0.process == ipcp.process }
        guard let layer = now?.layer else {
            throw ManagementError(.ipcpState, reason: "Could not get layer name. The IPCP is not enrolled any more.")
        }
        if let wanted = enroll.layer, wanted != layer {
            throw ManagementError(
                .ipcpState,
                reason: "Enrollment destination does not match requested layer. It is in layer \(layer), and so is"
                    + " \(enroll.ipcp) now.")
        }
        guard enroll.autobind else { return }
        // The enrolment stays if this fails, so there is nothing to take back.
        var bound: [ManagementRequest] = []
        try bind(ipcp.process, [ipcp.name.bytes, layer.bytes], &bound)
    }

    /// Management first, and that always with raw quality; then data transfer. spec: irm-cli §2 connect
    mutating func connect(_ connection: Connection, _ quality: QualityOfService) throws(ManagementError) {
        let ipcp = try ipcp(connection.ipcp)
        var connected: [String] = []
        for component in components(connection, of: ipcp) {
            do throws(ManagementError) {
                try request(
                    .connectIPCP(
                        ipcp.process, destination: connection.destination,
                        component: Array(component.fullName.utf8), component == .management ? .raw : quality))
            } catch {
                let before = connected.map { " \($0) stays connected." }.joined()
                throw error.explaining(
                    "Failed to connect \(component.fullName) to \(connection.destination).\(before)")
            }
            connected.append(component.fullName)
        }
    }

    /// The reverse order; one that fails does not keep the other.
    mutating func disconnect(_ connection: Connection) throws(ManagementError) {
        let ipcp = try ipcp(connection.ipcp)
        for component in components(connection, of: ipcp).reversed() {
            do throws(ManagementError) {
                try request(
                    .disconnectIPCP(
                        ipcp.process, destination: connection.destination,
                        component: Array(component.fullName.utf8)))
            } catch {
                report.fail(
                    error.explaining(
                        "Failed to disconnect \(component.fullName) from \(connection.destination)."
                    ).reason)
            }
        }
    }

    /// Broadcast IPCPs have no management component, so a pattern does not mean it. spec: broadcast-layer §1
    private func components(_ connection: Connection, of ipcp: IPCPEntry) -> [Connection.Component] {
        connection.components.filter { component in
            component != .management || ipcp.type != .broadcast || !connection.component.hasWildcard
        }
    }
}
