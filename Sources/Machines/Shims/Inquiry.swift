// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A question to somebody outside.
package struct ResolutionID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// For which address does this label stand?
package struct Inquiry: Hashable, Sendable {
    package enum Source: Hashable, Sendable, CustomStringConvertible {
        /// The DNS server of the layer.
        case server(DatagramAddress)
        /// Whatever this host is configured to ask.
        case system

        package var description: String {
            switch self {
            case .server(let address): "DNS server \(address)"
            case .system: "the resolver of this system"
            }
        }
    }

    package let label: [UInt8]
    /// An address of the asker's own, which is no answer. Where there are others, the last one is: spec: udp-layer §5.2
    package let own: DatagramAddress
    package let source: Source
    /// Who wants to know.
    package let user: UserID

    package var family: DatagramAddress.Family { own.family }

    package init(label: [UInt8], own: DatagramAddress, source: Source, user: UserID = .nobody) {
        self.label = label
        self.own = own
        self.source = source
        self.user = user
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
