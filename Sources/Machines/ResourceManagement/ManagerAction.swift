// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Vocabulary

/// One start of a program for a name.
package struct StartID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// How a program is started for a name: as whoever bound it.
package struct ProgramStart: Hashable, Sendable {
    package let path: [UInt8]
    /// Those after the program's own name.
    package let arguments: [[UInt8]]
    package let directory: [UInt8]
    package let user: UserID
    package let group: GroupID
    package let groups: [GroupID]
}

package enum ChildSignal: Hashable, Sendable {
    /// SIGTERM: please end.
    case terminate
    /// SIGKILL.
    case kill
}

/// A flow in a list, and where its packets are counted.
package struct ListedFlow: Hashable, Sendable {
    package var entry: FlowSummary
    package let link: LinkID
    package let slot: LinkSlot
}

/// What irmd must now do, in this order.
package enum ManagerAction: Hashable, Sendable {
    case send(ManagerMessage, ConnectionID)
    /// With the flow's segment, and if `linkIsIncluded` with the link's memory and its socket for `linkEnd`.
    case offer(FlowOffer, RequestID, ConnectionID)
    /// A page of the flows; the driver fills in the packets.
    case sendFlows([ListedFlow], total: UInt32, RequestID, ConnectionID)
    /// One flow, with what came of asking its processes; the driver fills in the packets.
    case sendFlow(ListedFlow, client: FlowEndReport, server: FlowEndReport, RequestID, ConnectionID)
    case drop(ConnectionID)
    case watch(ProcessID)
    case unwatch(ProcessID)
    /// A segment for the flow, and the memory and sockets of its link unless they exist. The provider is an IPCP.
    case createFlowMemory(FlowID, LinkPlace, provider: End?)
    /// Both ends have the segment, or nobody shall.
    case releaseSegment(FlowID)
    /// The process at this end of the link has its socket now.
    case releaseLinkSocket(LinkID, End)
    /// No more flows between these two.
    case releaseLink(LinkID)
    /// Speak for an end of a flow that is gone.
    case markGone(LinkID, LinkSlot, End, linkEnd: End)
    /// Both ends have let go: the slot may be another flow's.
    case resetSlot(LinkID, LinkSlot)
    case spawnIPCP(IPCPName, IPCPType)
    case spawnProgram(StartID, ProgramStart)
    case signal(ProcessID, ChildSignal)
    case request(IPCPRequest, ProcessID)
    case closeChannel(ProcessID)
    /// May take long, while other things happen.
    case authenticate(AuthenticationID, AuthenticationTask)
    case report(Report)
    /// All is done: end the daemon.
    case exit
}
