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
}
