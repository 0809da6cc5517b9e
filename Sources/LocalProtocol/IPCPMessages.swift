// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// irmd to an IPCP, over the channel that the IPCP is born with (descriptor 3).
package enum IPCPRequest: Hashable, LocalMessage {
    case bootstrap(RequestID, LayerConfiguration)
    case enroll(RequestID, destination: ServiceName)
    case connect(RequestID, destination: ServiceName, component: [UInt8], QualityOfService)
    case disconnect(RequestID, destination: ServiceName, component: [UInt8])
    /// A name, as the layer's hash, can be reached here from now on.
    case register(RequestID, hash: [UInt8])
    case unregister(RequestID, hash: [UInt8])
    /// Does the layer know the name?
    case query(RequestID, hash: [UInt8])
    /// A process of this host allocates a flow of this layer to the name. One way: the flow is between processes of
    /// this host and needs no answer. design: flow-memory §6
    case flowRequested(FlowID, hash: [UInt8])
    /// Both ends have it.
    case flowAllocated(FlowID)
    /// It failed, or it is gone.
    case flowEnded(FlowID)

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .bootstrap(let request, let configuration):
            writer.write(UInt8(0))
            writer.write(request)
            writer.write(configuration)
        case .enroll(let request, let destination):
            writer.write(UInt8(1))
            writer.write(request)
            writer.write(destination)
        case .connect(let request, let destination, let component, let quality):
            writer.write(UInt8(2))
            writer.write(request)
            writer.write(destination)
            writer.write(string: component)
            writer.write(quality)
        case .disconnect(let request, let destination, let component):
            writer.write(UInt8(3))
            writer.write(request)
            writer.write(destination)
            writer.write(string: component)
        case .register(let request, let hash):
            writer.write(UInt8(4))
            writer.write(request)
            writer.write(string: hash)
        case .unregister(let request, let hash):
            writer.write(UInt8(5))
            writer.write(request)
            writer.write(string: hash)
        case .query(let request, let hash):
            writer.write(UInt8(6))
            writer.write(request)
            writer.write(string: hash)
        case .flowRequested(let flow, let hash):
            writer.write(UInt8(7))
            writer.write(flow)
            writer.write(string: hash)
        case .flowAllocated(let flow):
            writer.write(UInt8(8))
            writer.write(flow)
        case .flowEnded(let flow):
            writer.write(UInt8(9))
            writer.write(flow)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .bootstrap(try reader.read(), try reader.read())
        case 1: self = .enroll(try reader.read(), destination: try reader.read())
        case 2:
            self = .connect(
                try reader.read(), destination: try reader.read(), component: try reader.readString(),
                try reader.read())
        case 3:
            self = .disconnect(try reader.read(), destination: try reader.read(), component: try reader.readString())
        case 4: self = .register(try reader.read(), hash: try reader.readString())
        case 5: self = .unregister(try reader.read(), hash: try reader.readString())
        case 6: self = .query(try reader.read(), hash: try reader.readString())
        case 7: self = .flowRequested(try reader.read(), hash: try reader.readString())
        case 8: self = .flowAllocated(try reader.read())
        case 9: self = .flowEnded(try reader.read())
        default: throw .unknownValue
        }
    }
}

/// An IPCP to irmd.
package enum IPCPReply: Hashable, LocalMessage {
    /// The first message: it is ready for requests.
    case initialised(ProtocolVersion, IPCPType)
    case succeeded(RequestID)
    /// The text says why, for people.
    case failed(RequestID, Failure, reason: [UInt8])

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .initialised(let version, let type):
            writer.write(UInt8(0))
            writer.write(version.major)
            writer.write(version.minor)
            writer.write(type.rawValue)
        case .succeeded(let request):
            writer.write(UInt8(1))
            writer.write(request)
        case .failed(let request, let failure, let reason):
            writer.write(UInt8(2))
            writer.write(request)
            writer.write(failure)
            writer.write(string: reason)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0:
            self = .initialised(
                ProtocolVersion(major: try reader.read(), minor: try reader.read()), try reader.readChoice())
        case 1: self = .succeeded(try reader.read())
        case 2: self = .failed(try reader.read(), try reader.read(), reason: try reader.readString())
        default: throw .unknownValue
        }
    }
}
