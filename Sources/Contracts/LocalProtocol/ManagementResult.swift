// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What irmd answers to a `ManagementRequest` that succeeded.
package enum ManagementResult: Hashable, Sendable, LocalCodable {
    case completed
    /// What was asked for is so already, or something else is in its place that stays.
    case unchanged
    case created(ProcessID)
    /// `total` = entries there are in all; a page that is empty is behind the last.
    case ipcps([IPCPEntry], total: UInt32)
    case names([NameEntry], total: UInt32)
    case flows([FlowSummary], total: UInt32)
    case status(ManagerStatus)
    case layer(LayerStatus)
    case bindings([BindingEntry], total: UInt32)
    /// One flow, and what came of asking the processes at its ends.
    case flow(FlowSummary, client: FlowEndReport, server: FlowEndReport)

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case completed, created, ipcps, names, flows, status, layer, unchanged, bindings, flow
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .completed: writer.write(Kind.completed.rawValue)
        case .created(let a): writer.write(Kind.created, Self.created, a)
        case .ipcps(let a, let b): writer.write(Kind.ipcps, Self.ipcps, a, b)
        case .names(let a, let b): writer.write(Kind.names, Self.names, a, b)
        case .flows(let a, let b): writer.write(Kind.flows, Self.flows, a, b)
        case .status(let a): writer.write(Kind.status, Self.status, a)
        case .layer(let a): writer.write(Kind.layer, Self.layer, a)
        case .unchanged: writer.write(Kind.unchanged.rawValue)
        case .bindings(let a, let b): writer.write(Kind.bindings, Self.bindings, a, b)
        case .flow(let a, let b, let c): writer.write(Kind.flow, Self.flow, a, b, c)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .completed: self = .completed
        case .created: self = try reader.read(Self.created)
        case .ipcps: self = try reader.read(Self.ipcps)
        case .names: self = try reader.read(Self.names)
        case .flows: self = try reader.read(Self.flows)
        case .status: self = try reader.read(Self.status)
        case .layer: self = try reader.read(Self.layer)
        case .unchanged: self = .unchanged
        case .bindings: self = try reader.read(Self.bindings)
        case .flow: self = try reader.read(Self.flow)
        }
    }
}

package struct IPCPEntry: Hashable, Sendable, FieldCodable {
    package var process: ProcessID
    package var type: IPCPType
    package var name: IPCPName
    /// Nil before it is bootstrapped or enrolled.
    package var layer: LayerName?

    package init(process: ProcessID, type: IPCPType, name: IPCPName, layer: LayerName?) {
        self.process = process
        self.type = type
        self.name = name
        self.layer = layer
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            process: try field(\.process, &bytes), type: try field(\.type, &bytes), name: try field(\.name, &bytes),
            layer: try field(\.layer, &bytes))
    }
}

package struct NameEntry: Hashable, Sendable, FieldCodable {
    package var settings: NameSettings
    /// `flow_accept` calls that wait for a flow to this name.
    package var acceptors: UInt32
    /// Processes bound to it.
    package var processes: UInt32
    /// Programs bound to it.
    package var programs: UInt32
    /// A program is started for it when nobody accepts.
    package var autoStart: Bool
    /// The layers it is registered in; the first few if there are many.
    package var layers: [LayerName]

    package init(
        settings: NameSettings, acceptors: UInt32, processes: UInt32, programs: UInt32, autoStart: Bool,
        layers: [LayerName]
    ) {
        self.settings = settings
        self.acceptors = acceptors
        self.processes = processes
        self.programs = programs
        self.autoStart = autoStart
        self.layers = layers
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            settings: try field(\.settings, &bytes), acceptors: try field(\.acceptors, &bytes),
            processes: try field(\.processes, &bytes), programs: try field(\.programs, &bytes),
            autoStart: try field(\.autoStart, &bytes), layers: try field(\.layers, &bytes))
    }
}

package struct ManagerStatus: Hashable, Sendable, FieldCodable {
    package var process: ProcessID
    package var user: UserID
    package var uptime: TimeSpan
    /// Attached processes, without IPCPs.
    package var processes: UInt32
    package var ipcps: UInt32
    package var names: UInt32
    package var flows: UInt32
    /// Flows allocated since the start.
    package var flowsAllocated: UInt64
    /// Allocations that failed since the start.
    package var allocationsFailed: UInt64
    package var runtimeDirectory: [UInt8]

    package init(
        process: ProcessID, user: UserID, uptime: TimeSpan, processes: UInt32, ipcps: UInt32, names: UInt32,
        flows: UInt32, flowsAllocated: UInt64, allocationsFailed: UInt64, runtimeDirectory: [UInt8]
    ) {
        self.process = process
        self.user = user
        self.uptime = uptime
        self.processes = processes
        self.ipcps = ipcps
        self.names = names
        self.flows = flows
        self.flowsAllocated = flowsAllocated
        self.allocationsFailed = allocationsFailed
        self.runtimeDirectory = runtimeDirectory
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            process: try field(\.process, &bytes), user: try field(\.user, &bytes), uptime: try field(\.uptime, &bytes),
            processes: try field(\.processes, &bytes), ipcps: try field(\.ipcps, &bytes),
            names: try field(\.names, &bytes), flows: try field(\.flows, &bytes),
            flowsAllocated: try field(\.flowsAllocated, &bytes),
            allocationsFailed: try field(\.allocationsFailed, &bytes),
            runtimeDirectory: try field(\.runtimeDirectory, &bytes))
    }
}
