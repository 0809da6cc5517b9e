// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A system call that failed, with its name: for those who have to find out what forbids it.
package struct RefusedCall: Error, Hashable, Sendable, CustomStringConvertible {
    package let call: String
    package let failure: Failure

    package init(_ call: String, _ failure: Failure) {
        self.call = call
        self.failure = failure
    }

    package var description: String { "\(call): \(failure)" }

    /// Runs the body, whose one system call is this.
    package static func named<Result: ~Copyable>(
        _ call: String, _ body: () throws(Failure) -> Result
    ) throws(RefusedCall) -> Result {
        do throws(Failure) {
            return try body()
        } catch {
            throw RefusedCall(call, error)
        }
    }
}
