// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The control half: every IPCP, the local one has no other.
package protocol IPCPMachine<Lower>: Sendable {
    associatedtype Lower: LowerSide
    /// Something happened. Appends what must now be done; never blocks, never fails silently.
    mutating func handle(_ event: IPCPEvent<Lower>, now: Instant, into actions: inout [IPCPAction<Lower>])
    /// When `handle(.timeout)` wants to be called if nothing else happens. `mutating`, because generic
    /// code would copy the whole machine to ask it.
    var deadline: Instant? { mutating get }
}

package enum IPCPEvent<Lower: LowerSide>: Hashable, Sendable {
    /// irmd asks something, or tells.
    case request(IPCPRequest)
    /// irmd gives this IPCP an end of a flow (`IPCPRequest.allocate` and `accept`), which is mapped.
    case offered(FlowPort, IPCPRequest)
    /// The process at the other end of the flow has let go of it, or died; what it wrote was sent.
    case ended(FlowPort)
    case lower(Lower.Event)
    /// The deadline has come.
    case timeout
    /// The daemon ends in good order, and does nothing after this but write reports and what its lower side does at an end.
    case ending
}

package enum IPCPAction<Lower: LowerSide>: Hashable, Sendable {
    case reply(IPCPReply)
    case report(IPCPReport<Lower>)
    /// Lets go of the IPCP's end.
    case release(FlowPort)
    /// Lets go of an end that is about to be refused, before irmd hears of that and uses its place for another flow.
    case discard(FlowPort)
    case lower(Lower.Action)
}
