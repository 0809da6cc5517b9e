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
    /// `taken` or `refused`.
    case accept(RequestID, FlowOffer, authentication: [UInt8], user: UserID = .nobody)
    /// Answers `IPCPReply.arrived`: there is no flow.
    case reject(RequestID, Failure)
    /// What is there to be shown of it? Answered by `described`.
    case describe(RequestID)

    /// The end of a flow that the message gives to the IPCP.
    package var offer: FlowOffer? {
        switch self {
        case .allocate(_, let offer, _, _, _, _), .accept(_, let offer, _, _): offer
        case .bootstrap, .enroll, .connect, .disconnect, .register, .unregister, .query, .flowRequested, .flowAllocated,
            .flowEnded, .reject, .describe:
            nil
        }
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(code)
        switch self {
        case .bootstrap(let request, let configuration, let rights):
            writer.write(request)
            writer.write(configuration)
            writer.write(rights)
        case .enroll(let request, let destination):
            writer.write(request)
            writer.write(destination)
        case .connect(let request, let destination, let component, let quality):
            writer.write(request)
            writer.write(destination)
            writer.write(string: component)
            writer.write(quality)
        case .disconnect(let request, let destination, let component):
            writer.write(request)
            writer.write(destination)
            writer.write(string: component)
        case .register(let request, let hash), .unregister(let request, let hash):
            writer.write(request)
            writer.write(string: hash)
        case .query(let request, let hash, let user):
            writer.write(request)
            writer.write(string: hash)
            writer.write(user)
        case .flowRequested(let flow, let hash):
            writer.write(flow)
            writer.write(string: hash)
        case .flowAllocated(let flow), .flowEnded(let flow): writer.write(flow)
        case .allocate(let request, let offer, let hash, let authentication, let patience, let user):
            writer.write(request)
            writer.write(offer)
            writer.write(string: hash)
            writer.write(string: authentication)
            writer.write(patience)
            writer.write(user)
        case .accept(let request, let offer, let authentication, let user):
            writer.write(request)
            writer.write(offer)
            writer.write(string: authentication)
            writer.write(user)
        case .reject(let request, let failure):
            writer.write(request)
            writer.write(failure)
        case .describe(let request): writer.write(request)
        }
    }

    private var code: UInt8 {
        switch self {
        case .bootstrap: 0
        case .enroll: 1
        case .connect: 2
        case .disconnect: 3
        case .register: 4
        case .unregister: 5
        case .query: 6
        case .flowRequested: 7
        case .flowAllocated: 8
        case .flowEnded: 9
        case .allocate: 10
        case .accept: 11
        case .reject: 12
        case .describe: 13
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .bootstrap(try reader.read(), try reader.read(), by: try reader.read())
        case 1: self = .enroll(try reader.read(), destination: try reader.read())
        case 2:
            self = .connect(
                try reader.read(), destination: try reader.read(), component: try reader.readString(),
                try reader.read())
        case 3:
            self = .disconnect(try reader.read(), destination: try reader.read(), component: try reader.readString())
        case 4: self = .register(try reader.read(), hash: try reader.readString())
        case 5: self = .unregister(try reader.read(), hash: try reader.readString())
        case 6: self = .query(try reader.read(), hash: try reader.readString(), user: try reader.read())
        case 7: self = .flowRequested(try reader.read(), hash: try reader.readString())
        case 8: self = .flowAllocated(try reader.read())
        case 9: self = .flowEnded(try reader.read())
        case 10:
            self = .allocate(
                try reader.read(), try reader.read(), hash: try reader.readString(),
                authentication: try reader.readString(), patience: try reader.read(), user: try reader.read())
        case 11:
            self = .accept(
                try reader.read(), try reader.read(), authentication: try reader.readString(), user: try reader.read())
        case 12: self = .reject(try reader.read(), try reader.read())
        case 13: self = .describe(try reader.read())
        default: throw .unknownValue
        }
    }
}
