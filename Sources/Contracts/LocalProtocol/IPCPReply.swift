// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// An IPCP to irmd.
package enum IPCPReply: Hashable, LocalMessage {
    /// The first message: it is ready for requests.
    case initialised(ProtocolVersion, IPCPType)
    case succeeded(RequestID)
    /// The text says why, for people.
    case failed(RequestID, Failure, reason: [UInt8])
    /// The IPCP is a member of a layer that carries messages of so many bytes to other hosts.
    case bootstrapped(RequestID, messageBytes: UInt32)
    /// Another host, of this address as people write it, asks for a flow to the name of this hash. Answered by `accept`
    /// or `reject`. The number is the IPCP's.
    case arrived(RequestID, hash: [UInt8], QualityOfService, authentication: [UInt8], from: [UInt8])
    /// The flow of `allocate` or `accept` is mapped: its descriptors have arrived.
    case mapped(FlowID)
    /// The flow of `allocate` or `accept` is there, with a host of this address; of the former with what that said.
    case taken(FlowID, authentication: [UInt8], with: [UInt8])
    /// The flow of `allocate` or `accept` will not be there.
    case refused(FlowID, Failure, reason: [UInt8])
    case described(RequestID, LayerStatus)

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
        case .bootstrapped(let request, let messageBytes):
            writer.write(UInt8(3))
            writer.write(request)
            writer.write(messageBytes)
        case .arrived(let request, let hash, let quality, let authentication, let address):
            writer.write(UInt8(4))
            writer.write(request)
            writer.write(string: hash)
            writer.write(quality)
            writer.write(string: authentication)
            writer.write(string: address)
        case .taken(let flow, let authentication, let address):
            writer.write(UInt8(5))
            writer.write(flow)
            writer.write(string: authentication)
            writer.write(string: address)
        case .refused(let flow, let failure, let reason):
            writer.write(UInt8(6))
            writer.write(flow)
            writer.write(failure)
            writer.write(string: reason)
        case .mapped(let flow):
            writer.write(UInt8(8))
            writer.write(flow)
        case .described(let request, let status):
            writer.write(UInt8(7))
            writer.write(request)
            writer.write(status)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0:
            self = .initialised(
                ProtocolVersion(major: try reader.read(), minor: try reader.read()), try reader.readChoice())
        case 1: self = .succeeded(try reader.read())
        case 2: self = .failed(try reader.read(), try reader.read(), reason: try reader.readString())
        case 3: self = .bootstrapped(try reader.read(), messageBytes: try reader.read())
        case 4:
            self = .arrived(
                try reader.read(), hash: try reader.readString(), try reader.read(),
                authentication: try reader.readString(), from: try reader.readString())
        case 5:
            self = .taken(try reader.read(), authentication: try reader.readString(), with: try reader.readString())
        case 6: self = .refused(try reader.read(), try reader.read(), reason: try reader.readString())
        case 7: self = .described(try reader.read(), try reader.read())
        case 8: self = .mapped(try reader.read())
        default: throw .unknownValue
        }
    }
}
