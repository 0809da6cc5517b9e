// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What `irm(8)` and `irm_*(3)` ask of irmd.
package enum ManagementRequest: Hashable, Sendable, LocalCodable {
    case createIPCP(IPCPName, IPCPType)
    case destroyIPCP(ProcessID)
    case bootstrapIPCP(ProcessID, LayerConfiguration)
    case enrollIPCP(ProcessID, destination: ServiceName)
    case connectIPCP(ProcessID, destination: ServiceName, component: [UInt8], QualityOfService)
    case disconnectIPCP(ProcessID, destination: ServiceName, component: [UInt8])
    /// The page that begins with the entry number `from`.
    case listIPCPs(from: UInt32)
    /// `program` is an absolute path; `arguments` are those after the program's own name. With `environment` and
    /// `directory` of who binds, an auto-started program finds itself where it would have been started by hand.
    case bindProgram(
        program: [UInt8], ServiceName, autoStart: Bool, arguments: [[UInt8]], directory: [UInt8])
    /// By path or by base name; no name = all its names. If nothing is bound by it, by `otherwise`, which may be empty.
    case unbindProgram(program: [UInt8], otherwise: [UInt8], ServiceName?)
    case bindProcess(ProcessID, ServiceName)
    case unbindProcess(ProcessID, ServiceName?)
    case createName(NameSettings)
    case destroyName(ServiceName)
    case listNames(from: UInt32)
    case registerName(ServiceName, ProcessID)
    case unregisterName(ServiceName, ProcessID)
    case listFlows(from: UInt32)
    case status
    /// Of the layer that the IPCP is a member of.
    case describeIPCP(ProcessID)
    /// What is bound to names: the page that begins with the entry number `from`.
    case listBindings(from: UInt32)
    /// Nil leaves a setting as it is.
    case setName(ServiceName, balancing: LoadBalancing?, wait: TimeSpan?)
    /// Both ends lose the flow.
    case destroyFlow(FlowID)
    /// What irmd and the processes at both ends know of the flow. For an irmd with the feature `flowStatistics`.
    case showFlow(FlowID)

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case createIPCP, destroyIPCP, bootstrapIPCP, enrollIPCP, connectIPCP, disconnectIPCP, listIPCPs, bindProgram,
            unbindProgram, bindProcess, unbindProcess, createName, destroyName, listNames, registerName, unregisterName,
            listFlows, status, describeIPCP, listBindings, setName, destroyFlow, showFlow
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .createIPCP(let a, let b): writer.write(Kind.createIPCP, Self.createIPCP, a, b)
        case .destroyIPCP(let a): writer.write(Kind.destroyIPCP, Self.destroyIPCP, a)
        case .bootstrapIPCP(let a, let b): writer.write(Kind.bootstrapIPCP, Self.bootstrapIPCP, a, b)
        case .enrollIPCP(let a, let b): writer.write(Kind.enrollIPCP, Self.enrollIPCP, a, b)
        case .connectIPCP(let a, let b, let c, let d): writer.write(Kind.connectIPCP, Self.connectIPCP, a, b, c, d)
        case .disconnectIPCP(let a, let b, let c): writer.write(Kind.disconnectIPCP, Self.disconnectIPCP, a, b, c)
        case .listIPCPs(let a): writer.write(Kind.listIPCPs, Self.listIPCPs, a)
        case .bindProgram(let a, let b, let c, let d, let e):
            writer.write(Kind.bindProgram, Self.bindProgram, a, b, c, d, e)
        case .unbindProgram(let a, let b, let c): writer.write(Kind.unbindProgram, Self.unbindProgram, a, b, c)
        case .bindProcess(let a, let b): writer.write(Kind.bindProcess, Self.bindProcess, a, b)
        case .unbindProcess(let a, let b): writer.write(Kind.unbindProcess, Self.unbindProcess, a, b)
        case .createName(let a): writer.write(Kind.createName, Self.createName, a)
        case .destroyName(let a): writer.write(Kind.destroyName, Self.destroyName, a)
        case .listNames(let a): writer.write(Kind.listNames, Self.listNames, a)
        case .registerName(let a, let b): writer.write(Kind.registerName, Self.registerName, a, b)
        case .unregisterName(let a, let b): writer.write(Kind.unregisterName, Self.unregisterName, a, b)
        case .listFlows(let a): writer.write(Kind.listFlows, Self.listFlows, a)
        case .status: writer.write(Kind.status.rawValue)
        case .describeIPCP(let a): writer.write(Kind.describeIPCP, Self.describeIPCP, a)
        case .listBindings(let a): writer.write(Kind.listBindings, Self.listBindings, a)
        case .setName(let a, let b, let c): writer.write(Kind.setName, Self.setName, a, b, c)
        case .destroyFlow(let a): writer.write(Kind.destroyFlow, Self.destroyFlow, a)
        case .showFlow(let a): writer.write(Kind.showFlow, Self.showFlow, a)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .createIPCP: self = try reader.read(Self.createIPCP)
        case .destroyIPCP: self = try reader.read(Self.destroyIPCP)
        case .bootstrapIPCP: self = try reader.read(Self.bootstrapIPCP)
        case .enrollIPCP: self = try reader.read(Self.enrollIPCP)
        case .connectIPCP: self = try reader.read(Self.connectIPCP)
        case .disconnectIPCP: self = try reader.read(Self.disconnectIPCP)
        case .listIPCPs: self = try reader.read(Self.listIPCPs)
        case .bindProgram: self = try reader.read(Self.bindProgram)
        case .unbindProgram: self = try reader.read(Self.unbindProgram)
        case .bindProcess: self = try reader.read(Self.bindProcess)
        case .unbindProcess: self = try reader.read(Self.unbindProcess)
        case .createName: self = try reader.read(Self.createName)
        case .destroyName: self = try reader.read(Self.destroyName)
        case .listNames: self = try reader.read(Self.listNames)
        case .registerName: self = try reader.read(Self.registerName)
        case .unregisterName: self = try reader.read(Self.unregisterName)
        case .listFlows: self = try reader.read(Self.listFlows)
        case .status: self = .status
        case .describeIPCP: self = try reader.read(Self.describeIPCP)
        case .listBindings: self = try reader.read(Self.listBindings)
        case .setName: self = try reader.read(Self.setName)
        case .destroyFlow: self = try reader.read(Self.destroyFlow)
        case .showFlow: self = try reader.read(Self.showFlow)
        }
    }
}

