// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// What happens when the library is loaded, around fork, and at the end of the process. design: flow-memory §5
package enum LibraryLife {
    /// Before `main`: greets irmd if it is there; waits for nothing and complains of nothing.
    package static func load(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
        FlowProcess.shared.session.begin(program: program(count, arguments))
    }

    /// The process ends by `exit` or by returning from `main`.
    package static func unload() { FlowProcess.shared.finish() }

    package static func prepareFork() {
        FlowProcess.shared.acceptors.prepareFork()
        FlowProcess.shared.session.prepareFork()
        FlowProcess.shared.lock()
    }

    package static func afterForkInParent() {
        FlowProcess.shared.unlock()
        FlowProcess.shared.session.afterForkInParent()
        FlowProcess.shared.acceptors.afterForkInParent()
    }

    package static func afterForkInChild() { FlowProcess.shared.afterForkInChild() }

    /// What irmd is told: the script, if it would only see the interpreter of it. spec: c-api §2
    private static func program(
        _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Limits.programBytes) { buffer, length in
            length = cl_own_program(count, arguments, buffer.baseAddress, buffer.count)
        }
    }
}
