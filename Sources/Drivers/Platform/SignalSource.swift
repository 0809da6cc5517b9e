// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Signals as something to be read, instead of something that interrupts.
package struct SignalSource: ~Copyable {
    package let descriptor: Descriptor

    /// The signals that ask a daemon to end.
    package static let ending: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// To be called before any thread is started: they inherit that the signals are blocked.
    package init(_ signals: [Int32]) throws(RefusedCall) {
        _ = RefusedCall.taken()
        let result = cl_signalfd(signals, Int32(signals.count))
        guard result >= 0 else { throw RefusedCall.taken() ?? RefusedCall("signalfd", Failure(result: Int(result))) }
        descriptor = Descriptor(owning: result)
    }

    /// The next signal that came; nil if there is none.
    package func next() -> Int32? {
        let signal = cl_signalfd_read(descriptor.number)
        return signal > 0 ? signal : nil
    }
}
