// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What kind of trouble a world has.
package enum WorldKind: UInt8, CaseIterable, Sendable {
    /// All kinds of faults of links and hosts, for at most 5 s.
    case ordinary
    /// Nothing goes wrong, so nothing is sent twice.
    case perfect
    /// Packets are lost independently of each other, and nothing else goes wrong.
    case steady
    /// Several flows share a link with a queue.
    case group
    /// One end vanishes.
    case killed
    /// The link loses long packets.
    case narrow
    /// The flow has a timeout, and programs that are silent for longer than that.
    case watched
    /// A program does not read for minutes.
    case stuffed
    /// The link, or one direction of it, is dead for minutes.
    case dead
    /// A stranger adds packets that break a rule of frcp-profile-1 §2.
    case forged
    /// One end breaks the rules of messages.
    case rogue
    /// Programs pause for seconds.
    case calm
    /// Much data over a long way on which packets overtake each other.
    case long

    /// How many of a hundred worlds are of each kind.
    private var share: Int {
        switch self {
        case .ordinary: 48
        case .perfect: 5
        case .steady: 8
        case .group: 6
        case .killed, .watched, .forged, .stuffed, .rogue: 4
        case .calm: 3
        case .dead, .long: 5
        case .narrow: 1
        }
    }

    static func random(_ random: inout RandomSource) -> WorldKind {
        var left = Int(random.next() % UInt64(allCases.reduce(0) { $0 + $1.share }))
        for kind in allCases {
            left -= kind.share
            if left < 0 { return kind }
        }
        return .ordinary
    }

    /// A program may be cut off, so that the world needs minutes.
    var needsMinutes: Bool { [.killed, .stuffed, .dead, .narrow, .watched].contains(self) }
}

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
}

/// What both ends of a flow are told at the allocation, and what their programs do.
struct FlowPlan {
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
        controlsRate = kind == .group || kind == .long || random.next() % (kind == .steady ? 2 : 8) != 0
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

/// All that a seed decides before a world begins. Times in nanoseconds from then on.
struct WorldPlan {
    let kind: WorldKind
    var flows: [FlowPlan] = []
    var faults: [LinkFaults]
    /// When the link is healed.
    var healAt: UInt64

    init(_ random: inout RandomSource) {
        kind = .random(&random)
        func choose(_ values: [UInt64]) -> UInt64 { values[Int(random.next() % UInt64(values.count))] }
        let seconds: UInt64 = 1_000_000_000
        switch kind {
        case .perfect: healAt = 0
        case .steady: healAt = 60 * seconds
        case .long: healAt = 40 * seconds
        case .narrow: healAt = 45 * seconds
        case .stuffed: healAt = choose([40, 170, 170]) * seconds
        case .dead: healAt = choose([40, 100, 170]) * seconds
        case .watched, .killed, .calm: healAt = choose([1, 5, 15]) * seconds
        case .ordinary, .group, .forged, .rogue: healAt = choose([0, seconds / 10, seconds, 5 * seconds])
        }
        faults = [.random(&random), .random(&random)]
        if random.next() % 2 == 0 { faults[1].delay = faults[0].delay }
        for _ in 0..<(kind == .group ? 2 + random.next() % 4 : 1) { flows.append(FlowPlan(kind, &random)) }
        for side in 0..<2 { adapt(side, &random) }
    }

    /// What links of this kind of world have, or lack.
    private mutating func adapt(_ side: Int, _ random: inout RandomSource) {
        let delay = faults[side].delay
        switch kind {
        case .perfect: faults[side] = .healthy(delay: delay)
        case .steady:
            let loss = faults[side].loss
            faults[side] = .healthy(delay: delay)
            faults[side].loss = flows[0].hasManyGaps ? 200_000 : side == 1 && faults[0].loss > 0 ? 0 : loss
        case .group:
            faults[side].rate = max(faults[side].rate, 1_250_000)
            faults[side].queue = [16_000, 64_000, 256_000][Int(random.next() % 3)]
        case .narrow: faults[side].largest = 1_000
        case .long:
            faults[side] = .healthy(delay: 10_000_000 + random.next() % 40_000_000)
            if flows[0].programs[side].messages.count % 2 == 0 {
                faults[side].reordering = 5_000
                faults[side].overtaking = 40_000_000
                faults[side].loss = 8_000
            } else {
                faults[side].rate = 1_250_000
                faults[side].queue = 1_000_000
            }
        case .stuffed: faults[side] = .healthy(delay: delay)
        case .ordinary where flows[0].endsAtEdge(side): faults[side].loss = 200_000
        case .ordinary, .killed, .watched, .dead, .forged, .rogue, .calm: break
        }
    }

    /// Links and hosts get new faults from time to time.
    var hasAccidents: Bool {
        switch kind {
        case .perfect, .steady, .stuffed, .narrow, .long, .dead: false
        case .ordinary, .group, .killed, .watched, .forged, .rogue, .calm: healAt > 0
        }
    }
}
