// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The way of a packet: two questions, and nothing that allocates. spec: udp-layer §2, §4.3
extension DatagramLayer {
    mutating func arriving(_ header: UInt32, length: Int, from source: DatagramAddress) -> Arrival {
        guard length >= Self.headerBytes else { return drop(.short) }
        guard length <= datagramBytes else { return drop(.long) }
        guard header != EndpointID.management.rawValue else { return .control }
        switch endpoints.find(EndpointID(header), from: source) {
        case .flow(let port):
            // A datagram of nothing but its header is a keep-alive, and an empty packet for the process.
            counters.arrived(length - Self.headerBytes)
            return .deliver(port)
        case .unknown: return drop(.unknownEndpoint)
        case .otherSource: return drop(.otherSource)
        case .early: return drop(.early)
        }
    }

    mutating func departing(_ length: Int, on port: FlowPort) -> Departure {
        guard let peer = endpoints.peer(of: port) else {
            counters.dropped(.notEstablished)
            return .drop
        }
        guard length <= datagramBytes - Self.headerBytes else {
            counters.dropped(.long)
            return .drop
        }
        counters.departed(length)
        return .send(peer.endpoint.rawValue, to: peer.address)
    }

    private mutating func drop(_ reason: DropReason) -> Arrival {
        counters.dropped(reason)
        return .drop
    }

    /// What the driver could not do.
    mutating func failed(_ trouble: DatagramTrouble, packets: Int) { counters.failed(trouble, packets: packets) }
}
