// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// A flow as irmd lists it.
public struct FlowStatus: Hashable, Sendable {
    /// How far it is.
    public enum State: UInt8, Sendable {
        /// Offered to its ends, and not yet taken by both.
        case pending = 0
        /// In use.
        case allocated = 1
        /// One end has let go.
        case deallocating = 2
    }

    /// Its number within this host.
    public let identifier: UInt32
    /// How far it is.
    public let state: State
    /// The name it was allocated to.
    public let name: String
    /// The process that allocated it.
    public let client: ProcessID
    /// The process that accepted it.
    public let server: ProcessID
    /// The layer that carries it; nil: direct, because the name is in no layer.
    public let layer: String?
    /// What it was given.
    public let quality: QualityOfService
    /// Messages written by the client, as far as it says.
    public let packetsFromClient: UInt64
    /// Messages written by the server, as far as it says.
    public let packetsFromServer: UInt64
}

/// irmd itself.
public struct ManagerStatus: Hashable, Sendable {
    /// Its process.
    public let process: ProcessID
    /// How long it has been running.
    public let uptime: Duration
    /// Attached processes, without IPCPs.
    public let processes: Int
    /// IPCPs.
    public let ipcps: Int
    /// Names.
    public let names: Int
    /// Flows that there are now.
    public let flows: Int
    /// Flows allocated since the start.
    public let flowsAllocated: UInt64
    /// Allocations that failed since the start.
    public let allocationsFailed: UInt64
    /// Where its socket is.
    public let runtimeDirectory: String
}

// What there is.
extension IRM {
    /// All flows of this host.
    public func flows() throws(OuroborosError) -> [FlowStatus] {
        try ask { client throws(ManagementError) in
            try client.flows().map { entry in
                FlowStatus(
                    identifier: entry.flow.rawValue,
                    state: FlowStatus.State(rawValue: entry.state.rawValue) ?? .pending,
                    name: entry.name.description, client: ProcessID(entry.client),
                    server: ProcessID(entry.server), layer: entry.layer?.description,
                    quality: QualityOfService(entry.quality), packetsFromClient: entry.packetsFromClient,
                    packetsFromServer: entry.packetsFromServer)
            }
        }
    }

    /// irmd itself.
    public func status() throws(OuroborosError) -> ManagerStatus {
        let status = try ask { client throws(ManagementError) in try client.status() }
        return ManagerStatus(
            process: ProcessID(status.process), uptime: status.uptime.duration, processes: Int(status.processes),
            ipcps: Int(status.ipcps), names: Int(status.names), flows: Int(status.flows),
            flowsAllocated: status.flowsAllocated, allocationsFailed: status.allocationsFailed,
            runtimeDirectory: printable(status.runtimeDirectory))
    }
}
