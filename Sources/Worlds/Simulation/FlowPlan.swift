// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

/// What a program does with its end of a flow.
struct ProgramPlan {
    var messages: [Int] = []
    /// The program lets go when it has written all, whether it has read all or not.
    var closesEarly = false
    /// The program lets go when it has written and read all; else when it sees the end.
    var closesFirst = false
    var lingers = true
    /// The longest pause between two turns, in nanoseconds.
    var pause: UInt64 = 20_000_000
    /// The program reads all that is there, and at once.
    var isEager = false
    /// When it has written so many messages, the program writes nothing until then.
    var restsAfter = Int.max
    var restsUntil: UInt64 = 0
}

/// What both ends of a flow are told at the allocation, and what their programs do.
struct FlowPlan {
    var hasProfile0 = false
    /// The program of the second end does not read until the link is healed.
    var isStuffed = false
    var isReliable: Bool
    var controlsRate: Bool
    var payload: Int
    var longest: Int
    var bound: Int
    var timeout: UInt64 = 0
    /// The maximum packet lifetime of the layer, nanoseconds.
    var lifetime: UInt64 = 100_000_000
    var firsts: [UInt32]
    var patterns: [UInt64]
    var credits: [Int]
    var rooms: [Int]
    var programs: [ProgramPlan]

    init(_ kind: WorldKind, _ random: inout RandomSource) {
        func choose<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        isReliable = kind == .stuffed || random.next() % (kind == .rogue ? 2 : 4) != 0
        firsts = (0..<2).map { _ in
            choose([UInt32(truncatingIfNeeded: random.next()), UInt32.max - 20, 0xff_fff0, 0, 0x7fff_fff0])
        }
        patterns = (0..<2).map { _ in random.next() }
        payload = choose(FlowPlan.payloads(kind))
        credits = (0..<2).map { _ in choose([64, 256, 4_096]) }
        rooms = (0..<2).map { _ in choose(kind == .stuffed ? [65_536] : [65_536, 262_144, 1 << 20]) }
        longest = payload < 1_024 ? payload : choose([payload, 20_000, 300_000])
        controlsRate = kind.isShared || kind == .long || random.next() % (kind == .steady ? 2 : 8) != 0
        bound = choose(kind == .stuffed ? [200_000] : [20_000, 200_000])
        if kind == .watched { timeout = choose([300_000_000, 2_000_000_000, 10_000_000_000]) }
        if kind == .dead { lifetime = 5_000_000_000 }
        programs = [ProgramPlan(), ProgramPlan()]
        let most = kind == .long ? 1_500 : kind == .calm ? 12 : kind == .steady ? 300 : 120
        for side in 0..<2 {
            let isQuiet = side == 1 && random.next() % 2 == 0 && kind != .dead && kind != .long
            let count = isQuiet ? 0 : kind == .stuffed ? 100 : Int(random.next() % UInt64(most))
            programs[side].messages = (0..<count).map { _ in
                if kind == .stuffed { return min(longest, 1_000 + Int(random.next() % 1_000)) }
                let isLong = random.next() % 8 == 0
                return min(longest, 1 + Int(random.next() % UInt64(isLong ? longest : 200)))
            }
            if kind == .calm { programs[side].pause = choose([200_000_000, 3_000_000_000]) }
            if kind == .watched { programs[side].pause = choose([20_000_000, 1_000_000_000]) }
        }
        // One end lets go when all is written and read, the other when it sees the end.
        programs[0].closesFirst = true
        programs[1].closesFirst = random.next() % 4 == 0
        for side in 0..<2 where kind != .perfect && kind != .steady {
            programs[side].closesEarly = random.next() % (side == 0 ? 5 : 16) == 0 || kind == .stuffed && side == 0
            programs[side].lingers = random.next() % 3 != 0 || kind == .stuffed
            if kind == .dead, random.next() % 2 == 0 {
                (programs[side].closesEarly, programs[side].lingers) = (side == 0, side != 0)
            }
            // The end follows at once, as far away as the edge allows.
            if kind == .ordinary, random.next() % 8 == 0 {
                credits[1 - side] = 64
                programs[side] = ProgramPlan(messages: Array(repeating: 20, count: 64), closesEarly: true)
            }
        }
        if hasManyGaps { credits = [4_096, 4_096] }
    }

    private static func payloads(_ kind: WorldKind) -> [Int] {
        switch kind {
        case .narrow, .stuffed, .long: [1_400, 8_960]
        case .steady: [100, 100, 1_024, 1_400, 8_960]
        default: [100, 1_024, 1_400, 8_960]
        }
    }

