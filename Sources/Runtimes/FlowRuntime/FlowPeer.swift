// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Between whom a flow is. irmd vouches for it: it knows the other process from the kernel, and another host from the
/// layer. Neither end can change it.
package struct FlowPeer: Hashable, Sendable {
    /// A process of this host, as it was when it asked for the flow or accepted it.
    package struct LocalProcess: Hashable, Sendable {
        package let process: ProcessID
        package let user: UserID
        package let group: GroupID
    }

    /// What the flow was allocated to; nil: it is a membership of a broadcast layer.
    package let name: ServiceName?
    /// Nil: the peer is on another host.
    package let local: LocalProcess?
    /// The layer that the flow belongs to, if it belongs to one.
    package let layer: LayerName?
    /// The address of the other host, as people write it; empty: unknown, or the peer is on this host.
    package let address: [UInt8]

    /// One for all flows that have the same.
    final class Shared: Sendable {
        let peer: FlowPeer
        init(_ peer: FlowPeer) { self.peer = peer }
    }

    init(_ offer: FlowOffer) {
        let parties = offer.parties
        name = parties.name
        local =
            offer.role == .user
            ? nil : LocalProcess(process: offer.peer, user: parties.user, group: parties.group)
        layer = parties.layer
        address = parties.address
    }
}
