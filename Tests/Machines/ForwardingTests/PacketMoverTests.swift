// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Forwarding
import IPCP
import Testing
import Vocabulary

/// Flows with numbered packets, outlets that take as many as they are told, and a mover between them.
private struct Rig {
    typealias Packet = (flow: Int32, number: Int)

    var mover: PacketMover
    var now = Instant(nanoseconds: 0)
    /// The next number of each flow, and how many packets there are.
    var first: [Int32: Int] = [:]
    var unread: [Int32: Int] = [:]
    /// What each outlet was given in this batch, and has taken so far.
    var given: [[Packet]]
    var went: [[Packet]]
    /// How many more packets an outlet takes.
    var room: [Int]
    /// Where a packet goes; nil: nowhere.
    var outlet: (Int32, Int) -> Int? = { _, _ in 0 }
    var hold: (Int32, Int, Instant) -> Instant? = { _, _, _ in nil }

    init(outlets: Int = 1, batch: Int = 256) {
        mover = PacketMover(outlets: outlets, batch: batch, ports: 2_000)
        given = Array(repeating: [], count: outlets)
        went = given
        room = Array(repeating: .max, count: outlets)
    }

    mutating func write(_ flow: Int32, _ count: Int) {
        if unread[flow] == nil { mover.add(FlowPort(flow)) }
        unread[flow, default: 0] += count
        mover.wake(FlowPort(flow))
    }

    /// One turn; nil: nobody's.
    @discardableResult
    mutating func turn() -> Int32? {
        guard let (port, most) = mover.next() else { return nil }
        let flow = port.rawValue
        let inBatch = given.joined().filter { $0.flow == flow }.count + dropped[flow, default: 0]
        let start = first[flow, default: 0] + inBatch
        let count = min(most, unread[flow, default: 0] - inBatch)
        for number in start..<start + count {
            if let end = hold(flow, number, now) {
                mover.hold(until: end)
                return flow
            }
            guard let outlet = outlet(flow, number) else {
                mover.drop()
                dropped[flow, default: 0] += 1
                continue
            }
            guard mover.send(to: outlet) else { return flow }
            given[outlet].append((flow, number))
        }
        mover.endTurn(mayHaveMore: count == most)
        return flow
    }

    var dropped: [Int32: Int] = [:]

    mutating func settle() {
        guard mover.hasBatch else { return }
        var settlements: [PacketMover.Settlement] = []
        for index in given.indices {
            let taken = min(room[index], given[index].count)
            if room[index] != .max { room[index] -= taken }
            went[index] += given[index].prefix(taken)
            mover.settle(index, taken: taken, taken < given[index].count ? .full : nil, into: &settlements)
            given[index] = []
        }
        for settlement in settlements {
            first[settlement.port.rawValue, default: 0] += settlement.freed
            unread[settlement.port.rawValue, default: 0] -= settlement.freed
        }
        dropped = [:]
    }

    /// Until nobody has a turn.
    mutating func run() {
        var turns = 0
        repeat {
            while turn() != nil {
                turns += 1
                if mover.isBatchFull { settle() }
                precondition(turns < 100_000, "it moves without end")
            }
            settle()
        } while mover.canMove
    }

    func numbers(_ outlet: Int, _ flow: Int32) -> [Int] { went[outlet].filter { $0.flow == flow }.map(\.number) }
}

@Suite struct PacketMoverTests {
    @Test("flows take turns of 64 packets")
    func turns() {
        var rig = Rig(batch: 1_000)
        rig.write(1, 100)
        rig.write(2, 10)
        rig.write(3, 65)
        let turns = (0..<5).map { _ in rig.turn() }
        #expect(turns == [1, 2, 3, 1, 3])
        let none = rig.turn()
        #expect(none == nil)
        rig.settle()
        #expect(rig.went[0].map(\.flow).prefix(75).last == 3)
        #expect(rig.numbers(0, 1) == Array(0..<100) && rig.numbers(0, 3) == Array(0..<65))
        #expect(!rig.mover.canMove && rig.unread.values.allSatisfy { $0 == 0 })
    }

