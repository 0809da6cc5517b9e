// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

extension PacketTrouble {
    /// Told by the call that should have sent a datagram. A route that is not there went with its interface.
    init(refusal errno: Int32) { self = errno == ENETUNREACH ? .interfaceDown : PacketTrouble(errno: errno) }

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
package struct PacketTroubles: Sendable {
    private var counts = InlineArray<9, Int>(repeating: 0)
    package private(set) var isEmpty = true

    package init() {}

    package subscript(trouble: PacketTrouble) -> Int { counts[Int(trouble.rawValue)] }

    package mutating func add(_ trouble: PacketTrouble, _ count: Int = 1) {
        counts[Int(trouble.rawValue)] &+= count
        isEmpty = false
    }
}
