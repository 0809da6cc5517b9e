// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// Why a request for a flow failed: a number for programs, and for people irmd's own words if it sent some.
package struct Refusal: Error, Hashable, Sendable {
    package let failure: Failure
    /// irmd's words, fit for a terminal; nil: it sent none, or it was not irmd that refused.
    package let reason: String?

    package init(_ failure: Failure, irmd words: [UInt8] = []) {
        self.failure = failure
        reason = words.isEmpty ? nil : printable(sentence: words)
    }

    /// The reason, or else what the number means, without a full stop.
    package var description: String {
        if let reason { return reason }
        guard failure == .manager else { return failure.description }
        return "no irmd answers at \(RuntimeDirectory.searched()); start one, or name the directory of a running one in"
            + " \(RuntimeDirectory.variable)"
    }
}
