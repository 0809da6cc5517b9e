// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// What happens when the library is loaded, around fork, and at the end of the process. design: flow-memory §5
package enum Attachment {
    /// Before `main`: greets irmd if it is there; waits for nothing and complains of nothing.
    package static func load(arguments: [[UInt8]]) {
        FlowProcess.shared.session.begin(program: program(of: arguments))
    }

    /// The process ends by `exit` or by returning from `main`.
    package static func unload() { FlowProcess.shared.finish() }

    package static func prepareFork() {
        FlowProcess.shared.session.prepareFork()
        FlowProcess.shared.lock()
    }

    package static func afterForkInParent() {
        FlowProcess.shared.unlock()
        FlowProcess.shared.session.afterForkInParent()
    }

    package static func afterForkInChild() { FlowProcess.shared.afterForkInChild() }

    package static func deallocate(_ descriptor: Int32) throws(Failure) {
        try FlowProcess.shared.deallocate(descriptor)
    }

    /// See `FlowProcess.keepNumber`.
    package static func keepNumber(_ descriptor: Int32) { FlowProcess.shared.keepNumber(descriptor) }
    package static func releaseNumber(_ descriptor: Int32) { FlowProcess.shared.releaseNumber(descriptor) }

    /// The first argument; behind an interpreter that the kernel would report in its place, the script. spec: c-api §2
    static func program(of arguments: [[UInt8]]) -> [UInt8] {
        guard let first = arguments.first else { return [] }
        // Plain loops: this runs when the library is loaded, where each generic type that is met first costs most.
        var begin = 0
        var end = first.count
        while end > 0, first[end - 1] == UInt8(ascii: "/") { end -= 1 }
        for index in 0..<end where first[index] == UInt8(ascii: "/") { begin = index + 1 }
        let prefix: StaticString = "python"
        var isInterpreter = end - begin >= prefix.utf8CodeUnitCount
        for index in begin..<end where isInterpreter {
            let place = index - begin
            isInterpreter =
                place < prefix.utf8CodeUnitCount
                ? first[index] == prefix.utf8Start[place]
                : first[index] == UInt8(ascii: ".") || (48...57).contains(first[index])
        }
        guard isInterpreter else { return Array(first.prefix(Limits.pathBytes)) }
        let script = arguments.dropFirst().first { $0.first != UInt8(ascii: "-") }
        return Array((script ?? first).prefix(Limits.pathBytes))
    }
}
