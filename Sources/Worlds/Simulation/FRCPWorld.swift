// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import HeapModule
import Vocabulary

/// Ends of flows, and a link with faults between them, by one seed. First anything may happen, and nothing wrong may be
/// delivered; then the link is healed, and everything must come to its end. The ends of flow n are 2n and 2n + 1.
package final class FRCPWorld {
    var random: RandomSource
    let plan: WorldPlan
    var now: UInt64 = 1_000_000_000
    private var events = Heap<Event>()
    private var nextEvent: UInt64 = 0
    private var parcels: [Int: Parcel] = [:]
    var hosts: [FRCPHost] = []
    /// What each end has written and its peer has received.
    var watches: [FlowWatch] = []
    /// The same for flows with profile 0; unused for others, as `watches` is for these.
    var profile0Watches: [Profile0Watch] = []
    var witnesses: [Witness] = []
    /// From the ends with even numbers to the others, and back.
    var links: [LinkDirection]
    /// Until when an end does nothing.
    var stoppedUntil: [UInt64] = []
    /// When an end is called for its deadline.
    private var called: [UInt64] = []
    let healAt: UInt64
    /// How long a program waits for a peer that has vanished, nanoseconds.
    private let givesUpAfter: UInt64
    /// Is given a line for each packet that arrives and each that goes.
    package var tell: ((String) -> Void)?
    package private(set) var steps = 0
    private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var isHealed = false

    struct Event: Comparable {
        enum Kind { case arrival(Int, parcel: Int), deadline(Int), program(Int), fault, stranger, kill(Int) }
        let time: UInt64
        let order: UInt64
        let kind: Kind

        /// What has arrived is processed before timers.
        private var rank: Int { if case .arrival = kind { 0 } else { 1 } }

        static func < (left: Event, right: Event) -> Bool {
            (left.time, left.rank, left.order) < (right.time, right.rank, right.order)
        }
        static func == (left: Event, right: Event) -> Bool { left.order == right.order }
    }

    /// A packet on its way.
    struct Parcel {
        let bytes: [UInt8]
        let sent: UInt64
        /// What the sender had accepted last.
        let newest: FlowWatch.Newest?
    }

    package init(seed: UInt64) {
        var random = RandomSource(seed: seed)
        plan = WorldPlan(&random)
        links = plan.faults.map { LinkDirection($0) }
        healAt = now + plan.healAt
        givesUpAfter = random.next() % 2 == 0 || !plan.kind.needsMinutes ? 20_000_000_000 : 200_000_000_000
        self.random = random
        for flow in plan.flows { add(flow) }
        prepare()
    }

    private func add(_ flow: FlowPlan) {
        for side in 0..<2 {
            hosts.append(FRCPHost(flow, side, now: now))
            watches.append(
                FlowWatch(
                    first: flow.firsts[side], isReliable: flow.isReliable, credit: flow.credits[1 - side],
                    bound: flow.rooms[1 - side], longest: flow.longest))
            profile0Watches.append(
                Profile0Watch(first: flow.firsts[side], isReliable: flow.isReliable, lifetime: flow.lifetime))
            witnesses.append(Witness(heard: now, sent: now))
            stoppedUntil.append(0)
            called.append(.max)
        }
    }

    private func prepare() {
        for end in hosts.indices {
            hosts[end].closesWhenWritten = hosts[end].plan.closesFirst && hosts[end].isReliable
            schedule(.program(end), at: now + random.next() % 50_000_000)
        }
        if plan.hasAccidents { schedule(.fault, at: now + random.next() % 20_000_000) }
        switch plan.kind {
        case .killed: schedule(.kill(Int(random.next() % 2)), at: now + random.next() % 2_000_000_000)
        case .forged: schedule(.stranger, at: now + 1_000_000)
        case .stuffed: hosts[1].readsNothing = true
        case .rogue: hosts[1].trustsPeer = false
        case .dead:
            let cut = random.next() % 4
            links[0].isCut = cut != 1
            links[1].isCut = cut == 1 || cut == 2
        case .profile0Watched where random.next() % 2 == 0:
            schedule(.kill(Int(random.next() % 2)), at: now + random.next() % 2_000_000_000)
        case .profile0Slow: slowDown()
        case .profile0Lossy, .mixed: if random.next() % 4 == 0 { schedule(.stranger, at: now + 1_000_000) }
        case .ordinary, .perfect, .steady, .group, .narrow, .watched, .calm, .long: break
        case .profile0Clean, .profile0Late, .profile0Watched: break
        }
    }

    /// For minutes nothing passes, in one direction or both, or a program does not read. If a program does not write, that is
    /// all.
    private func slowDown() {
        guard plan.flows[0].programs[0].restsAfter == .max else { return }
        hosts[1].readsNothing = plan.flows[0].isStuffed
        guard !plan.flows[0].isStuffed else { return }
        let trouble = random.next() % 4
        if trouble < 3 {
            links[0].isCut = trouble != 1
            links[1].isCut = trouble != 2
        } else {
            schedule(.kill(Int(random.next() % 2)), at: now + random.next() % 2_000_000_000)
        }
    }

    func schedule(_ kind: Event.Kind, at time: UInt64) {
        events.insert(Event(time: time, order: nextEvent, kind: kind))
        nextEvent += 1
    }

    private static let mostSteps = 1_000_000

    /// Runs the world to its end.
    package func run() -> Outcome {
        // Longer than any timer needs after the link is healed. If acknowledgements were lost for minutes, a sample of the
        // round trip is as long, and an abort is repeated three times after RTO.
        let patience: UInt64 = plan.kind.needsMinutes ? 4_000_000_000_000 : 200_000_000_000
        while let event = events.popMin() {
            now = max(now, event.time)
            steps += 1
            if steps > FRCPWorld.mostSteps { return outcome("the world does not come to an end") }
            if now >= healAt, !isHealed { heal() }
            handle(event)
            if let complaint = complaint { return outcome(complaint) }
            if isOver { return outcome(verdict()) }
            if now > healAt + patience { return outcome("nothing more happens: \(state)") }
        }
        return outcome(isOver ? verdict() : "no event is left: \(state)")
    }

    private var isOver: Bool { hosts.allSatisfy { $0.isDead || $0.isClosed && $0.machine.phase == .over } }

    private func heal() {
        isHealed = true
        for side in 0..<2 {
            links[side].faults = .healthy(delay: min(links[side].faults.delay, 20_000_000))
            links[side].isCut = false
        }
        for end in hosts.indices {
            stoppedUntil[end] = min(stoppedUntil[end], now)
            hosts[end].readsNothing = false
        }
    }

    private func handle(_ event: Event) {
        switch event.kind {
        case .arrival(let end, let parcel):
            if now < stoppedUntil[end] { return schedule(event.kind, at: stoppedUntil[end]) }
            guard let parcel = parcels.removeValue(forKey: parcel) else { return }
            guard !hosts[end].isDead, hosts[end].machine.phase != .over else { return }
            note(UInt64(parcel.bytes.count) << 8 | UInt64(end))
            tell?("\(time) end \(end) gets  \(text(parcel.bytes, end))")
            let mustAnswer =
                hosts[end].hasProfile0
                ? arriveProfile0(parcel, at: end, arrival: event.time) : arrive(parcel, at: end, arrival: event.time)
            hosts[end].expireIfDue(now: now)
            turn(end, mustAnswer: mustAnswer)
        case .deadline(let end):
            guard called[end] == event.time, !hosts[end].isDead else { return }
            called[end] = .max
            if now < stoppedUntil[end] { return call(end, at: stoppedUntil[end]) }
            hosts[end].expire(now: now)
            turn(end)
        case .program(let end):
            if now < stoppedUntil[end] { return schedule(event.kind, at: stoppedUntil[end]) }
            guard !hosts[end].isDead else { return }
            hosts[end].expireIfDue(now: now)
            program(end)
            turn(end)
        case .fault: breakSomething()
        case .stranger: intrude()
        case .kill(let end):
            hosts[end].isDead = true
            tell?("\(time) end \(end) is killed")
        }
    }

    /// The program of an end has a turn: it reads some, writes, and comes again.
    private func program(_ end: Int) {
        let host = hosts[end]
        host.read(atMost: isHealed || host.plan.isEager ? 1_000 : Int(random.next() % 20))
        if random.next() % 64 == 0 { host.writeTooMuch() }
        host.write(now: now)
        if host.hasSeenEnd { host.close(now: now) }
        // A lost message of a lossy flow never comes, so no end can know that it has read everything.
        let isTired = end & 1 == 0 && !host.isReliable && now > healAt + 2_000_000_000
        if isTired, host.toWrite.isEmpty { host.close(now: now) }
        let isAlone = hosts[end ^ 1].isDead || hosts[end ^ 1].machine.phase == .over
        if isAlone, now > healAt + givesUpAfter { host.close(now: now) }
        guard !host.isClosed else { return profile0Watches[end ^ 1].discards() }
        let pause: (UInt64, UInt64) =
            host.plan.isEager && now < healAt + 1_000_000_000
            ? (100_000, 400_000) : (1_000_000, isHealed ? 20_000_000 : host.plan.pause)
        schedule(.program(end), at: now + pause.0 + random.next() % pause.1)
    }

    /// Sends what an end has to send, and calls it again at its deadline.
    func turn(_ end: Int, mustAnswer: Bool = false) {
        let hasProfile0 = hosts[end].hasProfile0
        if !hasProfile0 { settle(end) }
        var departures = Departures()
        while let packet = hasProfile0 ? departsProfile0(from: end, &departures) : departs(from: end, &departures) {
            tell?("\(time) end \(end) sends \(text(packet, end))")
            pass(packet, from: end)
        }
        if hasProfile0 {
            inspectProfile0(end, departures, mustAnswer: mustAnswer)
        } else {
            inspect(end, departures, mustAnswer: mustAnswer)
        }
        if steps % 32 == 0 { hosts[end].check(now: now) }
        guard let deadline = hosts[end].deadline() else { return }
        let at = max(deadline, now + 1_000)
        guard at < called[end] || called[end] <= now else { return }
        call(end, at: at)
    }

    private func call(_ end: Int, at time: UInt64) {
        called[end] = time
        schedule(.deadline(end), at: time)
    }

    /// Puts a packet on the link.
    private func pass(_ packet: [UInt8], from end: Int) {
        let packet = plan.kind == .rogue && end == 0 ? misfragmented(packet) : padded(packet)
        guard let (first, second) = links[end & 1].pass(packet.count, now: now, &random) else {
            if !hosts[end].hasProfile0, let header = FRCPHeader(packet.span), header.flags.contains(.data) {
                watches[end].lost(header)
            }
            return
        }
        let parcel = Parcel(bytes: packet, sent: now, newest: watches[end ^ 1].newest)
        for time in [first, second] {
            guard let time else { continue }
            let id = Int(nextEvent)
            parcels[id] = parcel
            schedule(.arrival(end ^ 1, parcel: id), at: time)
        }
    }

    var time: String {
        let micros = now / 1_000
        return "\(micros / 1_000_000).\(String(1_000_000 + micros % 1_000_000).dropFirst())"
    }

    func text(_ packet: [UInt8], _ end: Int) -> PacketText { PacketText(packet, isProfile0: hosts[end].hasProfile0) }

    private func note(_ word: UInt64) { trace = (trace ^ word ^ now) &* 0x100_0000_01b3 }
}
