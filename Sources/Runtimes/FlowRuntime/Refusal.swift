// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// Why a request for a flow failed: a number for programs, and for people irmd's own words if it sent some, or the system call that
/// is not allowed here.
package struct Refusal: Error, Hashable, Sendable {
    package let failure: Failure
    /// Fit for a terminal; nil: there is no more to say than the number does.
    package let reason: String?

    package init(_ failure: Failure, irmd words: [UInt8]) {
        self.failure = failure
        reason = words.isEmpty ? nil : printable(sentence: words)
    }

    /// Of this process itself, in the thread in which it happened: a sandbox may refuse a call that is needed.
    package init(_ failure: Failure) {
        self.failure = failure
        reason = RefusedCall.taken().map { "\($0); allow it in the sandbox or container that this program runs in" }
    }

    /// The reason, or else what the number means, without a full stop.
    package var description: String {
        if let reason { return reason }
        guard failure == .manager else { return failure.description }
        return "no irmd answers at \(RuntimeDirectory.searched()); start one, or name the directory of a running one in"
            + " \(RuntimeDirectory.variable)"
    }
}
