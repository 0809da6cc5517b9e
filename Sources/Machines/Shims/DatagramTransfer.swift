// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The way of a packet: two questions, and nothing that allocates. spec: udp-layer §2, §4.3
extension DatagramLayer {
    package mutating func arriving(
        _ head: PacketHeader, length: Int, from source: DatagramAddress, now: Instant
    ) -> Verdict<DatagramAddress> {
        guard length >= Self.headerBytes, let header = head.leading32 else { return drop(.short) }
        guard length <= datagramBytes else { return drop(.long) }
        guard header != EndpointID.management.rawValue else { return .control(trim: 0) }
        switch endpoints.find(EndpointID(header), from: source) {
        case .flow(let port):
            // A datagram of nothing but its header is a keep-alive, and an empty packet for the process.
            counters.arrived(length - Self.headerBytes)
            return .deliver(port, trim: Self.headerBytes)
        case .unknown: return drop(.unknownEndpoint)
        case .otherSource: return drop(.otherSource)
        case .early: return drop(.early)
        }
    }

    package mutating func departing(
        _ length: Int, on port: FlowPort, now: Instant
    ) -> Verdict<DatagramAddress> {
        guard let peer = endpoints.peer(of: port) else {
            counters.dropped(.notEstablished)
            return .drop
        }
        guard length <= datagramBytes - Self.headerBytes else {
            counters.dropped(.long)
            return .drop
        }
        counters.departed(length)
        return .prepend(PacketHeader(networkOrder: peer.endpoint.rawValue), to: peer.address)
    }

    package mutating func control(
        _ bytes: [UInt8], from source: DatagramAddress, now: Instant, into actions: inout [DatagramAction]
    ) { handle(.lower(.datagram(bytes, from: source)), now: now, into: &actions) }

    private mutating func drop(_ reason: DropReason) -> Verdict<DatagramAddress> {
        counters.dropped(reason)
        return .drop
    }

    /// What the driver could not do.
    package mutating func failed(_ trouble: PacketTrouble, packets: Int) { counters.failed(trouble, packets: packets) }
}
