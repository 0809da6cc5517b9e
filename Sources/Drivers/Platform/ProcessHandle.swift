// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A process, whatever becomes of its pid.
package struct ProcessHandle: ~Copyable {
    private let process: ProcessID
    /// Owns `descriptor`.
    private let handle: Descriptor?
    /// When the process began, in ticks since the host did: another process of the same number begins later.
    private let beginning: UInt64

    /// Readable when the process is dead. Nil: a sandbox refuses `pidfd_open`, and `isOver` must be asked now and then.
    package let descriptor: Int32?

    /// Throws `noSuchProcess` (ESRCH) if there is none.
    package init(_ process: ProcessID) throws(Failure) {
        let result = cl_pidfd_open(process.rawValue)
        self.process = process
        if result >= 0 {
            descriptor = result
            handle = Descriptor(owning: result)
            beginning = 0
            return
        }
        descriptor = nil
        handle = nil
        switch Failure(result: Int(result)) {
        case Failure(errno: ESRCH): throw Failure(errno: ESRCH)
        case .tooManyDescriptors: throw .tooManyDescriptors
        case .tableFull: throw .tableFull
        case .outOfMemory: throw .outOfMemory
        default: break
        }
        var beginning: UInt64 = 0
        guard cl_process_lives(process.rawValue, &beginning) else { throw Failure(errno: ESRCH) }
        self.beginning = beginning
    }

    /// Takes over a pidfd.
    package init(_ process: ProcessID, owning descriptor: consuming Descriptor) {
        self.process = process
        self.descriptor = descriptor.number
        handle = consume descriptor
        beginning = 0
    }

    /// It has ended, also if nobody has waited for it yet.
    package var isOver: Bool {
        if let descriptor { return cl_is_over(descriptor) }
        var beginning: UInt64 = 0
        return !cl_process_lives(process.rawValue, &beginning) || beginning != self.beginning
    }

    /// Nothing if it is dead already.
    package func signal(_ number: Int32) {
        if let descriptor {
            _ = cl_pidfd_signal(descriptor, number)
        } else if !isOver {
            kill(process.rawValue, number)
        }
    }

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
