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
    /// When `handle(.timeout)` wants to be called if nothing else happens.
    var deadline: Instant? { get }
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
    /// The hosts file of the layer, when the layer begins and whenever the file has changed; nil: it cannot be read.
    case hosts([UInt8]?)
    /// The deadline has come.
    case timeout
}

package enum IPCPAction: Hashable, Sendable {
    case reply(IPCPReply)
    case report(IPCPReport)
    /// Opens the socket of the layer; then `opened` or `notOpened`.
    case open(DatagramAddress)
    /// Follows the file at this path; then `hosts`.
    case followHosts([UInt8])
    case send([UInt8], to: DatagramAddress)
    /// Asks somebody outside; then `resolved`.
    case resolve(ResolutionID, Inquiry)
    /// Tells the DNS server; nothing comes back but a line in the log.
    case publish(DNSUpdate)
    /// Lets go of the IPCP's end.
    case release(FlowPort)
}

/// A question to somebody outside.
package struct ResolutionID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// For which address does this label stand?
package struct Inquiry: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// The DNS server of the layer.
        case server(DatagramAddress)
        /// Whatever this host is configured to ask.
        case system
    }

    package let label: [UInt8]
    package let family: DatagramAddress.Family
    package let source: Source

    package init(label: [UInt8], family: DatagramAddress.Family, source: Source) {
        self.label = label
        self.family = family
        self.source = source
    }
}

/// The answer to an inquiry.
package enum Resolution: Hashable, Sendable {
    /// In network order; and how long it may be believed, if who answered says so.
    case address([UInt8], validity: TimeSpan?)
    /// There is no such label.
    case unknown
    /// Nobody answered, or nonsense.
    case failed(Failure)
}

/// A change of what a DNS server knows. spec: udp-layer §5.1
package struct DNSUpdate: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        /// Seconds that it may be believed.
        case add(address: [UInt8], timeToLive: UInt32)
        case delete
    }

    package let server: DatagramAddress
    package let label: [UInt8]
    package let family: DatagramAddress.Family
    package let change: Change
    /// Path of a TSIG key file; empty: none.
    package let key: [UInt8]

    package init(
        server: DatagramAddress, label: [UInt8], family: DatagramAddress.Family, change: Change, key: [UInt8]
    ) {
        self.server = server
        self.label = label
        self.family = family
        self.change = change
        self.key = key
    }
}
