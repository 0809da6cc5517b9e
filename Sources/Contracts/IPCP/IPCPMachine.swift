// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The control half: every IPCP, the local one has no other.
package protocol IPCPMachine: Sendable {
    static var type: IPCPType { get }
    /// `seed`: what it has for chance.
    init(seed: UInt64)
    /// Something happened. Appends what must now be done; never blocks, never fails silently.
    mutating func handle(_ event: IPCPEvent, now: Instant, into actions: inout [IPCPAction])
    /// When `handle(.timeout)` wants to be called if nothing else happens. `mutating`, because who does not know the type would
    /// copy the whole machine to ask it.
    var deadline: Instant? { mutating get }
}

package enum IPCPEvent: Hashable, Sendable {
    /// irmd asks something, or tells.
    case request(IPCPRequest)
    /// irmd gives this IPCP an end of a flow (`IPCPRequest.allocate` and `accept`), which is mapped.
    case offered(FlowPort, IPCPRequest)
    /// The process at the other end of the flow has let go of it, or died; what it wrote was sent.
    case ended(FlowPort)
    /// A datagram that `DatagramMachine.arriving` called control.
    case datagram([UInt8], from: DatagramAddress)
    /// The outcome of `IPCPAction.open`.
    case opened
    case notOpened(Failure)
    /// The outcome of `IPCPAction.resolve`.
    case resolved(ResolutionID, Resolution)
    /// The outcome of `IPCPAction.tryKey`; nil: it can be read.
    case keyTried(RequestID, FileObstacle?)
    /// The hosts file of the layer, when the layer begins and whenever the file has changed.
    case hosts(HostsFile)
    /// There is none that can be read; it is looked for again.
    case noHosts(FileObstacle)
    /// The deadline has come.
    case timeout
    /// The daemon ends in good order, and does nothing after this but `IPCPAction.withdraw` and `report`.
    case ending
}

package enum IPCPAction: Hashable, Sendable {
    case reply(IPCPReply)
    case report(IPCPReport)
    /// Opens the socket of the layer; then `opened` or `notOpened`.
    case open(DatagramAddress)
    /// Looks whether the file at this path can be read with these rights; then `keyTried` with the same number.
    case tryKey(RequestID, [UInt8], by: FileRights)
    /// Follows the file at this path for the names of addresses like the layer's own, and reads it with these rights; then
    /// `hosts` or `noHosts`.
    case followHosts([UInt8], for: DatagramAddress, by: FileRights)
    /// There will be no layer.
    case leaveHosts
    case send([UInt8], to: DatagramAddress)
    /// Asks somebody outside; then `resolved`.
    case resolve(ResolutionID, Inquiry)
    /// Tells the DNS server; nothing comes back but a line in the log.
    case publish(DNSUpdate)
    /// The last that the DNS server is told, instead of all that waits. Nothing comes back but lines in the log.
    case withdraw(DNSUpdate)
    /// Lets go of the IPCP's end.
    case release(FlowPort)
    /// Lets go of an end that is about to be refused, before irmd hears of that and uses its place for another flow.
    case discard(FlowPort)
}
