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
    /// Profile 0, and nothing goes wrong, so nothing is sent twice.
    case profile0Clean
    /// Profile 0 over a link with delay, on which packets overtake each other and come twice; none is lost.
    case profile0Late
    /// Profile 0, and all kinds of faults of links and hosts, for at most 5 s.
    case profile0Lossy
    /// Profile 0 with a timeout, and programs that are silent for longer than that.
    case profile0Watched
    /// Profile 0, and for minutes the link is dead, or a program does not read, or does not write.
    case profile0Slow
    /// Flows of both profiles, reliable and lossy, share a link with a queue.
    case mixed

    /// How many of a hundred worlds are of each kind.
    private var share: Int {
        switch self {
        case .ordinary: 48
        case .perfect: 5
        case .steady: 8
        case .group: 6
        case .killed, .watched, .forged, .stuffed, .rogue: 4
        case .calm: 3
        case .dead: 5
        case .long: 7
        case .narrow: 1
        case .profile0Clean: 2
        case .profile0Late: 6
        case .profile0Watched: 4
        case .profile0Lossy: 8
        case .profile0Slow, .mixed: 6
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
    var needsMinutes: Bool {
        [.killed, .stuffed, .dead, .narrow, .watched, .profile0Watched, .profile0Slow].contains(self)
    }

    /// Both ends have profile 0.
    var isProfile0: Bool {
        [.profile0Clean, .profile0Late, .profile0Lossy, .profile0Watched, .profile0Slow].contains(self)
    }

    /// Flows share the link, which has a queue.
    var isShared: Bool { self == .group || self == .mixed }
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
        case .perfect, .profile0Clean: healAt = 0
        case .steady: healAt = 60 * seconds
        case .long: healAt = 40 * seconds
        case .narrow: healAt = 45 * seconds
        case .stuffed: healAt = choose([40, 170, 170]) * seconds
        case .dead: healAt = choose([40, 100, 170]) * seconds
        case .profile0Slow: healAt = choose([40, 170, 170]) * seconds
        case .watched, .killed, .calm, .profile0Watched: healAt = choose([1, 5, 15]) * seconds
        case .ordinary, .group, .forged, .rogue, .profile0Lossy, .mixed:
            healAt = choose([0, seconds / 10, seconds, 5 * seconds])
        case .profile0Late: healAt = 20 * seconds
        }
        faults = [.random(&random), .random(&random)]
        if random.next() % 2 == 0 { faults[1].delay = faults[0].delay }
        for flow in 0..<(kind.isShared ? 2 + random.next() % 4 : 1) {
            flows.append(FlowPlan(kind, &random))
            // Of mixed flows the first has profile 0, and the second profile 1.
            let hasProfile0 = kind == .mixed && (flow == 0 || flow > 1 && random.next() % 2 == 0)
            if kind.isProfile0 || hasProfile0 { flows[flows.count - 1].becomeProfile0(kind, &random) }
        }
        if flows[0].isStuffed { healAt = 170 * seconds }
        for side in 0..<2 { adapt(side, &random) }
    }

    /// What links of this kind of world have, or lack.
    private mutating func adapt(_ side: Int, _ random: inout RandomSource) {
        let delay = faults[side].delay
        switch kind {
        case .perfect, .profile0Clean: faults[side] = .healthy(delay: delay)
        case .profile0Late:
            let (duplication, reordering) = (faults[side].duplication, faults[side].reordering)
            let overtaking = faults[side].overtaking
            faults[side] = .healthy(delay: delay)
            faults[side].duplication = max(duplication, 1_000)
            (faults[side].reordering, faults[side].overtaking) = (reordering, overtaking)
            // Copies come when many hundred packets have overtaken them.
            if flows[0].programs[0].isEager, flows[0].payload != 1_000 {
                (faults[side].delay, faults[side].overtaking) = (20_000, 20_000_000)
                faults[side].duplication = max(duplication, 400_000)
            }
        case .steady:
            let loss = faults[side].loss
            faults[side] = .healthy(delay: delay)
            faults[side].loss = flows[0].hasManyGaps ? 200_000 : side == 1 && faults[0].loss > 0 ? 0 : loss
        case .group, .mixed:
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
        case .profile0Slow where random.next() % 2 == 0: faults[side] = .healthy(delay: delay)
        case .ordinary, .killed, .watched, .dead, .forged, .rogue, .calm: break
        case .profile0Lossy, .profile0Watched, .profile0Slow: break
        }
    }

    /// Links and hosts get new faults from time to time.
    var hasAccidents: Bool {
        switch kind {
        case .perfect, .steady, .stuffed, .narrow, .long, .dead: false
        case .profile0Clean, .profile0Late, .profile0Slow: false
        case .ordinary, .group, .killed, .watched, .forged, .rogue, .calm: healAt > 0
        case .profile0Lossy, .profile0Watched, .mixed: healAt > 0
        }
    }
}
