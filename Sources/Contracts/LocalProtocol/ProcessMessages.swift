// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// A process to irmd.
package enum ProcessMessage: Hashable, LocalMessage {
    case hello(Hello)
    /// A flow to a name. On a call connection. Answered by `offer` or `failed`. No timeout = `Limits.allocationTimeout`.
    case allocate(RequestID, ServiceName, QualityOfService, timeout: TimeSpan?)
    /// The next flow to one of the names that the process is bound to. On a call connection. Answered by `offer` or
    /// `failed`. No timeout = none.
    case accept(RequestID, timeout: TimeSpan?)
    /// Membership of a broadcast layer. On a call connection. Answered by `offer` or `failed`.
    case join(RequestID, LayerName, timeout: TimeSpan?)
    /// The offered flow is mapped and will be used. Until then it is not this end's: if the connection ends before
    /// this message, irmd takes the flow back.
    case taken(FlowID)
    /// The offered flow could not be mapped.
    case refused(FlowID, Failure)
    /// This end is done with the flow. One way, on the session.
    case deallocate(FlowID)
    /// On a management connection. Answered by `result` or `failed`.
    case manage(RequestID, ManagementRequest)
    /// The answer to `describeFlow`, on the session. Nil: this process does not have that end of the flow.
    case described(RequestID, FlowStatistics?)

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case hello, allocate, accept, join, taken, refused, deallocate, manage, described
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .hello(let a): writer.write(Kind.hello, Self.hello, a)
        case .allocate(let a, let b, let c, let d): writer.write(Kind.allocate, Self.allocate, a, b, c, d)
        case .accept(let a, let b): writer.write(Kind.accept, Self.accept, a, b)
        case .join(let a, let b, let c): writer.write(Kind.join, Self.join, a, b, c)
        case .taken(let a): writer.write(Kind.taken, Self.taken, a)
        case .refused(let a, let b): writer.write(Kind.refused, Self.refused, a, b)
        case .deallocate(let a): writer.write(Kind.deallocate, Self.deallocate, a)
        case .manage(let a, let b): writer.write(Kind.manage, Self.manage, a, b)
        case .described(let a, let b): writer.write(Kind.described, Self.described, a, b)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .hello: self = try reader.read(Self.hello)
        case .allocate: self = try reader.read(Self.allocate)
        case .accept: self = try reader.read(Self.accept)
        case .join: self = try reader.read(Self.join)
        case .taken: self = try reader.read(Self.taken)
        case .refused: self = try reader.read(Self.refused)
        case .deallocate: self = try reader.read(Self.deallocate)
        case .manage: self = try reader.read(Self.manage)
        case .described: self = try reader.read(Self.described)
        }
    }
}

/// irmd to a process.
package enum ManagerMessage: Hashable, LocalMessage {
    case welcome(Welcome)
    /// The greeting's version is not spoken here; this is what is.
    case versionRefused(ProtocolVersion)
    /// A flow for the request. Descriptors: the segment; and if `offer.linkIsIncluded`, the link's memory and this
    /// end's socket.
    case offer(RequestID, FlowOffer)
    /// The request failed; the text says why and what to do, for people.
    case failed(RequestID, Failure, reason: [UInt8])
    /// The other end is gone (on the session). Queued packets can still be read.
    case flowDown(FlowID)
    /// On the session: this end of a link that has no flow will not be needed any more.
    case retireLink(LinkID, End)
    case result(RequestID, ManagementResult)
    /// What is to be told of an end of the flow? On the session of a process with the feature `flowStatistics`, which answers
    /// with `described` and the same number.
    case describeFlow(RequestID, FlowID, End)

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case welcome, versionRefused, offer, failed, flowDown, result, retireLink, describeFlow
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .welcome(let a): writer.write(Kind.welcome, Self.welcome, a)
        case .versionRefused(let a): writer.write(Kind.versionRefused, Self.versionRefused, a)
        case .offer(let a, let b): writer.write(Kind.offer, Self.offer, a, b)
        case .failed(let a, let b, let c): writer.write(Kind.failed, Self.failed, a, b, c)
        case .flowDown(let a): writer.write(Kind.flowDown, Self.flowDown, a)
        case .result(let a, let b): writer.write(Kind.result, Self.result, a, b)
        case .retireLink(let a, let b): writer.write(Kind.retireLink, Self.retireLink, a, b)
        case .describeFlow(let a, let b, let c): writer.write(Kind.describeFlow, Self.describeFlow, a, b, c)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .welcome: self = try reader.read(Self.welcome)
        case .versionRefused: self = try reader.read(Self.versionRefused)
        case .offer: self = try reader.read(Self.offer)
        case .failed: self = try reader.read(Self.failed)
        case .flowDown: self = try reader.read(Self.flowDown)
        case .result: self = try reader.read(Self.result)
        case .retireLink: self = try reader.read(Self.retireLink)
        case .describeFlow: self = try reader.read(Self.describeFlow)
        }
    }
}

