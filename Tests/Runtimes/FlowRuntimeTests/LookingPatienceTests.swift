// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

@testable import FlowRuntime

@Suite struct LookingPatienceTests {
    /// Waits until the next one that looks.
    private func pause(_ patience: inout LookingPatience) -> Int {
        var waits = 0
        while patience.begin() == 0 {
            patience.end(0, hasSlept: true)
            waits += 1
        }
        return waits
    }

    @Test func looksInVainMakeTheNextWaitsSleepAtOnce() {
        var patience = LookingPatience()
        #expect(pause(&patience) == 0)
        for expected in [1, 3, 7, 15, 31, 31] {
            patience.end(128, hasSlept: true)
            #expect(pause(&patience) == expected)
        }
    }

    @Test func anAnswerThatWasFoundGivesThePatienceBack() {
        var patience = LookingPatience()
        for _ in 0..<8 {
            _ = pause(&patience)
            patience.end(128, hasSlept: true)
        }
        _ = pause(&patience)
        patience.end(128, hasSlept: false)
        #expect(pause(&patience) == 0)
        patience.end(128, hasSlept: true)
        #expect(pause(&patience) == 1)
    }
}
