// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowMemory
import FlowProtocol
import LocalProtocol
import Platform
import Vocabulary

extension FlowOffer {
    /// The memory of an end with FRCP; nil if the flow needs none. `.inputOutput` if what was agreed cannot be.
    func layerMemory() throws(Failure) -> LayerMemory? {
        guard role == .user, quality.inOrder else { return nil }
        guard let agreement = FlowAgreement(items: terms.items) else { throw .inputOutput }
        switch agreement {
        case .raw: return nil
        case .profile0: return try memory(FlowMachine(try end()))
        case .profile1(let own, let peer): return try memory(FlowMachine(try end(own, peer)))
        }
    }

    private func memory(_ machine: FlowMachine) throws(Failure) -> LayerMemory {
        try LayerMemory(LayerState(machine: machine, trailerBytes: trailerBytes))
    }

    private var trailerBytes: Int { quality.bitErrorRate == 0 ? CRC32.bytes : 0 }

    private var settings: FRCPEnd.Settings {
        FRCPEnd.Settings(
            timeout: UInt64(quality.timeoutMilliseconds) * 1_000_000, lifetime: terms.packetLifetime.nanoseconds)
    }

    /// With profile 0, which cuts no messages: the layer does, if it can.
    private func end() throws(Failure) -> Profile0End {
        let payload = Int(messageBytes) - FRCPHeader.bytes - trailerBytes
        guard payload > 0 else { throw .inputOutput }
        guard let first = try? Entropy.word() else { throw .inputOutput }
        return Profile0End(
            first: UInt32(truncatingIfNeeded: first), isReliable: quality.loss == 0, payload: payload,
            settings: settings, now: Clock.now().nanoseconds)
    }

    /// With profile 1.
    private func end(_ own: EndProperties, _ peer: EndProperties) throws(Failure) -> FRCPEnd {
        // What a route carries without being cut: fragments of IP multiply losses. spec: frcp-profile-1 §1
        let packet = min(
            Int(messageBytes), Int(own.largestPacketBytes), Int(peer.largestPacketBytes), Limits.uncutBytes)
        let payload = packet - FRCPHeader.bytes - trailerBytes
        guard payload > 0 else { throw .inputOutput }
        let isReliable = quality.loss == 0
        let transmitter = Transmitter(
            first: own.firstSequence, isReliable: isReliable, controlsRate: !terms.avoidsCongestion,
            credit: Int(peer.credit), room: UInt64(peer.firstRoomBytes), payload: payload,
            longestMessage: Int(peer.longestMessageBytes),
            peersDelay: UInt64(peer.acknowledgementDelayMilliseconds) * 1_000_000)
        let receiver = Receiver(
            first: peer.firstSequence, isReliable: isReliable, credit: Int(own.credit),
            bound: UInt64(own.firstRoomBytes), longestMessage: Int(own.longestMessageBytes),
            delay: UInt64(own.acknowledgementDelayMilliseconds) * 1_000_000,
            gapPatience: min(UInt64(quality.maximumGapMilliseconds), 10) * 1_000_000)
        return FRCPEnd(
            transmitter: transmitter, receiver: receiver, settings: settings, now: Clock.now().nanoseconds)
    }
}

extension FlowPointer {
    /// With the process lock held: messages that can be read and that no event was made of.
    func newLayerMessages() -> UInt64 {
        guard let (layer, end) = lockLayer() else { return 0 }
        let now = Clock.now().nanoseconds
        turnLayer(layer, end, now: now)
        let new = layer.delivered &- pointee.membership.announcedBase(end)
        let descriptor = FlowTable.pointer(0).map { Int32(self - $0) } ?? -1
        leaveLayer(layer, end, descriptor, now: now, holding: FlowProcess.shared)
        return new <= UInt64(UInt32.max) ? new : 0
    }
}
