// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What goes wrong on one direction of a link. Shares are in millionths, times in nanoseconds.
package struct LinkFaults: Hashable, Sendable {
    /// The share of packets that are lost, each independently.
    package var loss: UInt64 = 0
    /// Gilbert and Elliott: the link becomes bad, good again, and what is lost while it is bad.
    package var turnsBad: UInt64 = 0
    package var turnsGood: UInt64 = 1_000_000
    package var lossWhenBad: UInt64 = 0
    /// The share of packets that come twice.
    package var duplication: UInt64 = 0
    /// The share of packets that later packets overtake, and the longest extra delay of them.
    package var reordering: UInt64 = 0
    package var overtaking: UInt64 = 0
    /// The share of packets with a changed bit. Their checksum shows it, so they are dropped on arrival.
    package var damage: UInt64 = 0
    package var delay: UInt64 = 1_000_000
    /// Bytes a second; 0: without limit.
    package var rate: UInt64 = 0
    /// Bytes that wait for the link.
    package var queue: UInt64 = 256 << 10
    /// Longer packets are lost; 0: none is.
    package var largest = 0

    package init() {}

    /// A link without faults.
    package static func healthy(delay: UInt64, rate: UInt64 = 0) -> LinkFaults {
        var faults = LinkFaults()
        faults.delay = delay
        faults.rate = rate
        return faults
    }

    package static func random(_ random: inout RandomSource) -> LinkFaults {
        var faults = LinkFaults()
        func choose(_ values: [UInt64]) -> UInt64 { values[Int(random.next() % UInt64(values.count))] }
        faults.loss = choose([0, 0, 1_000, 10_000, 50_000, 200_000])
        if random.next() % 4 == 0 {
            faults.turnsBad = choose([1_000, 10_000, 50_000])
            faults.turnsGood = choose([50_000, 200_000])
            faults.lossWhenBad = choose([300_000, 1_000_000])
        }
        faults.duplication = choose([0, 0, 10_000, 100_000])
        faults.reordering = choose([0, 0, 10_000, 200_000])
        faults.overtaking = choose([100_000, 1_000_000, 20_000_000])
        faults.damage = choose([0, 0, 0, 10_000])
        faults.delay = choose([0, 50_000, 1_000_000, 10_000_000, 100_000_000])
        faults.rate = choose([0, 0, 100_000, 1_250_000, 125_000_000])
        faults.queue = choose([8_000, 64_000, 1_000_000])
        return faults
    }
}

/// One direction of a link: when the packets that go in come out.
struct LinkDirection: Sendable {
    var faults: LinkFaults
    /// Nothing passes.
    var isCut = false
    private var isBad = false
    /// When the last packet that waits has gone.
    private var freeAt: UInt64 = 0
    private(set) var lost = 0

    init(_ faults: LinkFaults) { self.faults = faults }

    /// When a packet arrives, once or twice; nil: it does not.
    mutating func pass(_ bytes: Int, now: UInt64, _ random: inout RandomSource) -> (UInt64, UInt64?)? {
        func happens(_ share: UInt64) -> Bool { share > 0 && random.next() % 1_000_000 < share }
        if happens(isBad ? faults.turnsGood : faults.turnsBad) { isBad.toggle() }
        let isLost = happens(faults.loss) || isBad && happens(faults.lossWhenBad) || happens(faults.damage)
        let isTooLong = faults.largest > 0 && bytes > faults.largest
        var arrival = max(now, freeAt)
        if faults.rate > 0 {
            let waiting = (arrival - now) * faults.rate / 1_000_000_000
            guard waiting + UInt64(bytes) <= faults.queue else {
                lost += 1
                return nil
            }
            arrival += UInt64(bytes) * 1_000_000_000 / faults.rate
            freeAt = arrival
        }
        guard !isLost, !isTooLong, !isCut else {
            lost += 1
            return nil
        }
        arrival += faults.delay
        if happens(faults.reordering) { arrival += random.next() % max(faults.overtaking, 1) }
        return (arrival, happens(faults.duplication) ? arrival + random.next() % max(faults.overtaking, 1) : nil)
    }
}
