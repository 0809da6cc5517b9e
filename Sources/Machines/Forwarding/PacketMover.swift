// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import IPCP
import Vocabulary

/// Which flow's packets go next, and what becomes of them when the lower side takes fewer than it was given. It decides and
/// moves nothing: whoever moves packets asks `next` for a flow, hands the flow's packets to one outlet after the other
/// (`send`, `drop`, `hold`), ends the turn, and settles each outlet with what that has taken.
///
/// * **Turns.** Flows with packets take turns of at most `quantum` packets.
/// * **Runs.** What a flow gives to an outlet in one turn is a run, or several if packets between go nowhere. A batch is all
///   runs that are not settled yet. Packets leave a flow in their order, so all runs of a flow in one batch are for the same
///   outlet.
/// * **Settling.** An outlet takes packets from the front of a batch. Those that it did not take stay in their flow, which waits
///   for the outlet.
/// * **Back-pressure.** An outlet that is full is given nothing until it says that it is open again, and flows whose next
///   packet goes there wait for it; flows for other outlets go on.
/// * **Hold.** A machine can hold a flow until a moment; its packets stay in the flow.
package struct PacketMover: Sendable {
    /// What the owner does to a flow: frees its oldest packets, and then has those handed out again that it was handed.
    package struct Settlement: Hashable, Sendable {
        package let port: FlowPort
        package let freed: Int
        package let takesBack: Bool
    }

    package enum Obstacle: Sendable {
        /// Until `open`.
        case full
        /// Nothing tells when it takes packets again: until then.
        case pause(until: Instant)
    }

    private enum State: UInt8, Sendable {
        case closed
        /// No packets that are known.
        case resting
        /// In `turns`.
        case queued
        /// It is its turn.
        case moving
        /// Packets that it was handed are to be taken back when its runs are settled.
        case settling
        /// Its next packet goes to an outlet that is full.
        case blocked
        case held
    }

    private struct Flow: Sendable {
        var state = State.closed
        /// Where the flow's runs in the batch go, and how many runs there are.
        var outlet = 0
        var runs = 0
        /// A run of this batch did not go as a whole, so what comes behind it stays too.
        var isShort = false
        /// The number of the flow's valid place in `turns`; places with lower numbers are void.
        var ticket: UInt32 = 0
        /// What comes after `settling`.
        var next = Next.turn
        var timer: TimerQueue<FlowPort>.Timer?
    }

    private enum Next: Sendable {
        case turn
        case hold(until: Instant)
        case outlet(Int)
    }

    /// Packets of a flow one behind the other: first those that go nowhere, then those that the outlet was given.
    private struct Run: Sendable {
        let port: FlowPort
        var dropped = 0
        var sent = 0
        var takesBack = false

        var isEmpty: Bool { dropped == 0 && sent == 0 && !takesBack }
    }

    private struct Turn: Sendable {
        let port: FlowPort
        let ticket: UInt32
    }

    private struct Outlet: Sendable {
        var runs: [Run] = []
        var isFull = false
        /// Until when it pauses.
        var pause: Instant?
        var blocked: Deque<FlowPort> = []

        var isOpen: Bool { !isFull && pause == nil }
    }

    /// Packets of a flow before it is the next one's turn.
    package static let quantum = 64

    private let batch: Int
    private let ports: Int
    /// By port, up to the greatest that there was.
    private var flows: [Flow] = []
    private var turns: Deque<Turn> = []
    private var outlets: [Outlet]
    private var holds = TimerQueue<FlowPort>()
    /// The run and the outlet of the turn that is under way.
    private var current: Run?
    private var currentOutlet: Int?
    /// Packets in the batch: those that were given to outlets, and all that were taken from flows.
    private var sent = 0
    private var taken = 0
    /// Flows that have packets.
    private var waiting = 0

    /// `batch`: packets between two settlings. `ports`: one more than the greatest number of a port.
    package init(outlets: Int = 1, batch: Int = Limits.datagramsPerBatch, ports: Int = Limits.descriptors) {
        self.batch = batch
        self.ports = ports
        self.outlets = [Outlet](repeating: Outlet(), count: outlets)
    }

    // Flows.

    package mutating func add(_ port: FlowPort) {
        let index = Int(port.rawValue)
        precondition(0..<ports ~= index, "\(port) is no port")
        while flows.count <= index { flows.append(Flow()) }
        remove(port)
        flows[index].state = .resting
    }

    /// The flow has ended. Between batches only: its packets may be in this one.
    package mutating func remove(_ port: FlowPort) {
        guard let index = index(port) else { return }
        if let timer = flows[index].timer { holds.cancel(timer) }
        if isWaiting(flows[index].state) { waiting -= 1 }
        flows[index] = Flow(ticket: flows[index].ticket)
    }

    /// The flow has packets.
    package mutating func wake(_ port: FlowPort) {
        guard let index = index(port), flows[index].state == .resting else { return }
        queue(port, index)
    }

    private func index(_ port: FlowPort) -> Int? {
        flows.indices.contains(Int(port.rawValue)) ? Int(port.rawValue) : nil
    }

    private func isWaiting(_ state: State) -> Bool {
        switch state {
        case .closed, .resting: false
        case .queued, .moving, .settling, .blocked, .held: true
        }
    }

    private mutating func queue(_ port: FlowPort, _ index: Int) {
        enter(.queued, index)
        flows[index].ticket &+= 1
        turns.append(Turn(port: port, ticket: flows[index].ticket))
    }

    private mutating func enter(_ state: State, _ index: Int) {
        let before = isWaiting(flows[index].state)
        flows[index].state = state
        if isWaiting(state) != before { waiting += before ? -1 : 1 }
    }

    /// Bytes that each flow shall have ready. Many flows together shall not have more than stays in the cache until it is sent;
    /// and as long as none has more than a few packets ready, they take turns often.
    package var appetite: UInt64 { max(Limits.readyBytes / UInt64(waiting + 1), Limits.leastReadyBytes) }

    // Turns.

    /// There is a flow that may have its turn now.
    package var canMove: Bool { !turns.isEmpty && outlets.contains(where: \.isOpen) }

    /// When `expire` is to be called.
    package var deadline: Instant? {
        outlets.reduce(holds.deadline) { Instant.earlier($0, $1.pause) }
    }

    /// Holds and pauses that are over.
    package mutating func expire(now: Instant) {
        for outlet in outlets.indices {
            guard let pause = outlets[outlet].pause, pause <= now else { continue }
            outlets[outlet].pause = nil
            release(outlet)
        }
        while let port = holds.next(now: now) {
            let index = Int(port.rawValue)
            flows[index].timer = nil
            if flows[index].state == .held { queue(port, index) }
        }
    }

    /// The outlet takes packets again.
    package mutating func open(_ outlet: Int) {
        outlets[outlet].isFull = false
        release(outlet)
    }

    private mutating func release(_ outlet: Int) {
        guard outlets[outlet].isOpen else { return }
        while let port = outlets[outlet].blocked.popFirst() {
            let index = Int(port.rawValue)
            if flows[index].state == .blocked { queue(port, index) }
        }
    }

    package func isFull(_ outlet: Int) -> Bool { outlets[outlet].isFull }

    /// The flow whose turn it is, and how many of its packets may be taken.
    package mutating func next() -> (port: FlowPort, packets: Int)? {
        guard outlets.contains(where: \.isOpen) else { return nil }
        while let turn = turns.popFirst() {
            let index = Int(turn.port.rawValue)
            guard flows[index].state == .queued, flows[index].ticket == turn.ticket else { continue }
            enter(.moving, index)
            current = Run(port: turn.port)
            currentOutlet = flows[index].runs > 0 ? flows[index].outlet : nil
            return (turn.port, min(PacketMover.quantum, batch - sent))
        }
        return nil
    }

    /// The next packet of the turn goes to this outlet. False: not now, and the turn has ended; the packet and those behind it
    /// stay in the flow.
    package mutating func send(to outlet: Int) -> Bool {
        guard outlets[outlet].isOpen else { return stop(.outlet(outlet)) }
        guard currentOutlet ?? outlet == outlet else { return stop(.turn) }
        currentOutlet = outlet
        current?.sent += 1
        sent += 1
        taken += 1
        return true
    }

    /// The next packet of the turn goes nowhere.
    package mutating func drop() {
        if let run = current, run.sent > 0 {
            append(run)
            current = Run(port: run.port)
        }
        current?.dropped += 1
        taken += 1
    }

    /// The next packet of the turn and those behind it stay in the flow until then. The turn has ended.
    package mutating func hold(until end: Instant) { _ = stop(.hold(until: end)) }

    private mutating func stop(_ next: Next) -> Bool {
        guard let port = current?.port else { return false }
        current?.takesBack = true
        flows[Int(port.rawValue)].next = next
        finish(.settling)
        return false
    }

    /// All packets that were taken for the turn were handled. Not after `send` has said no or `hold`.
    package mutating func endTurn(mayHaveMore: Bool) {
        guard let run = current else { return }
        finish(.resting)
        if mayHaveMore { queue(run.port, Int(run.port.rawValue)) }
    }

    private mutating func finish(_ state: State) {
        guard let run = current else { return }
        current = nil
        enter(state, Int(run.port.rawValue))
        if !run.isEmpty { append(run) }
    }

    /// Packets that go nowhere leave the flow with those before and behind them, whatever outlet that is.
    private mutating func append(_ run: Run) {
        let outlet = currentOutlet ?? 0
        currentOutlet = outlet
        flows[Int(run.port.rawValue)].outlet = outlet
        flows[Int(run.port.rawValue)].runs += 1
        outlets[outlet].runs.append(run)
    }

    /// The batch is to be settled before more is taken.
    package var isBatchFull: Bool { sent >= batch || taken >= batch }

    /// Flows wait for the batch to be settled, or packets are in it.
    package var hasBatch: Bool { outlets.contains { !$0.runs.isEmpty } }

    // Settling.

    /// Ends the batch of an outlet that has taken `count` packets from its front, and has met an obstacle if that was not all.
    package mutating func settle(
        _ outlet: Int, taken count: Int, _ obstacle: Obstacle?, into settlements: inout [Settlement]
    ) {
        switch obstacle {
        case .full?: outlets[outlet].isFull = true
        case .pause(let end)?: outlets[outlet].pause = end
        case nil: break
        }
        var left = count
        var runs: [Run] = []
        swap(&runs, &outlets[outlet].runs)
        for run in runs {
            let index = Int(run.port.rawValue)
            let isBehind = flows[index].isShort
            let went = isBehind ? 0 : min(left, run.sent)
            left -= went
            if went < run.sent { flows[index].isShort = true }
            sent -= run.sent
            taken -= run.dropped + run.sent
            settlements.append(
                Settlement(
                    port: run.port, freed: isBehind ? 0 : run.dropped + went,
                    takesBack: flows[index].isShort || run.takesBack))
            settle(run.port, index, outlet)
        }
        runs.removeAll(keepingCapacity: true)
        swap(&runs, &outlets[outlet].runs)
    }

    private mutating func settle(_ port: FlowPort, _ index: Int, _ outlet: Int) {
        guard flows[index].state != .closed else { return }
        flows[index].runs -= 1
        guard flows[index].runs == 0 else { return }
        let isShort = flows[index].isShort
        flows[index].isShort = false
        switch flows[index].state {
        case .resting, .queued: if isShort { block(port, index, on: outlet) }
        case .settling: if isShort { block(port, index, on: outlet) } else { proceed(port, index) }
        case .closed, .moving, .blocked, .held: break
        }
    }

    private mutating func proceed(_ port: FlowPort, _ index: Int) {
        switch flows[index].next {
        case .turn: queue(port, index)
        case .outlet(let outlet): block(port, index, on: outlet)
        case .hold(let end):
            enter(.held, index)
            flows[index].timer = holds.set(port, at: end)
        }
    }

    /// Waits for the outlet, if that does not take packets.
    private mutating func block(_ port: FlowPort, _ index: Int, on outlet: Int) {
        guard !outlets[outlet].isOpen else {
            if flows[index].state != .queued { queue(port, index) }
            return
        }
        enter(.blocked, index)
        outlets[outlet].blocked.append(port)
    }
}
