// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Simulation
import Testing

@Suite struct FRCPWorldTests {
    /// Seeds that have failed once.
    static let once: [UInt64] = [43, 70, 73]

    @Test("seeds that failed once stay right", arguments: once)
    func failedOnce(seed: UInt64) { #expect(FRCPWorld(seed: seed).run().complaint == nil) }

    @Test("two ends deliver everything once and in order, whatever the link does, and come to an end")
    func manySeeds() {
        for seed in UInt64(0)..<30 {
            let outcome = FRCPWorld(seed: seed).run()
            #expect(outcome.complaint == nil, "seed \(seed)")
        }
    }

    @Test("the same seed does the same")
    func reproducible() {
        for seed in UInt64(0)..<10 {
            let (first, second) = (FRCPWorld(seed: seed).run(), FRCPWorld(seed: seed).run())
            #expect(first.trace == second.trace && first.steps == second.steps)
        }
    }
}
