// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import HeapModule
import Vocabulary

/// Two ends of a flow, and a link with faults between them, by one seed. First anything may happen, and nothing wrong may be
/// delivered; then the link is healed, and everything must come to its end.
package final class FRCPWorld {
    private var random: RandomSource
    private var now: UInt64 = 1_000_000_000
    private var events = Heap<Event>()
    private var nextEvent: UInt64 = 0
    private var packets: [Int: [UInt8]] = [:]
    private var hosts: [FRCPHost] = []
    private var links: [LinkDirection]
    /// Until when a host does nothing.
    private var stoppedUntil: [UInt64] = [0, 0]
    /// When a host is called for its deadline.
    private var called: [UInt64] = [.max, .max]
    private let healAt: UInt64
    private let isReliable: Bool
    /// The first end lets go while anything may happen: then the flow may end without all that was written.
    private let closesEarly: Bool
    /// Is given a line for each packet that arrives and each that goes.
    package var tell: ((String) -> Void)?
    package private(set) var steps = 0
    package private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325

    private struct Event: Comparable {
        enum Kind { case arrival(Int, packet: Int), deadline(Int), program(Int), fault }
        let time: UInt64
        let order: UInt64
        let kind: Kind

        static func < (left: Event, right: Event) -> Bool { (left.time, left.order) < (right.time, right.order) }
        static func == (left: Event, right: Event) -> Bool { left.order == right.order }
    }

    /// What a world has come to.
    package struct Outcome: Hashable, Sendable {
        /// Nil: everything was right.
        package var complaint: String?
        package var steps = 0
        package var trace: UInt64 = 0
        package var sent = Transmitter.Counters()
        package var received = Receiver.Counters()

        package init() {}
    }

    package init(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func choose<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        isReliable = random.next() % 4 != 0
        closesEarly = random.next() % 4 == 0
        links = [LinkDirection(.random(&random)), LinkDirection(.random(&random))]
        if random.next() % 2 == 0 { links[1].faults.delay = links[0].faults.delay }
        healAt = now + choose([0, 100_000_000, 1_000_000_000, 5_000_000_000])
        let firsts = (0..<2).map { _ in
            choose([UInt32(truncatingIfNeeded: random.next()), UInt32.max - 20, 0xff_fff0, 0, 0x7fff_fff0])
        }
        let patterns = (0..<2).map { _ in random.next() }
        let payload = choose([100, 1_024, 1_400, 8_960])
        let credits = (0..<2).map { _ in choose([64, 256, 4_096]) }
        let rooms = (0..<2).map { _ in choose([65_536, 262_144, 1 << 20]) }
        let longest = payload < 1_024 ? payload : choose([payload, 20_000, 300_000])
        let controlsRate = random.next() % 8 != 0
        let bound = choose([20_000, 200_000])
        var messages: [[Int]] = []
        for side in 0..<2 {
            let isQuiet = side == 1 && random.next() % 2 == 0
            let count = isQuiet ? 0 : Int(random.next() % 120)
            messages.append(
                (0..<count).map { _ in
                    random.next() % 8 == 0 ? 1 + Int(random.next() % UInt64(longest)) : 1 + Int(random.next() % 200)
                }.map { min($0, longest) })
        }
        for side in 0..<2 {
            let options = FRCPHost.Options(
                first: firsts[side], peersFirst: firsts[1 - side], isReliable: isReliable, controlsRate: controlsRate,
                payload: payload, credit: credits[side], peersCredit: credits[1 - side], room: rooms[side],
                peersRoom: rooms[1 - side], longestMessage: longest, peersLongestMessage: longest, table: 8_192,
                bound: bound, timeout: 0, pattern: patterns[side], peersPattern: patterns[1 - side],
                messages: messages[side])
            let peers = messages[1 - side]
            hosts.append(FRCPHost(options, now: now, peersMessages: { peers }))
        }
        self.random = random
        // One end lets go when all is written and read, the other when it sees the end.
        hosts[0].closesWhenWritten = isReliable && (closesEarly || healAt <= now)
        hosts[1].closesWhenWritten = false
        for side in 0..<2 { schedule(.program(side), at: now + self.random.next() % 50_000_000) }
        if healAt > now { schedule(.fault, at: now + self.random.next() % 20_000_000) }
    }

    private func schedule(_ kind: Event.Kind, at time: UInt64) {
        events.insert(Event(time: time, order: nextEvent, kind: kind))
        nextEvent += 1
    }

    /// Longer than any timer needs after the link is healed.
    private static let patience: UInt64 = 120_000_000_000
    private static let mostSteps = 400_000

    /// Runs the world to its end.
    package func run() -> Outcome {
        while let event = events.popMin() {
            now = max(now, event.time)
            steps += 1
            if steps > FRCPWorld.mostSteps { return outcome("the world does not come to an end") }
            if now >= healAt { heal() }
            handle(event)
            if let complaint = hosts[0].complaint ?? hosts[1].complaint { return outcome(complaint) }
            if isOver { return outcome(verdict()) }
            if now > healAt + FRCPWorld.patience { return outcome("nothing more happens: \(state)") }
        }
        return outcome(isOver ? verdict() : "no event is left: \(state)")
    }

    private var state: String {
        "written \(hosts.map(\.written)), to write \(hosts.map(\.toWrite.count)), read \(hosts.map(\.read)), "
            + "phases \(hosts.map(\.end.phase.rawValue)), causes \(hosts.map(\.end.cause.rawValue)), at \(now / 1_000_000) ms, "
            + "healed at \(healAt / 1_000_000) ms"
    }

    private var isOver: Bool {
        hosts.allSatisfy { $0.isClosed && $0.end.phase.rawValue >= FRCPEnd.Phase.resting.rawValue }
    }

    /// When both have let go: has all arrived?
    private func verdict() -> String? {
        for side in 0..<2 {
            if hosts[side].end.failure != .none, !closesEarly { return "host \(side) failed: \(state)" }
        }
        guard isReliable, hosts.allSatisfy({ $0.end.failure == .none }) else { return nil }
        // The first to close has read everything; the other may have been cut off only in what it did not write.
        if hosts[0].read != hosts[1].written { return "host 0 has not read everything: \(state)" }
        if hosts[1].read != hosts[0].written { return "host 1 has not read everything: \(state)" }
        return nil
    }

    private func outcome(_ complaint: String?) -> Outcome {
        var outcome = Outcome()
        outcome.complaint = complaint
        outcome.steps = steps
        outcome.trace = trace
        for host in hosts {
            outcome.sent.add(host.end.transmitter.counters)
            outcome.received.add(host.end.receiver.counters)
        }
        return outcome
    }

    private var isHealed = false
    private func heal() {
        guard !isHealed else { return }
        isHealed = true
        for side in 0..<2 {
            links[side].faults = .healthy(delay: min(links[side].faults.delay, 20_000_000))
            links[side].isCut = false
            stoppedUntil[side] = min(stoppedUntil[side], now)
            hosts[side].readsNothing = false
            hosts[0].closesWhenWritten = isReliable
        }
    }

    private func handle(_ event: Event) {
        switch event.kind {
        case .arrival(let side, let packet):
            if now < stoppedUntil[side] { return schedule(event.kind, at: stoppedUntil[side]) }
            guard let bytes = packets.removeValue(forKey: packet) else { return }
            note(UInt64(bytes.count) << 8 | UInt64(side))
            tell?("\(time) host \(side) gets  \(PacketText(bytes))")
            hosts[side].arrive(bytes, arrival: event.time, now: now)
            hosts[side].expireIfDue(now: now)
            turn(side)
        case .deadline(let side):
            guard called[side] == event.time else { return }
            called[side] = .max
            if now < stoppedUntil[side] { return schedule(.program(side), at: stoppedUntil[side]) }
            hosts[side].expire(now: now)
            turn(side)
        case .program(let side):
            if now < stoppedUntil[side] { return schedule(event.kind, at: stoppedUntil[side]) }
            program(side)
            turn(side)
        case .fault: breakSomething()
        }
    }

    /// The program of a host has a turn: it reads some, writes, and comes again.
    private func program(_ side: Int) {
        let host = hosts[side]
        host.readAll(atMost: isHealed ? 1_000 : Int(random.next() % 20))
        host.write(now: now)
        if side == 1, host.hasSeenEnd { host.close(now: now) }
        // A lost message of a lossy flow never comes, so no end can know that it has read everything.
        if side == 0, !isReliable, host.toWrite.isEmpty, now > healAt + 2_000_000_000 { host.close(now: now) }
        guard !host.isClosed else { return }
        schedule(.program(side), at: now + 1_000_000 + random.next() % 20_000_000)
    }

    /// Sends what a host has to send, and calls it again at its deadline.
    private func turn(_ side: Int) {
        let host = hosts[side]
        var count = 0
        while let packet = host.depart(now: now) {
            count += 1
            tell?("\(time) host \(side) sends \(PacketText(packet))")
            if count > 20_000 { return host.complain("it does not stop to send") }
            guard let (first, second) = links[side].pass(packet.count, now: now, &random) else { continue }
            deliver(packet, to: 1 - side, at: first)
            if let second { deliver(packet, to: 1 - side, at: second) }
        }
        if steps % 64 == 0 { host.check() }
        guard let deadline = host.deadline() else { return }
        let at = max(deadline, now + 1_000)
        guard at < called[side] || called[side] <= now else { return }
        called[side] = at
        schedule(.deadline(side), at: at)
    }

    private func deliver(_ packet: [UInt8], to side: Int, at time: UInt64) {
        let id = Int(nextEvent)
        packets[id] = packet
        schedule(.arrival(side, packet: id), at: time)
    }

    private var time: String {
        let micros = now / 1_000
        return "\(micros / 1_000_000).\(String(1_000_000 + micros % 1_000_000).dropFirst())"
    }

    private func note(_ word: UInt64) { trace = (trace ^ word ^ now) &* 0x100_0000_01b3 }

    private func breakSomething() {
        guard now < healAt else { return }
        let side = Int(random.next() % 2)
        switch random.next() % 5 {
        case 0: links[side].isCut.toggle()
        case 1: stoppedUntil[side] = now + random.next() % 2_000_000_000
        case 2: hosts[side].readsNothing.toggle()
        case 3: links[side].faults = .random(&random)
        default: links[side].isCut = false
        }
        if hosts[side].readsNothing, now + 200_000_000 >= healAt { hosts[side].readsNothing = false }
        schedule(.fault, at: now + 1_000_000 + random.next() % 300_000_000)
    }
}
