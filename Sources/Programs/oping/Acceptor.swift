// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CFlowControl
import CLinux
import COuroboros
import Platform
import ToolSupport
import Vocabulary

/// Accepts flows, and tries again when that fails: sooner at first, then once a second, so that a server outlives
/// its irmd and does not burn the processor meanwhile.
struct Acceptor {
    private var pause: UInt64 = 10_000_000
    private var lastError: Int32 = 0

    /// On a thread of its own, until the server stops: each flow is announced and then added to the set.
    static func start(adding set: OpaquePointer, announcing pipe: Int32) throws(Failure) {
        let address = Int(bitPattern: set)  // the library locks its sets; a pointer may not cross threads
        try Thread.start {
            guard let set = OpaquePointer(bitPattern: address) else { return }
            var acceptor = Acceptor()
            while cl_stop_signal() == 0 {
                guard var flow = acceptor.next() else { continue }
                _ = cf_set_flags(flow, UInt32(FLOWFRDWR | FLOWFRNOPART | FLOWFNONBLOCK))
                // In this order: a flow must be known before it can have events.
                guard write(pipe, &flow, 4) == 4, fset_add(set, flow) == 0 else {
                    _ = flow_dealloc(flow)  // more flows than anybody answers
                    continue
                }
            }
        }
    }

    /// Waits for a flow; nil if none came, after a pause that grows.
    mutating func next() -> Int32? {
        let flow = flow_accept(nil, nil)
        if flow >= 0 {
            (pause, lastError) = (10_000_000, 0)
            Output.standard.line("New flow \(flow).")
            return flow
        }
        // A server that was told to stop lets go of irmd while this call waits: nothing to complain of.
        guard flow != -EINTR, cl_stop_signal() == 0 else { return nil }
        if flow != lastError {
            Output.standard.line("Failed to accept flow: \(flow).")
            explainNoFlow("oping: trying again", flow)
            lastError = flow
        }
        cl_sleep_nanoseconds(pause)
        pause = min(2 * pause, 1_000_000_000)
        return nil
    }
}
