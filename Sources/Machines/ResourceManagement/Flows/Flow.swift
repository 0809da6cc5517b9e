// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A flow from the moment it has an id until both ends have let go. A class, as `Connection` is and for the same reason.
final class Flow {
    let id: FlowID
    /// What the owner's quota has given for each of its queues.
    let queueBytes: UInt32
    let place: LinkPlace
    /// Nil = direct.
    let layer: Layer?
    /// The IPCP that has one of the ends, and carries the packets to another host.
    var remote: RemoteEnd?
    let begun: Instant
    let name: ServiceName
    let quality: QualityOfService
    /// The other host, as people write it; empty: there is none, or nobody said.
    var host: [UInt8]
    var client: Party
    var server: Party
    /// The server's accept, until it is offered to the client.
    let accept: Acceptors.Accept
    /// The client's request, until it is offered to the client or given up.
    var allocation: Allocation?
    /// irmd still has the segment.
    var hasSegment = false
    /// The other host was asked for it and has not answered: it counts in the owner's share of what the IPCP is asked.
    var isAsked = false
    /// The other host has accepted it, and its answer is being checked.
    var isChecked = false
    /// Both ends took it.
    var isEstablished = false
    /// Both ends were told that the other is gone, though none has let go.
    var isDown = false

    init(
        id: FlowID, queueBytes: UInt32, place: LinkPlace, layer: Layer?, remote: RemoteEnd?,
        begun: Instant, client: Party, server: Party, accept: Acceptors.Accept, allocation: Allocation
    ) {
        self.id = id
        self.queueBytes = queueBytes
        self.place = place
        self.layer = layer
        self.remote = remote
        self.begun = begun
        self.client = client
        self.server = server
        self.accept = accept
        self.allocation = allocation
        name = allocation.name
        quality = allocation.quality
        host = allocation.origin?.address ?? []
    }

    /// Bytes that may be unread of what the end writes.
    func queueBytes(from end: End) -> UInt32 {
        remote?.end == end ? queueBytes * UInt32(Limits.queuesFromNetwork) : queueBytes
    }

    struct Layer: Hashable, Sendable {
        let ipcp: ProcessID
        let name: LayerName
        let hash: [UInt8]
    }

    struct Party: Sendable {
        let process: ProcessID
        let user: UserID
        let group: GroupID
        /// Base name.
        let program: [UInt8]
        let features: Features
        var hold: Hold = .waiting
    }

    /// Why an end is let go.
    enum Release: Sendable {
        /// The process said so; it has told the other end through their link.
        case deallocated
        case died
        /// The end was never its process's, or its time is up.
        case withdrawn
    }

    /// How far an end is.
    enum Hold: Sendable {
        /// It was not offered to the process yet.
        case waiting
        /// It was sent, or is to be sent as soon as the process took earlier ones.
        case offered(RequestID, CallID, descriptors: Int)
        case held
        /// Let go, or gone with its process. Final.
        case released(Release)
    }

    /// Both ends can have the kernel bring the other's memory up to date. design: flow-memory §3
    var isExpedited: Bool {
        client.features.contains(.expeditedBarrier) && server.features.contains(.expeditedBarrier)
    }

    /// What the process at an end is told of the other.
    func parties(for end: End) -> FlowParties {
        let peer = self[end.other]
        return FlowParties(name: name, user: peer.user, group: peer.group, layer: layer?.name, address: host)
    }

    subscript(end: End) -> Party {
        _read { if end == .first { yield client } else { yield server } }
        _modify { if end == .first { yield &client } else { yield &server } }
    }

    func linkEnd(_ end: End) -> End { end == .first ? place.clientEnd : place.clientEnd.other }

    /// The layer of this host that keeps books of the flow.
    var localLayer: Layer? { remote == nil ? layer : nil }

    /// Whose quotas it counts in: the program's, never an IPCP's.
    var owner: UserID { remote?.end == .first ? server.user : client.user }

    var state: FlowState {
        switch (client.hold, server.hold) {
        case _ where isDown: .deallocating
        case (.released, _), (_, .released): .deallocating
        case (.held, .held): .allocated
        case (.waiting, _), (.offered, _), (.held, _): .pending
        }
    }

    /// The end that is this process's and not let go; the first if it has both.
    func end(of process: ProcessID) -> End? {
        for end in [End.first, .second] where self[end].process == process {
            if case .released = self[end].hold { continue }
            return end
        }
        return nil
    }
}