/// What an end of a flow has to do beside moving bytes.
package enum FlowRole: UInt8, Sendable, LocalCodable {
    /// Nothing: the other process has what was written. Each looks whether the other runs.
    case direct = 0
    /// The packets leave this host: what ends meet there is agreed with the other host, not with the process at the other
    /// end of this memory. Checksums and keepalives are made and checked here. spec: frcp §1
    case user = 1
    /// The IPCP's end of such a flow: it carries what is there, empty packets too, and adds nothing.
    case provider = 2
}

/// Between whom a flow is, as irmd knows it: what a process can ask of a flow, and what no end can forge.
package struct FlowParties: Hashable, Sendable, FieldCodable {
    /// What it was allocated to; nil: it is a membership of a broadcast layer.
    package var name: ServiceName?
    /// The user and the group of the process at the other end of the memory: of the peer, or of the IPCP.
    package var user: UserID
    package var group: GroupID
    /// The layer that it belongs to, if it belongs to one.
    package var layer: LayerName?
    /// The address of the other host, as people write it; empty: unknown, or there is none.
    package var address: [UInt8]

    /// Of nobody, if nothing else is said.
    package init(
        name: ServiceName? = nil, user: UserID = UserID(.max), group: GroupID = GroupID(.max), layer: LayerName? = nil,
        address: [UInt8] = []
    ) {
        self.name = name
        self.user = user
        self.group = group
        self.layer = layer
        self.address = address
    }

    @inline(__always)
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            name: try field(\.name, &bytes), user: try field(\.user, &bytes), group: try field(\.group, &bytes),
            layer: try field(\.layer, &bytes), address: try field(\.address, &bytes))
    }
}

/// Everything a process needs to know of a flow that it is given. design: flow-memory §1
package struct FlowOffer: Hashable, Sendable, FieldCodable {
    package var flow: FlowID
    /// Which end this process has.
    package var end: End
    package var quality: QualityOfService
    package var peer: ProcessID
    package var parties: FlowParties
    package var link: LinkID
    package var slot: LinkSlot
    /// Which end of the link this process has: not always that of the flow, because a link carries flows both ways.
    package var linkEnd: End
    /// The link's two descriptors come with this offer. irmd sends them until an offer that had them is taken, so a
    /// process that maps the link already closes them.
    package var linkIsIncluded: Bool
    /// Both ends are registered for expedited barriers.
    package var isExpedited: Bool
    package var ringBytes: UInt32
    /// How much may wait unread of what this end writes.
    package var queueBytes: UInt32
    /// And of what it reads.
    package var arrivingQueueBytes: UInt32
    package var messageBytes: UInt32
    package var role: FlowRole
    /// What the layer says of the flow.
    package var terms: FlowTerms

    package init(
        flow: FlowID, end: End, quality: QualityOfService, peer: ProcessID, parties: FlowParties = FlowParties(),
        link: LinkID,
        slot: LinkSlot, linkEnd: End, linkIsIncluded: Bool, isExpedited: Bool,
        ringBytes: UInt32 = UInt32(Limits.ringBytes),
        queueBytes: UInt32 = UInt32(Limits.queueBytes), arrivingQueueBytes: UInt32 = UInt32(Limits.queueBytes),
        messageBytes: UInt32 = UInt32(Limits.messageBytes), role: FlowRole = .direct,
        terms: FlowTerms = .empty
    ) {
        self.flow = flow
        self.end = end
        self.quality = quality
        self.peer = peer
        self.parties = parties
        self.link = link
        self.slot = slot
        self.linkEnd = linkEnd
        self.linkIsIncluded = linkIsIncluded
        self.isExpedited = isExpedited
        self.ringBytes = ringBytes
        self.queueBytes = queueBytes
        self.arrivingQueueBytes = arrivingQueueBytes
        self.messageBytes = messageBytes
        self.role = role
        self.terms = terms
    }

    @inline(__always)
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            flow: try field(\.flow, &bytes), end: try field(\.end, &bytes), quality: try field(\.quality, &bytes),
            peer: try field(\.peer, &bytes), parties: try field(\.parties, &bytes), link: try field(\.link, &bytes),
            slot: try field(\.slot, &bytes), linkEnd: try field(\.linkEnd, &bytes),
            linkIsIncluded: try field(\.linkIsIncluded, &bytes), isExpedited: try field(\.isExpedited, &bytes),
            ringBytes: try field(\.ringBytes, &bytes), queueBytes: try field(\.queueBytes, &bytes),
            arrivingQueueBytes: try field(\.arrivingQueueBytes, &bytes),
            messageBytes: try field(\.messageBytes, &bytes), role: try field(\.role, &bytes),
            terms: try field(\.terms, &bytes))
    }
}
