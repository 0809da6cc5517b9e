// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

@testable import FlowRuntime

@Suite struct WaitTests {
    @Test("who has written since the wait before waits for an answer, as long as that wait lasts")
    func answer() {
        var writtenBefore: UInt64 = 0
        let waits: [(UInt64, Bool)] = [(0, false), (1, true), (1, false), (1, false), (5, true), (6, true)]
        for (written, isForAnswer) in waits {
            var wait = Wait()
            for later in 0..<3 {
                // Another thread may write meanwhile.
                #expect(wait.isForAnswer(later == 0 ? written : 100, &writtenBefore) == isForAnswer)
            }
        }
    }

    /// The pauses of the next wait.
    private func pauses(_ patience: Patience) -> Int {
        var patience = patience
        return patience.begin().pauses
    }

    @Test("after four waits that ended with a yield the next ones yield at once, until a pause is enough again")
    func neighbour() {
        var patience = Patience()
        for _ in 0..<4 {
            #expect(patience.begin() == (16, 64))
            patience.succeeded(hasYielded: true)
        }
        for wait in 5..<16 {
            #expect(patience.begin() == (0, 64), "\(wait)")
            patience.succeeded(hasYielded: true)
        }
        // The sixteenth wait finds out whether the peer is still on this processor.
        #expect(patience.begin() == (16, 64))
        patience.succeeded(hasYielded: true)
        #expect(pauses(patience) == 0)
        for _ in 0..<15 { _ = patience.begin() }
        #expect(patience.begin() == (16, 64))
        patience.succeeded(hasYielded: false)
        #expect(pauses(patience) == 16)
    }

    @Test("waits that end with a sleep yield less, and the last of them only pause")
    func sleeps() {
        var patience = Patience()
        for expected in [64, 32, 16, 8] {
            #expect(patience.begin() == (16, expected))
            patience.slept()
        }
        for expected in [4, 2, 1] {
            #expect(patience.begin() == (expected, 0))
            patience.slept()
        }
    }
}
