// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary

/// What tells the two UDP layers apart for a compiler.
package protocol DatagramFamily: Sendable {
    static var family: DatagramAddress.Family { get }
}

package enum IPv4: DatagramFamily {
    package static var family: DatagramAddress.Family { .ipv4 }
}

package enum IPv6: DatagramFamily {
    package static var family: DatagramAddress.Family { .ipv6 }
}

/// The IPCP of a UDP layer: a layer is all hosts with this port and the same directory. Both families are one machine,
/// `DatagramLayer`, which knows its family as a value, so that nothing on the way of a packet is generic.
/// spec: udp-layer
package struct DatagramIPCP<Family: DatagramFamily>: DatagramMachine {
    package static var type: IPCPType { DatagramLayer.type(of: Family.family) }

    package static var longestDatagram: Int { DatagramLayer.longestDatagram(of: Family.family) }

    private var layer: DatagramLayer

    package init(seed: UInt64) { layer = DatagramLayer(Family.family, seed: seed) }

    package var deadline: Instant? { layer.deadline }

    /// All that is known of flows, for tests that look for what is left behind.
    var load: DatagramLayer.Load { layer.load }

    package mutating func handle(_ event: DatagramEvent, now: Instant, into actions: inout [DatagramAction]) {
        layer.handle(event, now: now, into: &actions)
    }

    package mutating func arriving(
        _ header: UInt32, length: Int, from source: DatagramAddress, now: Instant
    ) -> Arrival {
        layer.arriving(header, length: length, from: source)
    }

    package mutating func departing(_ length: Int, on port: FlowPort, now: Instant) -> Departure {
        layer.departing(length, on: port)
    }

    package mutating func failed(_ trouble: DatagramTrouble, packets: Int) { layer.failed(trouble, packets: packets) }
}

package typealias UDP4IPCP = DatagramIPCP<IPv4>
package typealias UDP6IPCP = DatagramIPCP<IPv6>