    @Test("a batch is as long as its owner wants, also of packets that go nowhere")
    func batches() {
        var rig = Rig(batch: 100)
        rig.write(1, 150)
        rig.turn()
        #expect(!rig.mover.isBatchFull)
        rig.turn()
        #expect(rig.mover.isBatchFull && rig.given[0].count == 100)
        rig.outlet = { _, _ in nil }
        rig.run()
        #expect(rig.first[1] == 150 && rig.went[0].count == 100)
    }

    @Test("what an outlet did not take stays in its flow, in order, and goes when the outlet is open again")
    func backPressure() {
        var rig = Rig()
        rig.room = [70]
        rig.write(1, 64)
        rig.write(2, 64)
        rig.write(3, 64)
        rig.run()
        #expect(rig.went[0].count == 70 && rig.mover.isFull(0) && !rig.mover.canMove)
        #expect(rig.first[1] == 64 && rig.first[2] == 6 && rig.first[3, default: 0] == 0)
        // Nothing moves, whatever is written, until it is open.
        rig.write(1, 5)
        rig.run()
        #expect(rig.went[0].count == 70)
        rig.room = [.max]
        rig.mover.open(0)
        rig.run()
        for flow in 1...3 as ClosedRange<Int32> {
            #expect(rig.numbers(0, flow) == Array(0..<rig.first[flow, default: 0]))
            #expect(rig.unread[flow] == 0)
        }
    }

    @Test("behind a packet that did not go, dropped ones stay too: the oldest leave a flow first")
    func droppedBehindFull() {
        var rig = Rig()
        rig.room = [10]
        rig.outlet = { _, number in number < 64 ? 0 : nil }
        rig.write(1, 100)
        rig.run()
        #expect(rig.first[1] == 10 && rig.unread[1] == 90)
        rig.room = [.max]
        rig.mover.open(0)
        rig.run()
        #expect(rig.numbers(0, 1) == Array(0..<64) && rig.first[1] == 100)
    }

    @Test("outlets fill independently, and a flow keeps its order through all of them")
    func outlets() {
        var rig = Rig(outlets: 3)
        rig.outlet = { flow, number in flow == 9 ? number % 3 : Int(flow) }
        rig.room = [.max, 0, .max]
        rig.write(0, 200)
        rig.write(1, 200)
        rig.write(2, 200)
        rig.write(9, 30)
        rig.run()
        #expect(rig.numbers(0, 0).count == 200 && rig.numbers(2, 2).count == 200)
        #expect(rig.numbers(1, 1).isEmpty && rig.unread[1] == 200)
        // Its second packet waits for the full one.
        #expect(rig.first[9] == 1)
        rig.room[1] = .max
        rig.mover.open(1)
        rig.run()
        #expect(rig.unread.values.allSatisfy { $0 == 0 })
        #expect((0..<3).flatMap { rig.numbers($0, 9) }.sorted() == Array(0..<30))
    }

    @Test("a pause ends by itself")
    func pause() {
        var rig = Rig()
        rig.write(1, 3)
        rig.turn()
        var settlements: [PacketMover.Settlement] = []
        let end = Instant(nanoseconds: 1_000)
        rig.mover.settle(0, taken: 1, .pause(until: end), into: &settlements)
        let settlement = settlements.first
        #expect(settlements.count == 1 && settlement?.port == FlowPort(1))
        #expect(settlement?.freed == 1 && settlement?.takesBack == true)
        #expect(!rig.mover.canMove && rig.mover.deadline == end)
        rig.mover.expire(now: Instant(nanoseconds: 999))
        #expect(!rig.mover.canMove)
        rig.mover.expire(now: end)
        #expect(rig.mover.canMove && rig.mover.deadline == nil)
    }

