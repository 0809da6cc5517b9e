// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What an address may be: one rule for what users write, what files and DNS servers say, and where datagrams come from.
extension DatagramAddress {
    /// Why an address is none of a host, or none that a layer reaches.
    package enum Unfitness: Error, Hashable, Sendable {
        /// 0.0.0.0/8 and ::, which systems take for themselves or for nobody.
        case nobody
        case multicast
        case broadcast
        /// ::ffff:0:0/96: an address of the other kind of layer.
        case mapped
        /// Where nothing can be sent.
        case noPort
        /// 127.0.0.0/8 or ::1, and the layer has another address: whoever says that means a service of this host.
        case loopback
        case otherFamily
        /// Link-local, without an interface, and the layer has none.
        case lacksScope
        /// Link-local, and not on the link of the layer.
        case otherLink
    }

    /// Nil if it can be one host's.
    package var unfitness: Unfitness? {
        switch family {
        case .ipv4:
            if low >> 24 == 0 { return .nobody }
            if low >> 28 == 0xe { return .multicast }
            return low == 0xffff_ffff ? .broadcast : nil
        case .ipv6:
            if isUnspecified { return .nobody }
            if high >> 56 == 0xff { return .multicast }
            return high == 0 && low >> 32 == 0xffff ? .mapped : nil
        }
    }

    package var isLoopback: Bool { family == .ipv4 ? low >> 24 == 127 : high == 0 && low == 1 }

    /// This address as one with the socket of `own` sends to it: a link-local one without a scope is on the link of `own`.
    package func reached(from own: DatagramAddress) throws(Unfitness) -> DatagramAddress {
        if family != own.family { throw .otherFamily }
        if let unfitness { throw unfitness }
        if port == 0 { throw .noPort }
        if isLoopback, !own.isLoopback { throw .loopback }
        guard isLinkLocal else { return self }
        let reached = scope == 0 ? with(scope: own.scope) : self
        if reached.scope == 0 { throw .lacksScope }
        if own.scope != 0, own.scope != reached.scope { throw .otherLink }
        return reached
    }
}

extension DatagramAddress.Unfitness: CustomStringConvertible {
    /// What follows the address in a sentence.
    package var description: String {
        switch self {
        case .nobody: "is the unspecified address, and not the address of a host"
        case .multicast: "is a multicast address, and not the address of a single host"
        case .broadcast: "is the broadcast address, and not the address of a single host"
        case .mapped: "is an IPv4 address written as one of IPv6"
        case .noPort: "has no port"
        case .loopback: "is a loopback address, and the layer does not have one"
        case .otherFamily: "is not of the address family of the layer"
        case .lacksScope: "is link-local, and needs an interface, as in fe80::1%eth0"
        case .otherLink: "is not on the interface of the layer"
        }
    }
}