/// Which acceptor of a name gets the next flow. spec: irmd §5
package enum LoadBalancing: UInt32, Sendable, LocalCodable {
    /// The one that waits longest.
    case roundRobin = 0
    /// The one that came last, until it has no accept pending.
    case spillover = 1

    package var name: String { self == .roundRobin ? "round-robin" : "spillover" }
}

/// A name as `irm name create` makes it. Empty paths stand for the defaults. spec: c-api §4 name_info
package struct NameSettings: Hashable, Sendable, FieldCodable {
    package var name: ServiceName
    package var balancing: LoadBalancing
    /// How long an allocation waits at most for somebody to serve the name, if nobody does: zero, it fails at once;
    /// `TimeSpan.unlimited`, as long as its client.
    package var wait: TimeSpan
    package var server: SecurityPaths
    package var client: SecurityPaths

    package init(
        name: ServiceName, balancing: LoadBalancing, wait: TimeSpan = TimeSpan(nanoseconds: 0),
        server: SecurityPaths = SecurityPaths(), client: SecurityPaths = SecurityPaths()
    ) {
        self.name = name
        self.balancing = balancing
        self.wait = wait
        self.server = server
        self.client = client
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            name: try field(\.name, &bytes), balancing: try field(\.balancing, &bytes), wait: try field(\.wait, &bytes),
            server: try field(\.server, &bytes), client: try field(\.client, &bytes))
    }
}

/// Where the settings of encryption and the certificate of a name are; each at most 511 bytes, empty = default.
package struct SecurityPaths: Hashable, Sendable, FieldCodable {
    package var encryption: [UInt8] = []
    package var key: [UInt8] = []
    package var certificate: [UInt8] = []

    package init() {}

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        encryption = try field(\.encryption, &bytes)
        key = try field(\.key, &bytes)
        certificate = try field(\.certificate, &bytes)
        guard max(encryption.count, key.count, certificate.count) <= Limits.pathBytes else { throw .length }
    }
}
