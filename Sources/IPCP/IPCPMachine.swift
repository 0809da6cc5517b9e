// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The control half: every IPCP, the local one has no other.
package protocol IPCPMachine: Sendable {
    static var type: IPCPType { get }
    init()
    /// Something happened. Appends what must now be done; never blocks, never fails silently.
    mutating func handle(_ event: IPCPEvent, now: Instant, into actions: inout [IPCPAction])
    /// When `handle(.timeout)` wants to be called if nothing else happens.
    var deadline: Instant? { get }
}

package enum IPCPEvent: Hashable, Sendable {
    /// irmd asks something, or tells.
    case request(IPCPRequest)
    /// The deadline has come.
    case timeout
}

package enum IPCPAction: Hashable, Sendable {
    case reply(IPCPReply)
    case report(IPCPReport)
}
