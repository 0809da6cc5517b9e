// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// Processes that do anything at any time.
private struct Crowd {
    var rig = Rig()
    var numbers: RandomSource
    var calls: [ConnectionID] = []
    var sessions: [ConnectionID] = []
    var pids: Set<Int32> = []
    let management: ConnectionID
    static let names = ["a", "b", "c"]

    init(seed: UInt64) {
        numbers = RandomSource(seed: seed)
        management = rig.connect(.management, pid: 1_000, uid: 0)
        for name in Crowd.names {
            rig.manage(
                .createName(
                    NameSettings(
                        name: service(name), balancing: Bool.random(using: &numbers) ? .roundRobin : .spillover)),
                on: management)
        }
    }

    private mutating func pick<Element>(_ list: [Element]) -> Element? { list.randomElement(using: &numbers) }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0..<6: arrive()
        case 6..<30: if let call = idleCall() { rig.accept(call, timeout: timeout()) }
        case 30..<55:
            if let call = idleCall(), let name = pick(Crowd.names) { rig.allocate(call, name, timeout: timeout()) }
        case 55..<80: answer()
        case 80..<86:
            if let session = pick(sessions), let flow = pick(Array(rig.manager.book.flows.keys).sorted()) {
                rig.handle(.received(session, .deallocate(flow), .nothing))
            }
        case 86..<88: rig.advance(TimeSpan(milliseconds: UInt64.random(in: 0...3_000, using: &numbers)))
        case 88..<89: if let pid = pick(pids.sorted()) { die(pid) }
        case 89..<90: if let connection = pick(calls + sessions) { rig.handle(.disconnected(connection)) }
        case 90..<91: rig.memoryFailure = Int.random(in: 0..<4, using: &numbers) == 0 ? .outOfMemory : nil
        case 91..<93:
            if let flow = pick(Array(rig.manager.book.flows.keys).sorted()) {
                rig.manage(.showFlow(flow), on: management)
            }
        case 93..<95: describe()
        default: bind()
        }
    }

    /// A process answers one of the questions that it was asked; now and then it answers what nobody has asked.
    private mutating func describe() {
        guard let session = pick(sessions), let connection = rig.manager.attachments.connections[session] else {
            return
        }
        let asked = rig.manager.inspections.questions[connection.credentials.process]?.keys.sorted() ?? []
        let isAsked = Int.random(in: 0..<20, using: &numbers) > 0
        guard let question = isAsked ? pick(asked) : RequestID(.random(in: 0..<50, using: &numbers)) else { return }
        rig.handle(.received(session, .described(question, FlowStatistics()), .nothing))
    }

    /// Nearly always one that may speak.
    private mutating func idleCall() -> ConnectionID? {
        if Int.random(in: 0..<100, using: &numbers) == 0 { return pick(calls) }
        return pick(
            calls.filter { if case .idle? = rig.manager.stage(on: $0) { true } else { false } })
    }

    private mutating func timeout() -> TimeSpan? {
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: nil
        case 1: TimeSpan(nanoseconds: 0)
        default: TimeSpan(milliseconds: UInt64.random(in: 1...5_000, using: &numbers))
        }
    }

    private mutating func arrive() {
        let pid = Int32.random(in: 10..<18, using: &numbers)
        pids.insert(pid)
        if Bool.random(using: &numbers) {
            sessions.append(rig.connect(.session, pid: pid, features: .flowStatistics))
        }
        calls.append(rig.connect(.call, pid: pid))
        calls.append(rig.connect(.call, pid: pid))
    }

    /// Somebody takes or refuses what was offered; sometimes what was not.
    private mutating func answer() {
        guard let call = pick(calls) else { return }
        var flow = pick(Array(rig.manager.book.flows.keys).sorted()) ?? FlowID(3)
        if case .attached(let offered, _)? = rig.manager.stage(on: call) { flow = offered }
        if Int.random(in: 0..<10, using: &numbers) == 0 {
            rig.handle(.received(call, .refused(flow, .outOfMemory), .nothing))
        } else {
            rig.take(flow, call)
        }
    }

    private mutating func bind() {
        guard let pid = pick(pids.sorted()), let name = pick(Crowd.names).map(service) else { return }
        if Int.random(in: 0..<4, using: &numbers) == 0 {
            rig.manage(.unbindProcess(ProcessID(pid), name), on: management)
        } else {
            rig.manage(.bindProcess(ProcessID(pid), name), on: management, .process(UserID(1_000)))
        }
    }

    mutating func die(_ pid: Int32) {
        rig.handle(.died(ProcessID(pid)))
        pids.remove(pid)
        forgetDropped()
    }

    mutating func forgetDropped() {
        calls.removeAll { rig.manager.attachments.connections[$0] == nil }
        sessions.removeAll { rig.manager.attachments.connections[$0] == nil }
    }
}

@Suite struct RandomEventsTests {
    @Test("whatever processes do, the books stay right, and nothing is left of them", arguments: 1...60)
    func crowd(seed: Int) {
        var crowd = Crowd(seed: UInt64(seed))
        for step in 0..<600 {
            crowd.step()
            crowd.forgetDropped()
            crowd.rig.manager.checkInvariants("seed \(seed), step \(step)")
        }
        for pid in crowd.pids.sorted() { crowd.die(pid) }
        for connection in crowd.rig.manager.attachments.connections.keys.sorted() {
            crowd.rig.handle(.disconnected(connection))
        }
        crowd.rig.manager.checkEmpty("seed \(seed)")
        #expect(crowd.rig.manager.flowsAllocated > 0)
    }

    /// The order of a dictionary differs from process to process: `Tests/Determinism/run` runs this one several times and
    /// compares what it writes.
    @Test("the same events have the same actions")
    func actions() throws {
        var lines = ""
        for seed in 1...20 {
            var crowd = Crowd(seed: UInt64(seed))
            for _ in 0..<300 {
                crowd.rig.clear()
                crowd.step()
                crowd.forgetDropped()
                for action in crowd.rig.actions { lines += "\(seed): \(action)\n" }
            }
        }
        #expect(!lines.isEmpty)
        if let path = ProcessInfo.processInfo.environment["OUROBOROS_ACTIONS"] {
            try lines.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
