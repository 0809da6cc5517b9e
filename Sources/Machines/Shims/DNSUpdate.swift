// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A change of what a DNS server knows of names and the address of this host. spec: udp-layer §5.1
package struct DNSUpdate: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        /// Seconds that it may be believed.
        case add(timeToLive: UInt32)
        /// Of all addresses of a label, this one: others may have registered the same name.
        case delete
    }

    package let server: DatagramAddress
    /// Whose family says the kind of the records.
    package let address: DatagramAddress
    package var change: Change
    package var labels: [[UInt8]]
    /// Path of a TSIG key file; empty: none.
    package let key: [UInt8]
    /// Of who named the key: with these it is read.
    package let rights: FileRights

    package init(
        server: DatagramAddress, address: DatagramAddress, change: Change, labels: [[UInt8]], key: [UInt8] = [],
        rights: FileRights = .nobody
    ) {
        self.rights = rights
        self.server = server
        self.address = address
        self.change = change
        self.labels = labels
        self.key = key
    }
}

extension DNSUpdate: CustomStringConvertible {
    /// For the log.
    package var description: String {
        let verb =
            switch change {
            case .add: "Registration"
            case .delete: "Unregistration"
            }
        let names = labels.count == 1 ? String(decoding: labels[0], as: UTF8.self) : "\(labels.count) names"
        return "\(verb) of \(names) at DNS server \(server)"
    }
}
