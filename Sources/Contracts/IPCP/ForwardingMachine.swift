// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The IPCP's end of a flow between it and a process of this host, by its descriptor in the IPCP.
package struct FlowPort: Identifier {
    package let rawValue: Int32
    @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// An IPCP that carries packets. The data path asks a question and gets one answer by value: no allocation, no dictionary,
/// no closure.
package protocol ForwardingMachine<Lower>: IPCPMachine {
    /// Where packets of the lower side come from and go to.
    associatedtype Peer: Hashable & Sendable

    /// A packet of `length` bytes came from below. `head`: a private copy of its first bytes.
    mutating func arriving(_ head: PacketHeader, length: Int, from peer: Peer, now: Instant) -> Verdict<Peer>
    /// A packet of `length` bytes came from a process.
    mutating func departing(_ length: Int, on port: FlowPort, now: Instant) -> Verdict<Peer>
    /// A packet from below that `arriving` called control, without what was trimmed.
    mutating func control(_ bytes: [UInt8], from peer: Peer, now: Instant, into actions: inout [IPCPAction<Lower>])
    /// What the driver could not do.
    mutating func failed(_ trouble: PacketTrouble, packets: Int)
}
