// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Where a datagram comes from or goes to: an IP address with a port. A plain value, because there is one for each packet.
package struct DatagramAddress: Hashable, Sendable {
    package enum Family: UInt8, Sendable {
        case ipv4 = 4
        case ipv6 = 6

        /// A comparison that needs no call.
        @inlinable package var isSix: Bool {
            switch self {
            case .ipv4: false
            case .ipv6: true
            }
        }

        /// Of an address.
        package var bytes: Int { self == .ipv4 ? 4 : 16 }
    }

    package let family: Family
    package let port: UInt16
    /// The interface of a link-local IPv6 address; else 0.
    package let scope: UInt32
    /// The address in network order; that of IPv4 is the lower half of `low`.
    package let high: UInt64
    package let low: UInt64

    @inlinable package init(family: Family, high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0) {
        self.family = family
        self.high = high
        self.low = low
        self.port = port
        self.scope = scope
    }

    /// Each packet is asked where it comes from, or whether it goes where the one before it goes.
    @inlinable package static func == (left: Self, right: Self) -> Bool {
        left.low == right.low && left.high == right.high && left.port == right.port && left.scope == right.scope
            && left.family.isSix == right.family.isSix
    }

    /// Nil unless there are 4 or 16 bytes, in network order.
    package init?(_ bytes: some Collection<UInt8>, port: UInt16) {
        switch bytes.count {
        case 4: self.init(family: .ipv4, high: 0, low: bytes.reduce(0) { $0 << 8 | UInt64($1) }, port: port)
        case 16:
            self.init(
                family: .ipv6, high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }, port: port)
        default: return nil
        }
    }

    /// Nothing but zeroes, which Linux takes for this host.
    package var isUnspecified: Bool { high == 0 && low == 0 }

    /// fe80::/10: known on one link alone, so that it takes a scope to send there. RFC 4291 §2.5.6
    package var isLinkLocal: Bool { family == .ipv6 && high >> 54 == 0x3fa }

    /// It is link-local, and does not say on which interface.
    package var lacksScope: Bool { isLinkLocal && scope == 0 }

    package func with(port: UInt16) -> DatagramAddress {
        DatagramAddress(family: family, high: high, low: low, port: port, scope: scope)
    }

    package func with(scope: UInt32) -> DatagramAddress {
        DatagramAddress(family: family, high: high, low: low, port: port, scope: scope)
    }

    /// What one who has a network of IPv6 for himself can call his own: the lower half of an address is his to choose. On a
    /// link all have the same upper half.
    package var network: DatagramAddress {
        guard family == .ipv6, !isLinkLocal else { return with(port: 0) }
        return DatagramAddress(family: .ipv6, high: high, low: 0, port: 0)
    }

    /// The address, in network order.
    package var bytes: [UInt8] {
        func split(_ word: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * (count - 1 - $0))) }
        }
        return family == .ipv4 ? split(low, 4) : split(high, 8) + split(low, 8)
    }
}
