// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The orderly end: what irmd started ends with it; processes of users go on.
extension ResourceManager {
    mutating func stop() {
        guard !isStopping else { return shutdownExpired() }
        isStopping = true
        report(.stopping)
        for ipcp in children.ipcps.keys.sorted() { end(ipcp, for: nil) }
        for program in children.programs.processes { outgoing.append(.signal(program, .terminate)) }
        timers.set(.shutdown, at: now + Limits.shutdownPatience)
        finishStopping()
    }

    /// Patience is at its end; or somebody asked a second time.
    mutating func shutdownExpired() {
        for child in children.processes { outgoing.append(.signal(child, .kill)) }
    }

    mutating func finishStopping() {
        guard isStopping, children.isEmpty else { return }
        report(.stopped)
        outgoing.append(.exit)
    }
}
