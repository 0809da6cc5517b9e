// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Simulation

/// Runs worlds of FRCP: `frcp-seeds FIRST COUNT`; with one seed, `frcp-seeds SEED`, prints its packets. Prints each seed whose world went wrong, and how often each rule was used;
/// ends with 1 if one went wrong.
@main
enum Seeds {
    static func main() {
        let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        if numbers.count == 1 {
            let world = FRCPWorld(seed: numbers[0])
            world.tell = { print($0) }
            return print(world.run().complaint ?? "right")
        }
        guard numbers.count == 2 else {
            print("usage: frcp-seeds FIRST COUNT | SEED")
            return
        }
        var total = FRCPWorld.Outcome()
        var failed = 0
        for seed in numbers[0]..<numbers[0] + numbers[1] {
            let outcome = FRCPWorld(seed: seed).run()
            total.steps += outcome.steps
            total.sent.add(outcome.sent)
            total.received.add(outcome.received)
            guard let complaint = outcome.complaint else { continue }
            failed += 1
            print("seed \(seed): \(complaint)")
        }
        print("\(numbers[1]) worlds, \(failed) wrong, \(total.steps) events")
        print(total.sent)
        print(total.received)
        if failed > 0 { exit(1) }
    }
}
