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
    case flows([FlowEntry], total: UInt32)
    case status(ManagerStatus)
    case layer(LayerStatus)
    case bindings([BindingEntry], total: UInt32)

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .completed: writer.write(UInt8(0))
        case .unchanged: writer.write(UInt8(7))
        case .created(let process):
            writer.write(UInt8(1))
            writer.write(process)
        case .ipcps(let entries, let total):
            writer.write(UInt8(2))
            writer.write(list: entries)
            writer.write(total)
        case .names(let entries, let total):
            writer.write(UInt8(3))
            writer.write(list: entries)
            writer.write(total)
        case .flows(let entries, let total):
            writer.write(UInt8(4))
            writer.write(list: entries)
            writer.write(total)
        case .status(let status):
            writer.write(UInt8(5))
            writer.write(status)
        case .layer(let status):
            writer.write(UInt8(6))
            writer.write(status)
        case .bindings(let entries, let total):
            writer.write(UInt8(8))
            writer.write(list: entries)
            writer.write(total)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .completed
        case 1: self = .created(try reader.read())
        case 2: self = .ipcps(try reader.readList(), total: try reader.read())
        case 3: self = .names(try reader.readList(), total: try reader.read())
        case 4: self = .flows(try reader.readList(), total: try reader.read())
        case 5: self = .status(try reader.read())
        case 6: self = .layer(try reader.read())
        case 7: self = .unchanged
        case 8: self = .bindings(try reader.readList(), total: try reader.read())
        default: throw .unknownValue
        }
    }
}

package struct IPCPEntry: Hashable, Sendable, LocalCodable {
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

    package func write(to writer: inout ByteWriter) {
        writer.write(process)
        writer.write(type.rawValue)
        writer.write(name)
        writer.write(optional: layer)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            process: try reader.read(), type: try reader.readChoice(), name: try reader.read(),
            layer: try reader.readOptional())
    }
}

package struct NameEntry: Hashable, Sendable, LocalCodable {
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

    package func write(to writer: inout ByteWriter) {
        writer.write(settings)
        writer.write(acceptors)
        writer.write(processes)
        writer.write(programs)
        writer.write(autoStart)
        writer.write(list: layers)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            settings: try reader.read(), acceptors: try reader.read(), processes: try reader.read(),
            programs: try reader.read(), autoStart: try reader.readBool(), layers: try reader.readList())
    }
}

package struct ManagerStatus: Hashable, Sendable, LocalCodable {
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

    package func write(to writer: inout ByteWriter) {
        writer.write(process)
        writer.write(user)
        writer.write(uptime)
        writer.write(processes)
        writer.write(ipcps)
        writer.write(names)
        writer.write(flows)
        writer.write(flowsAllocated)
        writer.write(allocationsFailed)
        writer.write(string: runtimeDirectory)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            process: try reader.read(), user: try reader.read(), uptime: try reader.read(),
            processes: try reader.read(), ipcps: try reader.read(), names: try reader.read(),
            flows: try reader.read(), flowsAllocated: try reader.read(), allocationsFailed: try reader.read(),
            runtimeDirectory: try reader.readString())
    }
}
