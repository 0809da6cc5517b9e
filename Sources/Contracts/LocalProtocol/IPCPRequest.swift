// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// irmd to an IPCP, over the channel that the IPCP is born with (descriptor 3).
package enum IPCPRequest: Hashable, LocalMessage {
    /// Files are opened with the rights of who asks.
    case bootstrap(RequestID, LayerConfiguration, by: FileRights = .nobody)
    case enroll(RequestID, destination: ServiceName)
    case connect(RequestID, destination: ServiceName, component: [UInt8], QualityOfService)
    case disconnect(RequestID, destination: ServiceName, component: [UInt8])
    /// A name, as the layer's hash, can be reached here from now on.
    case register(RequestID, hash: [UInt8])
    case unregister(RequestID, hash: [UInt8])
    /// Does the layer know the name? A process of the user wants a flow there.
    case query(RequestID, hash: [UInt8], user: UserID = .nobody)
    /// A process of this host allocates a flow of this layer to the name. One way: the flow is between processes of
    /// this host and needs no answer. design: flow-memory §6
    case flowRequested(FlowID, hash: [UInt8])
    /// Both ends have it.
    case flowAllocated(FlowID)
    /// It failed, or it is gone.
    case flowEnded(FlowID)
    /// A flow to another host for a process of this one: the IPCP has its second end. With the descriptors of an offer.
    /// `authentication` goes along with the request. Answered by `taken` or `refused` when the other host has answered,
    /// within `patience`. `user`: whose the flow is.
    case allocate(
        RequestID, FlowOffer, hash: [UInt8], authentication: [UInt8], patience: TimeSpan, user: UserID = .nobody)
    /// Answers `IPCPReply.arrived`: the IPCP has the flow's first end. With the descriptors of an offer. Answered by
    /// `taken` or `refused`. `isOurs`: the other host is one of this system. spec: frcp-profile-1 §1
    case accept(RequestID, FlowOffer, authentication: [UInt8], user: UserID = .nobody, isOurs: Bool = false)
    /// Answers `IPCPReply.arrived`: there is no flow.
    case reject(RequestID, Failure)
    /// What is there to be shown of it? Answered by `described`.
    case describe(RequestID)
    /// Answers `IPCPReply.unanswered`: the other host is asked for the flow of `allocate` again, with this.
    case askAgain(FlowID, authentication: [UInt8])
    /// The host that was asked for the flow of `allocate`, and has accepted it, is one of this system.
    /// spec: frcp-profile-1 §1
    case recognised(FlowID)

    /// The end of a flow that the message gives to the IPCP.
    package var offer: FlowOffer? {
        switch self {
        case .allocate(_, let offer, _, _, _, _), .accept(_, let offer, _, _, _): offer
        case .bootstrap, .enroll, .connect, .disconnect, .register, .unregister, .query, .flowRequested, .flowAllocated,
            .flowEnded, .reject, .describe, .askAgain, .recognised:
            nil
        }
    }

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case bootstrap, enroll, connect, disconnect, register, unregister, query, flowRequested, flowAllocated,
            flowEnded, allocate, accept, reject, describe, askAgain, recognised
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .bootstrap(let a, let b, let c): writer.write(Kind.bootstrap, Self.bootstrap, a, b, c)
        case .enroll(let a, let b): writer.write(Kind.enroll, Self.enroll, a, b)
        case .connect(let a, let b, let c, let d): writer.write(Kind.connect, Self.connect, a, b, c, d)
        case .disconnect(let a, let b, let c): writer.write(Kind.disconnect, Self.disconnect, a, b, c)
        case .register(let a, let b): writer.write(Kind.register, Self.register, a, b)
        case .unregister(let a, let b): writer.write(Kind.unregister, Self.unregister, a, b)
        case .query(let a, let b, let c): writer.write(Kind.query, Self.query, a, b, c)
        case .flowRequested(let a, let b): writer.write(Kind.flowRequested, Self.flowRequested, a, b)
        case .flowAllocated(let a): writer.write(Kind.flowAllocated, Self.flowAllocated, a)
        case .flowEnded(let a): writer.write(Kind.flowEnded, Self.flowEnded, a)
        case .allocate(let a, let b, let c, let d, let e, let f):
            writer.write(Kind.allocate, Self.allocate, a, b, c, d, e, f)
        case .accept(let a, let b, let c, let d, let e): writer.write(Kind.accept, Self.accept, a, b, c, d, e)
        case .reject(let a, let b): writer.write(Kind.reject, Self.reject, a, b)
        case .describe(let a): writer.write(Kind.describe, Self.describe, a)
        case .askAgain(let a, let b): writer.write(Kind.askAgain, Self.askAgain, a, b)
        case .recognised(let a): writer.write(Kind.recognised, Self.recognised, a)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .bootstrap: self = try reader.read(Self.bootstrap)
        case .enroll: self = try reader.read(Self.enroll)
        case .connect: self = try reader.read(Self.connect)
        case .disconnect: self = try reader.read(Self.disconnect)
        case .register: self = try reader.read(Self.register)
        case .unregister: self = try reader.read(Self.unregister)
        case .query: self = try reader.read(Self.query)
        case .flowRequested: self = try reader.read(Self.flowRequested)
        case .flowAllocated: self = try reader.read(Self.flowAllocated)
        case .flowEnded: self = try reader.read(Self.flowEnded)
        case .allocate: self = try reader.read(Self.allocate)
        case .accept: self = try reader.read(Self.accept)
        case .reject: self = try reader.read(Self.reject)
        case .describe: self = try reader.read(Self.describe)
        case .askAgain: self = try reader.read(Self.askAgain)
        case .recognised: self = try reader.read(Self.recognised)
        }
    }
}
