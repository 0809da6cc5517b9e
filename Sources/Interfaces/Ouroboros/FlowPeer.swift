// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// Who is at the other end of a flow. irmd vouches for it: the process and its user come from the kernel, the host from
/// the layer, and neither end can change them. They are those of the time when the flow was made.
public struct FlowPeer: Hashable, Sendable {
    /// A process of this host.
    public struct LocalProcess: Hashable, Sendable {
        /// Its process, which may have ended since, or have passed the flow on to a child.
        public let process: ProcessID
        /// Its effective user when it asked for the flow, or accepted it.
        public let user: UInt32
        /// Its effective group at that time.
        public let group: UInt32
    }

    /// The process; nil: it is on another host.
    public let local: LocalProcess?
    /// The layer of the flow; nil: it belongs to none.
    public let layer: String?
    /// The address and the port of the other host, as its layer writes them; nil: unknown, or the peer is on this host.
    /// Of a UDP layer it is only as sure as the network below: its addresses can be forged.
    public let host: String?

    init(_ peer: FlowRuntime.FlowPeer) {
        local = peer.local.map {
            LocalProcess(process: ProcessID($0.process), user: $0.user.rawValue, group: $0.group.rawValue)
        }
        layer = peer.layer?.description
        host = peer.address.isEmpty ? nil : printable(peer.address)
    }
}

extension Flow {
    /// The name to which the flow was allocated, so that a server that serves several knows which was meant; empty for a
    /// membership of a broadcast layer.
    public var name: String {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.peer(descriptor).name?.description ?? "" }
        }
    }

    /// Who is at the other end.
    public var peer: FlowPeer {
        get throws(OuroborosError) {
            FlowPeer(try reporting { () throws(Failure) in try FlowControl.peer(descriptor) })
        }
    }
}
