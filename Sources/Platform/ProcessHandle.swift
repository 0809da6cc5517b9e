// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A process, whatever becomes of its pid: readable when it is dead.
package struct ProcessHandle: ~Copyable {
    package let descriptor: Descriptor

    /// Throws `noSuchProcess` (ESRCH) if there is none.
    package init(_ process: ProcessID) throws(Failure) {
        let result = cl_pidfd_open(process.rawValue)
        guard result >= 0 else { throw Failure(result: Int(result)) }
        descriptor = Descriptor(owning: result)
    }

    /// Takes over a pidfd.
    package init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// It has ended, also if nobody has waited for it yet.
    package var isOver: Bool { cl_is_over(descriptor.number) }

    /// Nothing if it is dead already.
    package func signal(_ number: Int32) { _ = cl_pidfd_signal(descriptor.number, number) }

    package enum Ending: Sendable {
        case exited(Int32)
        case killed(Int32)

        fileprivate init(_ status: Int32) {
            self = cl_exited(status) ? .exited(cl_exit_status(status)) : .killed(cl_termination_signal(status))
        }
    }

    /// How a child of ours ended; nil if it has not, or is no child.
    package static func reap(_ process: ProcessID) -> Ending? {
        var status: Int32 = 0
        guard cl_reap(process.rawValue, &status) > 0 else { return nil }
        return Ending(status)
    }

    /// Any child that has ended, also one that became ours because its parent died; nil if there is none.
    package static func reapAny() -> (process: ProcessID, ending: Ending)? {
        var status: Int32 = 0
        let process = cl_reap(-1, &status)
        return process > 0 ? (ProcessID(process), Ending(status)) : nil
    }
}
