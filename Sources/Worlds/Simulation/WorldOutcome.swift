// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

extension FRCPWorld {
    /// What a world has come to.
    package struct Outcome: Sendable {
        /// Nil: everything was right.
        package var complaint: String?
        package var kind: WorldKind
        package var steps = 0
        package var trace: UInt64 = 0
        package var sent = Transmitter.Counters()
        package var received = Receiver.Counters()
        package var rules = RuleCounts()
        package var profile0 = Profile0End.Counters()
        package var profile0Rules = Profile0RuleCounts()
        package var happenings = Happenings()
        /// How long the world went on after it was healed, nanoseconds.
        package var rest: UInt64 = 0
    }

    /// What happened in worlds that is no rule, and must happen.
    package struct Happenings: Hashable, Sendable {
        /// Ends whose sequence numbers passed 2^32, and ends whose edge passed a multiple of 2^24.
        package var wrapsOfNumber = 0
        package var wrapsOfEdge = 0
        /// Messages that came in at least 16 fragments.
        package var longMessages = 0
        package var killedEnds = 0
        package var failedEnds = 0
        package var flows = 0
        /// Flows with profile 0, and those of them in worlds that have flows of profile 1, too.
        package var profile0Flows = 0
        package var mixedFlows = 0

        package init() {}
        package mutating func add(_ other: Happenings) {
            wrapsOfNumber += other.wrapsOfNumber
            wrapsOfEdge += other.wrapsOfEdge
            longMessages += other.longMessages
            killedEnds += other.killedEnds
            failedEnds += other.failedEnds
            flows += other.flows
            profile0Flows += other.profile0Flows
            mixedFlows += other.mixedFlows
        }
    }

    var state: String {
        "written \(hosts.map(\.written)), to write \(hosts.map(\.toWrite.count)), read \(hosts.map(\.read)), "
            + "phases \(hosts.map(\.machine.phase.rawValue)), causes \(hosts.map(\.cause.rawValue)), "
            + "at \(now / 1_000_000) ms, healed at \(healAt / 1_000_000) ms, \(plan.kind)"
    }

    /// When all have let go: has everything arrived?
    func verdict() -> String? {
        for end in hosts.indices where !hosts[end].isDead && hosts[end].trustsPeer {
            if hosts[end].hasProfile0 {
                if let complaint = profile0Verdict(end) { return complaint }
                continue
            }
            let (reader, writer) = (hosts[end], hosts[end ^ 1])
            guard reader.machine.failure == .none, writer.machine.failure == .none, !writer.isDead else { continue }
            // A lossy flow loses what it gave too much room for.
            let isExact =
                reader.machine.profile1.receiver.isReliable || plan.kind == .perfect && watches[end ^ 1].roomIsExact
            // The first to let go has read everything; the other was cut off only in what it did not write.
            if isExact, !reader.plan.closesEarly, reader.hasSeenEnd || reader.plan.closesFirst,
                reader.readMessages != writer.written, !(reader.hasSeenEnd && !writer.isClosed)
            {
                return "end \(end) has not read everything: \(state)"
            }
        }
        return nil
    }

    func outcome(_ complaint: String?) -> Outcome {
        var outcome = Outcome(complaint: complaint, kind: plan.kind)
        outcome.steps = steps
        outcome.trace = trace
        outcome.rest = now - min(healAt, now)
        for (end, host) in hosts.enumerated() {
            if host.isDead { outcome.happenings.killedEnds += 1 }
            if host.machine.failure != .none { outcome.happenings.failedEnds += 1 }
            guard !host.hasProfile0 else {
                outcome.profile0.add(host.machine.profile0.counters)
                outcome.profile0Rules.add(host.machine.profile0.rules)
                continue
            }
            let machine = host.machine.profile1
            outcome.sent.add(machine.transmitter.counters)
            outcome.received.add(machine.receiver.counters)
            outcome.rules.add(machine.ruleCounts)
            let watch = watches[end]
            let last = watch.first.rawValue.addingReportingOverflow(UInt32(watch.want))
            if last.overflow { outcome.happenings.wrapsOfNumber += 1 }
            let edge = watch.first + (watch.want + watch.credit)
            if watch.first.rawValue >> 24 != edge.rawValue >> 24 { outcome.happenings.wrapsOfEdge += 1 }
            outcome.happenings.longMessages += host.longMessages
        }
        outcome.happenings.flows = plan.flows.count
        outcome.happenings.profile0Flows = plan.flows.count { $0.hasProfile0 }
        outcome.happenings.mixedFlows = plan.kind == .mixed ? outcome.happenings.profile0Flows : 0
        return outcome
    }
}