    /// Many short packets may be on their way: more are missing at a time than an answer can tell.
    var hasManyGaps: Bool { payload == 100 && !controlsRate }
    /// The end comes when nothing is acknowledged yet.
    func endsAtEdge(_ side: Int) -> Bool { programs[side].closesEarly && programs[side].messages.count == 64 }
}

// The ends.
extension FlowPlan {
    /// The machine of an end.
    func machine(_ side: Int, now: UInt64) -> FlowMachine {
        let settings = FRCPEnd.Settings(timeout: timeout, lifetime: lifetime)
        guard !hasProfile0 else {
            return FlowMachine(
                Profile0End(
                    first: firsts[side], isReliable: isReliable, payload: payload, settings: settings, now: now,
                    keepsFirst: true))
        }
        let transmitter = Transmitter(
            first: SequenceNumber(firsts[side]), isReliable: isReliable, controlsRate: controlsRate,
            credit: credits[1 - side], room: UInt64(rooms[1 - side]), payload: payload, longestMessage: longest,
            peersDelay: FRCPWorld.delay)
        let receiver = Receiver(
            first: SequenceNumber(firsts[1 - side]), isReliable: isReliable, credit: credits[side],
            bound: UInt64(rooms[side]), longestMessage: longest, delay: FRCPWorld.delay,
            gapPatience: FRCPWorld.gapPatience)
        return FlowMachine(FRCPEnd(transmitter: transmitter, receiver: receiver, settings: settings, now: now))
    }

    /// How large the store of what arrives must be at least.
    func arrivedBytes(_ side: Int) -> Int {
        // The 256 packets of a window, and the places of packets between them that were read before.
        guard !hasProfile0 else { return 4 * 256 * (payload + 8) }
        // What is needed can take twice its size, and the store does not look for free places again before an eighth of it
        // was written.
        return 4 * max(rooms[side], longest + 64 * (longest / 1_024 + 2))
    }

    /// A flow of profile 0: a message is one packet, and there is no end that a program could see.
    mutating func becomeProfile0(_ kind: WorldKind, _ random: inout RandomSource) {
        func choose<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        hasProfile0 = true
        // The first edge is 64 behind, and a later one passes 2^24 or 2^32.
        firsts = firsts.map { $0 & 0xff_ffff > 0xff_ff00 ? $0 &- 200 : $0 }
        payload = choose([100, 1_000, 1_400, 4_000, 4_000])
        longest = payload
        isReliable = random.next() % 3 != 0
        if kind == .profile0Watched { timeout = choose([300_000_000, 2_000_000_000, 10_000_000_000]) }
        if random.next() % 2 == 0 { lifetime = 5_000_000_000 }
        let isEager = kind != .profile0Slow && random.next() % (kind == .profile0Late ? 4 : 2) != 0
        let most = choose(kind == .mixed ? [60, 400] : isEager ? [300, 2_000, 2_000] : [12, 400, 700])
        for side in 0..<2 {
            programs[side] = ProgramPlan(isEager: isEager)
            let isQuiet = side == 1 && random.next() % 3 == 0
            let least = kind == .profile0Late ? most / 2 : 0
            let count = isQuiet ? 0 : least + Int(random.next() % UInt64(most - least))
            let isLong = (!isEager || payload == 4_000) && random.next() % 2 == 0
            programs[side].messages = (0..<count).map { number in
                // Messages whose first bytes are the same have different lengths.
                let eighths = 1 + Int(random.next() % UInt64(isLong ? payload / 8 : 10))
                return 8 * (isLong ? max(eighths, payload / 16) : eighths) - number >> 8
            }
            programs[side].closesFirst = true
            // A reader that lets go early takes nothing more, and the peer cannot know that.
            programs[side].closesEarly = kind != .profile0Clean && random.next() % (side == 0 ? 6 : 12) == 0
            programs[side].lingers = random.next() % 4 != 0
            if kind == .profile0Watched { programs[side].pause = choose([20_000_000, 1_000_000_000]) }
        }
        guard kind == .profile0Slow else { return }
        switch random.next() % 3 {
        case 0:
            // The programs are silent until a new run begins. spec: frcp §4
            for side in 0..<2 {
                programs[side].restsAfter = programs[side].messages.count / 2
                programs[side].restsUntil = 160_000_000_000
            }
        case 1:
            isStuffed = true
            isReliable = random.next() % 3 != 0
            bound = 200_000
            let messages = (0..<500).map { 8 * (1 + Int(random.next() % 12)) - $0 >> 8 }
            programs[0] = ProgramPlan(messages: messages, closesEarly: random.next() % 4 != 0)
        default: break
        }
    }
}
