// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Glibc
import Simulation

/// Runs worlds of FRCP: `frcp-seeds FIRST COUNT`; with one seed, `frcp-seeds SEED`, prints its packets. Prints each seed whose
/// world went wrong, and how often each rule was used. Ends with 1 if one went wrong, or if 1,000 or more worlds did not use
/// a rule.
@main
enum Seeds {
    static func main() {
        let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        if numbers.count == 1 {
            let world = FRCPWorld(seed: numbers[0])
            world.tell = { print($0) }
            let outcome = world.run()
            return print(outcome.complaint ?? "right", outcome.kind)
        }
        guard numbers.count == 2 else {
            print("usage: frcp-seeds FIRST COUNT | SEED")
            return
        }
        if !run(from: numbers[0], count: numbers[1]) { exit(1) }
    }

    /// True: all worlds went well.
    private static func run(from first: UInt64, count: UInt64) -> Bool {
        var report = Report()
        for seed in first..<first + count { report.add(FRCPWorld(seed: seed).run(), seed: seed) }
        return report.print(mustBeComplete: count >= 1_500)
    }
}
