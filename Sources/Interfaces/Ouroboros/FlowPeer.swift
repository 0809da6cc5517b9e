// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// The process at the other end of a flow. irmd vouches for it: the process and its user come from the kernel, the host
/// comes from the layer, and neither end can change them. They describe the time when the flow was made.
public struct FlowPeer: Hashable, Sendable {
    /// A process of this host.
    public struct LocalProcess: Hashable, Sendable {
        /// The process id. Since then the process may have ended, or may have passed the flow on to a child.
        public let process: ProcessID
        /// Its effective user when it asked for the flow, or accepted it.
        public let user: UInt32
        /// Its effective group at that time.
        public let group: UInt32
    }

    /// The process; nil if it is on another host.
    public let local: LocalProcess?
    /// The layer of the flow; nil if the flow belongs to no layer.
    public let layer: String?
    /// The address and the port of the other host, as its layer writes them; nil if they are unknown, or if the peer is
    /// on this host. In a UDP layer the host is no more certain than the network below, in which addresses can be
    /// forged.
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
    /// The name to which the flow was allocated, so that a server of several names knows which one the client asked for;
    /// empty for a membership of a broadcast layer.
    public var name: String {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.peer(descriptor).name?.description ?? "" }
        }
    }

    /// The process at the other end.
    public var peer: FlowPeer {
        get throws(OuroborosError) {
            FlowPeer(try reporting { () throws(Failure) in try FlowControl.peer(descriptor) })
        }
    }
}
