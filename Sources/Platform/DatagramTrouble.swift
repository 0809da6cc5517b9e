// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// Why a datagram was lost between us and the network.
package enum DatagramTrouble: Int, Sendable, CaseIterable {
    /// The kernel has no memory for it.
    case noBuffers
    /// Longer than the path lets through, or than a datagram can be.
    case tooLong
    /// The other host or its port cannot be reached: what we sent was answered so.
    case unreachable
    /// The interface is down, or the address that the socket is bound to has gone, or the route.
    case interfaceDown
    /// It came, and was longer than those that the socket takes.
    case truncated
    /// Anything else that the system says.
    case other

    /// Told by the call that should have sent a datagram. A route that is not there went with its interface.
    init(refusal errno: Int32) { self = errno == ENETUNREACH ? .interfaceDown : DatagramTrouble(errno: errno) }

    /// Come back from the network, or told by any other call.
    init(errno: Int32) {
        switch errno {
        case ENOBUFS, ENOMEM: self = .noBuffers
        case EMSGSIZE: self = .tooLong
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENOPROTOOPT, EPROTO: self = .unreachable
        // IPv4 calls it EINVAL when the address of the socket has gone.
        case ENETDOWN, EADDRNOTAVAIL, ENODEV, ENXIO, EINVAL: self = .interfaceDown
        default: self = .other
        }
    }
}

/// How many datagrams were lost, by reason.
package struct DatagramTroubles: Sendable {
    private var counts = InlineArray<6, Int>(repeating: 0)
    package private(set) var isEmpty = true

    package init() {}

    package subscript(trouble: DatagramTrouble) -> Int { counts[trouble.rawValue] }

    package mutating func add(_ trouble: DatagramTrouble, _ count: Int = 1) {
        counts[trouble.rawValue] &+= count
        isEmpty = false
    }
}
