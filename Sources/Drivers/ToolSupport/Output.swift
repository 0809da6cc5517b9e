// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The standard streams of a tool, written at once and not when a buffer is full, so that a log that is a file shows
/// every line when it happens.
package enum Output: Int32, Sendable {
    case standard = 1
    case error = 2

    /// Writes the text as it is. What cannot be written was not done: the program ends with a word and status 1. A
    /// reader that went away ends it by SIGPIPE, as with any tool, unless that is ignored.
    package func write(_ text: String) { write(bytes: Array(text.utf8)) }

    package func write(bytes: [UInt8]) {
        let result = cl_write_output(rawValue, bytes, bytes.count)
        guard result != 0, self == .standard else { return }  // nobody is left to tell if standard error fails
        Output.fail(-result)
    }

    package func line(_ text: String) { write(text + "\n") }

    /// Ends the program. Some devices say only now that they are full.
    package static func end(_ status: Int32) -> Never {
        if close(Output.standard.rawValue) != 0, cl_errno() != EBADF { fail(cl_errno()) }
        exit(status)
    }

    /// At once, whatever other threads are doing: irmd takes back what this process has.
    private static func fail(_ error: Int32) -> Never {
        let program = commandLineWords().first.map { printable($0.split(separator: UInt8(ascii: "/")).last ?? []) }
        Output.error.line("\(program ?? "?"): standard output: \(String(cString: cl_error_text(error)))")
        _exit(1)
    }
}
