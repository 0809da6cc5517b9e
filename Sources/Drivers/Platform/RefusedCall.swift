// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A system call that failed, with its name: for those who have to find out what forbids it.
package struct RefusedCall: Error, Hashable, Sendable, CustomStringConvertible {
    package let call: String
    package let failure: Failure

    package init(_ call: String, _ failure: Failure) {
        self.call = call
        self.failure = failure
    }

    /// As C names calls.
    package init(constant call: UnsafePointer<CChar>?, _ failure: Failure) {
        self.init(call.map { String(cString: $0) } ?? "?", failure)
    }

    /// The last one that was not allowed to this thread; nil: none since the last question.
    package static func taken() -> RefusedCall? {
        var error: Int32 = 0
        return cl_take_refused(&error).map { RefusedCall(constant: $0, Failure(errno: error)) }
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
