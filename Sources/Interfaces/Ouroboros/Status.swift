// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// A flow as irmd lists it.
public struct FlowStatus: Hashable, Sendable {
    /// How far it is.
    public enum State: UInt8, Sendable {
        /// Offered to its ends, and not yet taken by both of them.
        case pending = 0
        /// In use.
        case allocated = 1
        /// One end has closed it.
        case deallocating = 2
    }

    /// Its number within this host.
    public let identifier: UInt32
    /// How far it is.
    public let state: State
    /// The name to which it was allocated.
    public let name: String
    /// The side that allocated it.
    public let client: Side
    /// The side that accepted it.
    public let server: Side
    /// The layer that carries it; nil if the flow is direct, because the name is in no layer.
    public let layer: String?
    /// Its quality.
    public let quality: QualityOfService
    /// The time since it was made.
    public let age: Duration

    /// One side of a flow. The counts come from its processes, and irmd cannot check them.
    public struct Side: Hashable, Sendable {
        /// The process, or the IPCP that leads to a process on another host.
        public let process: ProcessID
        /// The last part of its program's path; empty: unknown.
        public let program: String
        /// It is on another host.
        public let isRemote: Bool
        /// The address and the port of the other host, as its layer writes them; nil if the side is on this host, or if
        /// its address is unknown.
        public let host: String?
        /// Messages that it sent.
        public let packets: UInt64
        /// The memory of these messages: each message takes 8 bytes more, rounded up to a multiple of 64.
        public let bytes: UInt64
        /// Messages that the other side has not read.
        public let unreadPackets: UInt64
        /// Bytes of memory of the unread messages.
        public let unreadBytes: UInt64

        init(_ party: FlowParty) {
            process = ProcessID(party.process)
            program = printable(party.program)
            isRemote = party.host != nil
            host = party.host.flatMap { $0.isEmpty ? nil : printable($0) }
            packets = party.sent.packets
            bytes = party.sent.bytes
            unreadPackets = party.sent.unreadPackets
            unreadBytes = party.sent.unreadBytes
        }
    }
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
    /// Flows that exist now.
    public let flows: Int
    /// Flows allocated since the start.
    public let flowsAllocated: UInt64
    /// Allocations that failed since the start.
    public let allocationsFailed: UInt64
    /// The directory of its socket.
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
                    name: entry.name.description, client: FlowStatus.Side(entry.client),
                    server: FlowStatus.Side(entry.server), layer: entry.layer?.description,
                    quality: QualityOfService(entry.quality), age: entry.age.duration)
            }
        }
    }

    /// Ends a flow. Both ends get `flowDown` when they have read the queued messages. irmd's user and root can end any
    /// flow; other managers can end a flow if one of its ends or its name belongs to them.
    ///
    /// - Throws: ``OuroborosError``, with `noEntry` if there is no flow of this number.
    public func destroyFlow(_ identifier: UInt32) throws(OuroborosError) {
        try perform(.destroyFlow(FlowID(identifier)))
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
