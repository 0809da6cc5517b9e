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

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .hello(let hello):
            writer.write(UInt8(0))
            writer.write(hello)
        case .allocate(let request, let name, let quality, let timeout):
            writer.write(UInt8(1))
            writer.write(request)
            writer.write(name)
            writer.write(quality)
            writer.write(optional: timeout)
        case .accept(let request, let timeout):
            writer.write(UInt8(2))
            writer.write(request)
            writer.write(optional: timeout)
        case .join(let request, let layer, let timeout):
            writer.write(UInt8(3))
            writer.write(request)
            writer.write(layer)
            writer.write(optional: timeout)
        case .taken(let flow):
            writer.write(UInt8(4))
            writer.write(flow)
        case .refused(let flow, let failure):
            writer.write(UInt8(5))
            writer.write(flow)
            writer.write(failure)
        case .deallocate(let flow):
            writer.write(UInt8(6))
            writer.write(flow)
        case .manage(let request, let management):
            writer.write(UInt8(7))
            writer.write(request)
            writer.write(management)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .hello(try reader.read())
        case 1:
            self = .allocate(
                try reader.read(), try reader.read(), try reader.read(), timeout: try reader.readOptional())
        case 2: self = .accept(try reader.read(), timeout: try reader.readOptional())
        case 3: self = .join(try reader.read(), try reader.read(), timeout: try reader.readOptional())
        case 4: self = .taken(try reader.read())
        case 5: self = .refused(try reader.read(), try reader.read())
        case 6: self = .deallocate(try reader.read())
        case 7: self = .manage(try reader.read(), try reader.read())
        default: throw .unknownValue
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

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .welcome(let welcome):
            writer.write(UInt8(0))
            writer.write(welcome)
        case .versionRefused(let version):
            writer.write(UInt8(1))
            writer.write(version.major)
            writer.write(version.minor)
        case .offer(let request, let offer):
            writer.write(UInt8(2))
            writer.write(request)
            writer.write(offer)
        case .failed(let request, let failure, let reason):
            writer.write(UInt8(3))
            writer.write(request)
            writer.write(failure)
            writer.write(string: reason)
        case .flowDown(let flow):
            writer.write(UInt8(4))
            writer.write(flow)
        case .result(let request, let result):
            writer.write(UInt8(5))
            writer.write(request)
            writer.write(result)
        case .retireLink(let link, let end):
            writer.write(UInt8(6))
            writer.write(link)
            writer.write(end.rawValue)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        switch try reader.read(UInt8.self) {
        case 0: self = .welcome(try reader.read())
        case 1: self = .versionRefused(ProtocolVersion(major: try reader.read(), minor: try reader.read()))
        case 2: self = .offer(try reader.read(), try reader.read())
        case 3: self = .failed(try reader.read(), try reader.read(), reason: try reader.readString())
        case 4: self = .flowDown(try reader.read())
        case 5: self = .result(try reader.read(), try reader.read())
        case 6: self = .retireLink(try reader.read(), try reader.readChoice())
        default: throw .unknownValue
        }
    }
}

/// What an end of a flow has to do beside moving bytes.
package enum FlowRole: UInt8, Sendable {
    /// Nothing: the other process has what was written. Each looks whether the other runs.
    case direct = 0
    /// The packets leave this host: what ends meet there is agreed with the other host, not with the process at the other
    /// end of this memory. Checksums and keepalives are made and checked here. spec: frcp §1
    case user = 1
    /// The IPCP's end of such a flow: it carries what is there, empty packets too, and adds nothing.
    case provider = 2
}

/// Between whom a flow is, as irmd knows it: what a process can ask of a flow, and what no end can forge.
package struct FlowParties: Hashable, Sendable, LocalCodable {
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

    package func write(to writer: inout ByteWriter) {
        writer.write(optional: name)
        writer.write(user)
        writer.write(group)
        writer.write(optional: layer)
        writer.write(string: address)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            name: try reader.readOptional(), user: try reader.read(), group: try reader.read(),
            layer: try reader.readOptional(), address: try reader.readString())
    }
}

/// Everything a process needs to know of a flow that it is given. design: flow-memory §1
package struct FlowOffer: Hashable, Sendable, LocalCodable {
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

    package init(
        flow: FlowID, end: End, quality: QualityOfService, peer: ProcessID, parties: FlowParties = FlowParties(),
        link: LinkID,
        slot: LinkSlot, linkEnd: End, linkIsIncluded: Bool, isExpedited: Bool,
        ringBytes: UInt32 = UInt32(Limits.ringBytes),
        queueBytes: UInt32 = UInt32(Limits.queueBytes), arrivingQueueBytes: UInt32 = UInt32(Limits.queueBytes),
        messageBytes: UInt32 = UInt32(Limits.messageBytes), role: FlowRole = .direct
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
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(flow)
        writer.write(end.rawValue)
        writer.write(quality)
        writer.write(peer)
        writer.write(parties)
        writer.write(link)
        writer.write(slot)
        writer.write(linkEnd.rawValue)
        writer.write(linkIsIncluded)
        writer.write(isExpedited)
        writer.write(ringBytes)
        writer.write(queueBytes)
        writer.write(arrivingQueueBytes)
        writer.write(messageBytes)
        writer.write(role.rawValue)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            flow: try reader.read(), end: try reader.readChoice(), quality: try reader.read(), peer: try reader.read(),
            parties: try reader.read(), link: try reader.read(), slot: try reader.read(),
            linkEnd: try reader.readChoice(),
            linkIsIncluded: try reader.readBool(), isExpedited: try reader.readBool(), ringBytes: try reader.read(),
            queueBytes: try reader.read(), arrivingQueueBytes: try reader.read(), messageBytes: try reader.read(),
            role: try reader.readChoice())
    }
}
