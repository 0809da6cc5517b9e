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

    package func write(to writer: inout ByteWriter) {
        writer.write(code)
        switch self {
        case .createIPCP(let name, let type):
            writer.write(name)
            writer.write(type.rawValue)
        case .destroyIPCP(let ipcp), .describeIPCP(let ipcp): writer.write(ipcp)
        case .bootstrapIPCP(let ipcp, let configuration):
            writer.write(ipcp)
            writer.write(configuration)
        case .enrollIPCP(let ipcp, let destination):
            writer.write(ipcp)
            writer.write(destination)
        case .connectIPCP(let ipcp, let destination, let component, let quality):
            writer.write(ipcp)
            writer.write(destination)
            writer.write(string: component)
            writer.write(quality)
        case .disconnectIPCP(let ipcp, let destination, let component):
            writer.write(ipcp)
            writer.write(destination)
            writer.write(string: component)
        case .listIPCPs(let from), .listNames(let from), .listFlows(let from), .listBindings(let from):
            writer.write(from)
        case .bindProgram(let program, let name, let autoStart, let arguments, let directory):
            writer.write(string: program)
            write(name, autoStart, arguments, directory, to: &writer)
        case .unbindProgram(let program, let otherwise, let name):
            writer.write(string: program)
            writer.write(string: otherwise)
            writer.write(optional: name)
        case .bindProcess(let process, let name):
            writer.write(process)
            writer.write(name)
        case .unbindProcess(let process, let name):
            writer.write(process)
            writer.write(optional: name)
        case .createName(let settings): writer.write(settings)
        case .destroyName(let name): writer.write(name)
        case .registerName(let name, let ipcp), .unregisterName(let name, let ipcp):
            writer.write(name)
            writer.write(ipcp)
        case .setName(let name, let balancing, let wait):
            writer.write(name)
            writer.write(optional: balancing)
            writer.write(optional: wait)
        case .destroyFlow(let flow): writer.write(flow)
        case .status: break
        }
    }

    /// What a program is bound to, and how it is started.
    private func write(
        _ name: ServiceName, _ autoStart: Bool, _ arguments: [[UInt8]], _ directory: [UInt8],
        to writer: inout ByteWriter
    ) {
        writer.write(name)
        writer.write(autoStart)
        writer.write(list: arguments) { writer, argument in writer.write(string: argument) }
        writer.write(string: directory)
    }

    private var code: UInt8 {
        switch self {
        case .createIPCP: 0
        case .destroyIPCP: 1
        case .bootstrapIPCP: 2
        case .enrollIPCP: 3
        case .connectIPCP: 4
        case .disconnectIPCP: 5
        case .listIPCPs: 6
        case .bindProgram: 7
        case .unbindProgram: 8
        case .bindProcess: 9
        case .unbindProcess: 10
        case .createName: 11
        case .destroyName: 12
        case .listNames: 13
        case .registerName: 14
        case .unregisterName: 15
        case .listFlows: 16
        case .status: 17
        case .describeIPCP: 18
        case .listBindings: 19
        case .setName: 20
        case .destroyFlow: 21
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .createIPCP(try reader.read(), try reader.readChoice())
        case 1: self = .destroyIPCP(try reader.read())
        case 2: self = .bootstrapIPCP(try reader.read(), try reader.read())
        case 3: self = .enrollIPCP(try reader.read(), destination: try reader.read())
        case 4:
            self = .connectIPCP(
                try reader.read(), destination: try reader.read(), component: try reader.readString(),
                try reader.read())
        case 5:
            self = .disconnectIPCP(
                try reader.read(), destination: try reader.read(), component: try reader.readString())
        case 6: self = .listIPCPs(from: try reader.read())
        case 7:
            self = .bindProgram(
                program: try reader.readString(), try reader.read(), autoStart: try reader.readBool(),
                arguments: try reader.readList { reader throws(MalformedMessage) in try reader.readString() },
                directory: try reader.readString())
        case 8:
            self = .unbindProgram(
                program: try reader.readString(), otherwise: try reader.readString(), try reader.readOptional())
        case 9: self = .bindProcess(try reader.read(), try reader.read())
        case 10: self = .unbindProcess(try reader.read(), try reader.readOptional())
        case 11: self = .createName(try reader.read())
        case 12: self = .destroyName(try reader.read())
        case 13: self = .listNames(from: try reader.read())
        case 14: self = .registerName(try reader.read(), try reader.read())
        case 15: self = .unregisterName(try reader.read(), try reader.read())
        case 16: self = .listFlows(from: try reader.read())
        case 17: self = .status
        case 18: self = .describeIPCP(try reader.read())
        case 19: self = .listBindings(from: try reader.read())
        case 20:
            self = .setName(
                try reader.read(), balancing: try reader.readOptional(), wait: try reader.readOptional())
        case 21: self = .destroyFlow(try reader.read())
        default: throw .unknownValue
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

    package func write(to writer: inout ByteWriter) { writer.write(rawValue) }
    package init(reading reader: inout ByteReader) throws(MalformedMessage) { self = try reader.readChoice() }
}

/// A name as `irm name create` makes it. Empty paths stand for the defaults. spec: c-api §4 name_info
package struct NameSettings: Hashable, Sendable, LocalCodable {
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

    package func write(to writer: inout ByteWriter) {
        writer.write(name)
        writer.write(balancing)
        writer.write(wait)
        writer.write(server)
        writer.write(client)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            name: try reader.read(), balancing: try reader.read(), wait: try reader.read(),
            server: try reader.read(), client: try reader.read())
    }
}

/// Where the settings of encryption and the certificate of a name are; each at most 511 bytes, empty = default.
package struct SecurityPaths: Hashable, Sendable, LocalCodable {
    package var encryption: [UInt8] = []
    package var key: [UInt8] = []
    package var certificate: [UInt8] = []

    package init() {}

    package func write(to writer: inout ByteWriter) {
        writer.write(string: encryption)
        writer.write(string: key)
        writer.write(string: certificate)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        encryption = try reader.readString()
        key = try reader.readString()
        certificate = try reader.readString()
        guard max(encryption.count, key.count, certificate.count) <= Limits.pathBytes else { throw .length }
    }
}
