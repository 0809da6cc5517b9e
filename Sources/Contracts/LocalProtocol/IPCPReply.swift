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
    /// The IPCP is a member of a layer that carries messages of so many bytes to other hosts, on these terms.
    case bootstrapped(RequestID, messageBytes: UInt32, FlowTerms)
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
    /// The host that was asked for the flow of `allocate` has not answered, and is not known to be one of this system: it may
    /// take the same request for an attack. `askAgain` brings another.
    case unanswered(FlowID)

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case initialised, succeeded, failed, bootstrapped, arrived, taken, refused, described, mapped,
            unanswered
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .initialised(let a, let b): writer.write(Kind.initialised, Self.initialised, a, b)
        case .succeeded(let a): writer.write(Kind.succeeded, Self.succeeded, a)
        case .failed(let a, let b, let c): writer.write(Kind.failed, Self.failed, a, b, c)
        case .bootstrapped(let a, let b, let c): writer.write(Kind.bootstrapped, Self.bootstrapped, a, b, c)
        case .arrived(let a, let b, let c, let d, let e): writer.write(Kind.arrived, Self.arrived, a, b, c, d, e)
        case .taken(let a, let b, let c): writer.write(Kind.taken, Self.taken, a, b, c)
        case .refused(let a, let b, let c): writer.write(Kind.refused, Self.refused, a, b, c)
        case .described(let a, let b): writer.write(Kind.described, Self.described, a, b)
        case .mapped(let a): writer.write(Kind.mapped, Self.mapped, a)
        case .unanswered(let a): writer.write(Kind.unanswered, Self.unanswered, a)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .initialised: self = try reader.read(Self.initialised)
        case .succeeded: self = try reader.read(Self.succeeded)
        case .failed: self = try reader.read(Self.failed)
        case .bootstrapped: self = try reader.read(Self.bootstrapped)
        case .arrived: self = try reader.read(Self.arrived)
        case .taken: self = try reader.read(Self.taken)
        case .refused: self = try reader.read(Self.refused)
        case .described: self = try reader.read(Self.described)
        case .mapped: self = try reader.read(Self.mapped)
        case .unanswered: self = try reader.read(Self.unanswered)
        }
    }
}
