// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowRuntime

/// What must happen once in a process that uses flows. A Swift library has no constructor, so the first use of a flow, a
/// listener or a set does it: greets irmd without waiting, prepares for fork, and sees to it that peers are told when the
/// process ends normally. design: flow-memory §5
enum ProcessAttachment {
    private static let hasBegun: Bool = {
        _ = pthread_atfork(
            { LibraryLife.prepareFork() }, { LibraryLife.afterForkInParent() }, { LibraryLife.afterForkInChild() })
        _ = atexit { LibraryLife.unload() }
        LibraryLife.load(CommandLine.argc, CommandLine.unsafeArgv)
        return true
    }()

    static func begin() { _ = hasBegun }
}
