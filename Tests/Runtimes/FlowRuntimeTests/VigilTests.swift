// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import FlowRuntime

/// What is found when the packet counts of a flow are looked at, with numbers for time.
@Suite struct VigilTests {
    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: 1_000_000 * (1_000 + milliseconds)) }

    private func vigil(_ timeout: UInt64 = 80) -> Vigil {
        Vigil(timeout: TimeSpan(milliseconds: timeout), written: 5, received: 9, now: at(0))
    }

    @Test func anIdleFlowIsLookedAtFourTimesInATimeout() {
        var vigil = vigil()
        for round: UInt64 in 1...3 {
            #expect(vigil.nextLook == at(20 * round))
            #expect(vigil.look(written: 4 + round, received: 9, now: vigil.nextLook) == .idle)
            vigil.wrote(5 + round, at(20 * round))
        }
        #expect(vigil.nextLook == at(80))
        #expect(vigil.look(written: 8, received: 9, now: at(79)) == .nothing)
        #expect(vigil.look(written: 8, received: 9, now: at(80)) == .silent)
    }

    @Test func aBusyWriterNeedsNoKeepalive() {
        var vigil = vigil()
        var written: UInt64 = 5
        for _ in 0..<50 {
            written += 1
            #expect(vigil.look(written: written, received: written, now: vigil.nextLook) == .nothing)
        }
    }

    @Test func aKeepaliveComesSoonAfterTheLastMessageAndNeverBeforeAQuarter() {
        var vigil = vigil()
        #expect(vigil.look(written: 6, received: 10, now: at(20)) == .nothing)
        #expect(vigil.nextLook == at(30))
        #expect(vigil.look(written: 6, received: 10, now: at(30)) == .nothing)
        #expect(vigil.nextLook == at(40))
        #expect(vigil.look(written: 6, received: 10, now: at(40)) == .idle)
    }

    @Test func whatArrivesPutsTheSilenceOff() {
        var vigil = vigil()
        var received: UInt64 = 9
        for round: UInt64 in 1...20 {
            if round % 3 == 0 { received += 1 }
            #expect(vigil.look(written: 5, received: received, now: vigil.nextLook) == .idle)
        }
        // The third of three looks found something, two have found nothing since.
        let last = at(18 * 20)
        #expect(vigil.look(written: 5, received: received, now: last + TimeSpan(milliseconds: 79)) != .silent)
        #expect(vigil.look(written: 5, received: received, now: last + TimeSpan(milliseconds: 80)) == .silent)
    }

    @Test func aLateLookIsNoSilenceOfThePeer() {
        var vigil = vigil()
        #expect(vigil.look(written: 5, received: 9, now: at(10_000)) == .idle)
        for _ in 0..<3 { #expect(vigil.look(written: 5, received: 9, now: vigil.nextLook) == .idle) }
        #expect(vigil.nextLook == at(10_080))
        #expect(vigil.look(written: 5, received: 9, now: at(10_080)) == .silent)
    }

    @Test func aTinyTimeoutDoesNotMakeABusyThread() {
        var vigil = vigil(1)
        _ = vigil.look(written: 5, received: 10, now: at(1))
        #expect(vigil.nextLook >= at(2))
    }
}
