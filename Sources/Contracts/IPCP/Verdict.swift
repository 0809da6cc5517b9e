// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What becomes of a packet. A plain value. `Peer` is where packets of the lower side come from and go to: an address, or a flow
/// of another layer.
package enum Verdict<Peer: Hashable & Sendable>: Sendable {
    /// On to another member: this header instead of the first `trim` bytes.
    case relay(PacketHeader, trim: Int, to: Peer)
    /// Into the flow of a process, without the first `trim` bytes.
    case deliver(FlowPort, trim: Int)
    /// From a process to another member, with this header in front.
    case prepend(PacketHeader, to: Peer)
    /// A message for the machine itself, without the first `trim` bytes: `ForwardingMachine.control`.
    case control(trim: Int)
    /// The packet and those behind it stay in the flow of the process until then, so that its writer feels it.
    case hold(until: Instant)
    /// The machine has counted it.
    case drop
}