    @Test("a held flow keeps its packets until the moment, and holds nobody else")
    func hold() {
        var rig = Rig()
        let end = Instant(nanoseconds: 50)
        rig.hold = { flow, number, now in flow == 1 && number >= 20 && now < end ? end : nil }
        rig.write(1, 40)
        rig.write(2, 40)
        rig.run()
        #expect(rig.first[1] == 20 && rig.numbers(0, 2).count == 40)
        #expect(rig.mover.deadline == end && !rig.mover.canMove)
        rig.write(1, 1)
        #expect(!rig.mover.canMove)
        rig.now = end
        rig.mover.expire(now: end)
        rig.run()
        #expect(rig.numbers(0, 1) == Array(0..<41))
    }

    @Test("many flows that wait are content with less each")
    func appetite() {
        var rig = Rig()
        let alone = rig.mover.appetite
        for flow in 0..<1_000 as Range<Int32> { rig.write(flow, 1) }
        let many = rig.mover.appetite
        #expect(alone == Limits.readyBytes && many == Limits.leastReadyBytes)
        rig.run()
        #expect(rig.mover.appetite == alone)
        for flow in 0..<1_000 as Range<Int32> { rig.write(flow, 1) }
        for flow in 0..<1_000 as Range<Int32> { rig.mover.remove(FlowPort(flow)) }
        let next = rig.mover.next()
        #expect(rig.mover.appetite == alone && next == nil)
    }

    @Test("a port that is another flow's by now has not the turn of the last one")
    func ports() {
        var rig = Rig()
        rig.write(1, 5)
        rig.mover.remove(FlowPort(1))
        rig.mover.add(FlowPort(1))
        let none = rig.mover.next()
        #expect(none == nil)
        rig.mover.wake(FlowPort(1))
        let next = rig.mover.next()
        #expect(next?.port == FlowPort(1))
        for port in [-1, 2_000, .max, .min] as [Int32] {
            rig.mover.wake(FlowPort(port))
            rig.mover.remove(FlowPort(port))
        }
    }

    @Test("whatever outlets take, each packet goes once, in order, and none is forgotten", arguments: 1...200)
    func worlds(seed: UInt64) {
        var numbers = RandomSource(seed: seed)
        let outlets = Int.random(in: 1...4, using: &numbers)
        var rig = Rig(outlets: outlets, batch: Int.random(in: 1...128, using: &numbers))
        let spread = UInt64.random(in: 1...5, using: &numbers)
        rig.outlet = { flow, number in
            let place = (UInt64(flow) &* 31 &+ UInt64(number) / spread) % UInt64(outlets + 1)
            return place == UInt64(outlets) ? nil : Int(place)
        }
        rig.hold = { flow, number, now in
            let end = Instant(nanoseconds: UInt64(flow) * 100)
            return number % 7 == 3 && now < end ? end : nil
        }
        var written: [Int32: Int] = [:]
        for step in 0..<300 {
            let flow = Int32.random(in: 0..<8, using: &numbers)
            let count = Int.random(in: 0...40, using: &numbers)
            rig.write(flow, count)
            written[flow, default: 0] += count
            for outlet in 0..<outlets where Bool.random(using: &numbers) {
                rig.room[outlet] = Int.random(in: 0...60, using: &numbers)
                rig.mover.open(outlet)
            }
            for _ in 0..<Int.random(in: 0...6, using: &numbers) {
                _ = rig.turn()
                if rig.mover.isBatchFull { rig.settle() }
            }
            rig.settle()
            rig.now = Instant(nanoseconds: UInt64(step) * 10)
            rig.mover.expire(now: rig.now)
        }
        rig.room = Array(repeating: .max, count: outlets)
        for outlet in 0..<outlets { rig.mover.open(outlet) }
        rig.now = Instant(nanoseconds: 1_000_000)
        rig.mover.expire(now: rig.now)
        rig.run()
        for (flow, count) in written {
            let went = (0..<outlets).map { rig.numbers($0, flow) }
            #expect(went.allSatisfy { $0 == $0.sorted() })
            let goes = (0..<count).filter { rig.outlet(flow, $0) != nil }
            let isWhole = went.joined().sorted() == goes
            #expect(isWhole, "flow \(flow)")
            #expect(rig.unread[flow] == 0)
        }
        #expect(rig.mover.appetite == Limits.readyBytes && rig.mover.deadline == nil)
    }
}
