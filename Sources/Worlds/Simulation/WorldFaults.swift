// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

// What goes wrong in a world, beside the faults of its links.
extension FRCPWorld {
    /// Something happens to the link or to an end, and something else a while later.
    func breakSomething() {
        guard now < healAt else { return }
        let side = Int(random.next() % 2)
        let end = Int(random.next() % UInt64(hosts.count))
        switch random.next() % 8 {
        case 0: links[side].isCut.toggle()
        case 1:
            stop(
                end, random.next() % 4 == 0, for: random.next() % (random.next() % 2 == 0 ? 300_000_000 : 2_000_000_000)
            )
        case 2: hosts[end].readsNothing.toggle()
        case 3: setFaults(of: side)
        // A burst of copies.
        case 4: links[side].faults.duplication = links[side].faults.duplication > 500_000 ? 0 : 1_000_000
        // The way becomes longer, or shorter.
        case 5: links[side].faults.delay = random.next() % 2 == 0 ? 200_000 : 80_000_000
        default: links[side].isCut = false
        }
        if now + 200_000_000 >= healAt { for host in hosts { host.readsNothing = false } }
        schedule(.fault, at: now + 1_000_000 + random.next() % 300_000_000)
    }

    private func setFaults(of side: Int) {
        let (rate, queue) = (links[side].faults.rate, links[side].faults.queue)
        links[side].faults = .random(&random)
        // The queue of a shared link stays.
        if plan.kind == .group { (links[side].faults.rate, links[side].faults.queue) = (rate, queue) }
    }

    /// The process of an end does nothing for a while, or all processes of its host.
    func stop(_ end: Int, _ stopsHost: Bool, for time: UInt64) {
        for other in hosts.indices where other == end || stopsHost && other & 1 == end & 1 {
            stoppedUntil[other] = now + time
        }
    }

    /// The sender breaks the rules of messages: another kind of fragment than it should be.
    func misfragmented(_ packet: [UInt8]) -> [UInt8] {
        guard let header = FRCPHeader(packet.span), header.flags.contains(.data), !header.flags.contains(.end),
            random.next() % 32 == 0
        else { return packet }
        var packet = packet
        packet[0] ^= [0x20, 0x40, 0x60][Int(random.next() % 3)]
        return packet
    }

    /// A control packet may be longer than its frame. spec: frcp-profile-1 §1, §4
    func padded(_ packet: [UInt8]) -> [UInt8] {
        guard plan.kind == .forged, let header = FRCPHeader(packet.span), header.flags.isDisjoint(with: [.data, .end]),
            random.next() % 8 == 0
        else { return packet }
        return packet + [UInt8](repeating: 0, count: 1_300 - packet.count)
    }

    // Packets of a stranger.

    /// Gives an end a packet that breaks one rule. It must be dropped without effect. spec: frcp-profile-1 §2
    func intrude() {
        guard !isHealed else { return }
        schedule(.stranger, at: now + 1_000_000 + random.next() % 40_000_000)
        let end = Int(random.next() % UInt64(hosts.count))
        let host = hosts[end]
        guard now >= stoppedUntil[end], host.machine.phase == .open || host.machine.phase == .closing else { return }
        guard !host.hasProfile0 else { return intrudeProfile0(end) }
        // Some flows of a mixed world have profile 1; the others are enough for the stranger.
        guard plan.kind == .forged else { return }
        let packet = forged(for: host.machine.profile1)
        tell?("\(time) end \(end) gets a forged \(PacketText(packet))")
        let before = Footprint(host.machine.profile1)
        host.arrive(packet, arrival: now, now: now)
        let after = Footprint(host.machine.profile1)
        if after.dropped != before.dropped + 1 { host.complain("a forged packet was not dropped") }
        if after.rest != before.rest { host.complain("a forged packet had an effect") }
    }

    /// What a packet that is dropped must not change.
    private struct Footprint {
        let dropped: UInt64
        let rest: [UInt64]

        init(_ end: FRCPEnd) {
            dropped = end.dropped
            let (sender, reader) = (end.transmitter, end.receiver)
            let counts = [
                sender.acknowledged, sender.edge, sender.next, reader.want, reader.read, reader.messages,
                Int(reader.received), Int(reader.duplicates), reader.isDue ? 1 : 0, Int(end.phase.rawValue),
            ]
            rest = counts.map { UInt64($0) } + [sender.limit, sender.flight, sender.rate.window, reader.room]
        }

