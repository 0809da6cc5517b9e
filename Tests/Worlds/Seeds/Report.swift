// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Glibc
import Simulation

/// What many worlds have come to.
struct Report {
    private var worlds = 0
    private var failed = 0
    private var steps = 0
    private var kinds: [Int] = Array(repeating: 0, count: WorldKind.allCases.count)
    private var longest: [UInt64] = Array(repeating: 0, count: WorldKind.allCases.count)
    /// Worlds in which each was used.
    private var users: [String: Int] = [:]
    private var total = Total()

    mutating func add(_ outcome: FRCPWorld.Outcome, seed: UInt64) {
        worlds += 1
        steps += outcome.steps
        kinds[Int(outcome.kind.rawValue)] += 1
        longest[Int(outcome.kind.rawValue)] = max(longest[Int(outcome.kind.rawValue)], outcome.rest)
        total.add(outcome)
        for (name, count) in Total(outcome).counts where count > 0 { users[name, default: 0] += 1 }
        guard let complaint = outcome.complaint else { return }
        failed += 1
        Swift.print("seed \(seed): \(complaint)")
        // A program that waits for a failure does not wait for the other worlds.
        fflush(nil)
    }

    /// - Parameter mustBeComplete: A rule that was not used is a failure.
    /// - Returns: True if nothing is wrong.
    func print(mustBeComplete: Bool) -> Bool {
        Swift.print("\(worlds) worlds, \(failed) wrong, \(steps) events")
        for kind in WorldKind.allCases {
            let seconds = longest[Int(kind.rawValue)] / 1_000_000_000
            line("\(kind)", "\(kinds[Int(kind.rawValue)]), at most \(seconds) s after the link was healed")
        }
        var missing: [String] = []
        for (name, count) in total.counts {
            line(name, "\(count) in \(users[name] ?? 0) worlds")
            if count == 0 { missing.append(name) }
        }
        guard mustBeComplete, !missing.isEmpty else { return failed == 0 }
        Swift.print("no world has used: \(missing.joined(separator: ", "))")
        return false
    }

    private func line(_ name: String, _ value: String) {
        Swift.print("  \(name)\(String(repeating: " ", count: max(1, 36 - name.count)))\(value)")
    }
}

/// What is counted.
private struct Total {
    private var sent = Transmitter.Counters()
    private var received = Receiver.Counters()
    private var rules = RuleCounts()
    private var profile0 = Profile0End.Counters()
    private var profile0Rules = Profile0RuleCounts()
    private var happenings = FRCPWorld.Happenings()

    init() {}
    init(_ outcome: FRCPWorld.Outcome) { add(outcome) }

    mutating func add(_ outcome: FRCPWorld.Outcome) {
        sent.add(outcome.sent)
        received.add(outcome.received)
        rules.add(outcome.rules)
        profile0.add(outcome.profile0)
        profile0Rules.add(outcome.profile0Rules)
        happenings.add(outcome.happenings)
    }

    /// Everything that must happen in many worlds.
    var counts: [(name: String, count: UInt64)] {
        var all = Rule.allCases.map { (name: "\($0)", count: UInt64(rules[$0])) }
        for counters in [Mirror(reflecting: sent), Mirror(reflecting: received)] {
            for child in counters.children where child.label != "beyondEdge" {
                all.append((child.label ?? "", child.value as? UInt64 ?? 0))
            }
        }
        all += Profile0Rule.allCases.map { (name: "profile 0: \($0)", count: UInt64(profile0Rules[$0])) }
        for child in Mirror(reflecting: profile0).children {
            all.append(("profile 0: \(child.label ?? "")", child.value as? UInt64 ?? 0))
        }
        for child in Mirror(reflecting: happenings).children {
            all.append((child.label ?? "", UInt64(child.value as? Int ?? 0)))
        }
        return all
    }
}
