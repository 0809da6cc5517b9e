// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Why a management request failed: a number for programs, and for people a sentence that says what to do.
package struct ManagementError: Error, Hashable, Sendable {
    package let failure: Failure
    package let reason: String

    package init(_ failure: Failure, reason: String) {
        self.failure = failure
        self.reason = reason
    }

    /// Without a better reason than the number's own.
    package init(_ failure: Failure) { self.init(failure, reason: failure.description + ".") }
}
