// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Vocabulary

/// Why a machine drops a datagram or a packet.
enum DropReason: UInt8, Sendable, CaseIterable {
    /// No endpoint in it.
    case short
    /// Longer than anything of this layer.
    case long
    case unknownEndpoint
    case otherSource
    /// A request from an address that no host of this layer has.
    case impossibleSource
    /// For a flow whose reply has not come.
    case early
    /// From a process, for a flow that is not established.
    case notEstablished
    /// No message of this layer, though for management.
    case malformed
    /// A reply that nobody waits for, or not from there.
    case unexpectedReply
    /// A request that came again while the first one is at irmd.
    case repeatedRequest
    /// A request beyond the bound.
    case crowded
    /// The end of a flow, said by somebody who is not its peer.
    case foreignGoodbye
    /// The end of a flow that has ended.
    case lateGoodbye

    /// As `irm status` shows it.
    var name: String {
        switch self {
        case .short: "dropped: too short"
        case .long: "dropped: too long"
        case .unknownEndpoint: "dropped: unknown endpoint"
        case .otherSource: "dropped: wrong source"
        case .impossibleSource: "dropped: impossible source"
        case .early: "dropped: before the reply"
        case .notEstablished: "dropped: no flow"
        case .malformed: "dropped: malformed"
        case .unexpectedReply: "dropped: unexpected reply"
        case .repeatedRequest: "dropped: repeated request"
        case .crowded: "dropped: too many requests"
        case .foreignGoodbye: "dropped: end of flow from others"
        case .lateGoodbye: "dropped: end of unknown flow"
        }
    }
}

extension PacketTrouble {
    /// As `irm status` shows it.
    fileprivate var name: String {
        switch self {
        case .queueFull: "lost: queue full"
        case .flowEnded: "lost: flow ended"
        case .socketFull: "lost: socket full"
        case .noBuffers: "lost: no buffers"
        case .tooLong: "lost: longer than the path carries"
        case .unreachable: "lost: unreachable"
        case .interfaceDown: "lost: interface down"
        case .truncated: "lost: truncated"
        case .other: "lost: other errors"
        }
    }
}

/// What has come and gone. Packets are those of flows, bytes those of the packets.
struct DatagramCounters: Sendable {
    private var packetsArrived: UInt64 = 0
    private var bytesArrived: UInt64 = 0
    private var packetsDeparted: UInt64 = 0
    private var bytesDeparted: UInt64 = 0
    private var drops = [UInt64](repeating: 0, count: DropReason.allCases.count)
    private var troubles = [UInt64](repeating: 0, count: PacketTrouble.allCases.count)

    mutating func arrived(_ bytes: Int) {
        packetsArrived &+= 1
        bytesArrived &+= UInt64(bytes)
    }

    mutating func departed(_ bytes: Int) {
        packetsDeparted &+= 1
        bytesDeparted &+= UInt64(bytes)
    }

    mutating func dropped(_ reason: DropReason) { drops[Int(reason.rawValue)] &+= 1 }

    mutating func failed(_ trouble: PacketTrouble, packets: Int) {
        troubles[Int(trouble.rawValue)] &+= UInt64(max(packets, 0))
    }

    func dropped(for reason: DropReason) -> UInt64 { drops[Int(reason.rawValue)] }

    /// All, also those that are 0: a list that changes its length is hard to compare.
    var status: [LayerStatus.Counter] {
        [
            LayerStatus.Counter("packets arrived", packetsArrived), LayerStatus.Counter("bytes arrived", bytesArrived),
            LayerStatus.Counter("packets departed", packetsDeparted),
            LayerStatus.Counter("bytes departed", bytesDeparted),
        ] + DropReason.allCases.map { LayerStatus.Counter($0.name, drops[Int($0.rawValue)]) }
            + PacketTrouble.allCases.map { LayerStatus.Counter($0.name, troubles[Int($0.rawValue)]) }
    }
}