        init(_ end: Profile0End) {
            dropped = end.dropped
            let counts = [
                end.acknowledged, end.edge, end.next, end.want, end.read, end.isDue ? 1 : 0, Int(end.phase.rawValue),
            ]
            rest = counts.map { UInt64($0) } + [end.flight, end.rate.window, end.counters.received]
        }
    }

    /// The same for an end with profile 0. What lies is ignored; what has a wrong form is dropped. spec: frcp §3, §6
    private func intrudeProfile0(_ end: Int) {
        let host = hosts[end]
        let before = Footprint(host.machine.profile0)
        let (packet, isDropped) = forgedProfile0(for: host.machine.profile0, end)
        tell?("\(time) end \(end) gets a forged \(text(packet, end))")
        host.arrive(packet, arrival: now, now: now)
        let after = Footprint(host.machine.profile0)
        if after.dropped != before.dropped + (isDropped ? 1 : 0) { host.complain("a forged packet was not dropped") }
        if after.rest != before.rest { host.complain("a forged packet had an effect") }
        if !isDropped { witnesses[end].heard = now }
    }

    /// True: it has a wrong form.
    private func forgedProfile0(for machine: Profile0End, _ end: Int) -> (packet: [UInt8], isDropped: Bool) {
        let watch = profile0Watches[end]
        let acknowledged = watch.first + machine.acknowledged
        let next = profile0Watches[end ^ 1].first + machine.want
        var header = FRCPHeader(flags: .data, edge: 0, sequence: next, acknowledged: acknowledged)
        var payload = 1 + Int(random.next() % 20)
        // On a lossy flow any edge counts as an answer.
        switch random.next() % (machine.isReliable ? 6 : 5) {
        case 0: header.flags.insert([.last, .middle, .end][Int(random.next() % 3)])
        case 1: header.flags.insert(.rendezvous)
        case 2: payload = 0
        case 3: header.flags = [.acknowledges, .credits]
        case 4:
            (header.flags, payload) = (.acknowledges, 0)
            header.acknowledged = acknowledged + (machine.next - machine.acknowledged + 1 + payload)
        default:
            (header.flags, payload) = (.credits, 0)
            header.edge = (acknowledged + -1).rawValue & 0xff_ffff
        }
        let packet = [UInt8](capacity: 64) { header.write(to: &$0) } + [UInt8](repeating: 7, count: payload)
        return (packet, header.flags.contains(.data) || payload > 0)
    }

    private func forged(for end: FRCPEnd) -> [UInt8] {
        let (sender, reader) = (end.transmitter, end.receiver)
        let acknowledged = sender.first + sender.acknowledged
        let edge = SequenceNumber(reader.edge)
        var header = FRCPHeader(
            flags: [.acknowledges, .credits], edge: (acknowledged + 64).rawValue, sequence: reader.acknowledgedSequence,
            acknowledged: acknowledged)
        var frame = Acknowledgement()
        frame.room = 1 << 30
        var payload = 0
        let extra = Int(random.next() % 3)
        switch random.next() % 10 {
        case 0: header.flags = [[.acknowledges], [.credits], []][extra]
        case 1: (header.flags, payload) = ([.data, .end, .acknowledges, .credits], 1)
        case 2: header.flags = [.data, .acknowledges, .credits]
        case 3: header.edge = (acknowledged + (32_769 + extra)).rawValue & 0xff_ffff
        case 4: header.acknowledged = sender.nextSequence + (1 + extra)
        case 5:
            frame.bits.insert(.newestIsValid)
            frame.newest = sender.nextSequence + extra
        case 6:
            frame.append(.init(offset: UInt16(sender.next - sender.acknowledged + extra), length: 1 + UInt16(extra)))
        case 7: (header.flags, header.sequence, payload) = ([.data, .acknowledges, .credits], edge + extra, 5)
        case 8: header.sequence = edge + (2 + extra)
        default:
            header.flags.insert(.end)
            header.sequence = extra == 0 ? edge + 2 : reader.acknowledgedSequence + -extra
        }
        header.edge =
            header.acknowledged == acknowledged ? header.edge : (header.acknowledged + 64).rawValue & 0xff_ffff
        let isControl = header.flags.isDisjoint(with: [.data, .end])
        var packet = [UInt8](capacity: 400) { bytes in
            header.write(to: &bytes)
            if isControl { frame.write(to: &bytes) }
        }
        packet += [UInt8](repeating: 7, count: payload)
        return isControl && header.flags.contains([.acknowledges, .credits]) && random.next() % 8 == 0
            ? Array(packet.prefix(20)) : packet
    }
}
