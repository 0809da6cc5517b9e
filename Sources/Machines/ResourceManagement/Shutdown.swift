// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The orderly end: what irmd started ends with it; processes of users go on.
extension ResourceManager {
    mutating func stop() {
        guard !isStopping else { return shutdownExpired() }
        isStopping = true
        report(.stopping)
        for ipcp in ipcps.keys.sorted() { end(ipcp, for: nil) }
        for program in started.keys.sorted() { outgoing.append(.signal(program, .terminate)) }
        timers.set(.shutdown, at: now + Limits.shutdownPatience)
        finishStopping()
    }

    /// Patience is at its end; or somebody asked a second time.
    mutating func shutdownExpired() {
        for child in (Array(ipcps.keys) + Array(started.keys)).sorted() { outgoing.append(.signal(child, .kill)) }
    }

    mutating func finishStopping() {
        guard isStopping, ipcps.isEmpty, started.isEmpty, starting.isEmpty, spawning.isEmpty else { return }
        report(.stopped)
        outgoing.append(.exit)
    }
}
