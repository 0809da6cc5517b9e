// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// The standard streams of a tool, written at once and not when a buffer is full, so that a log that is a file shows
/// every line when it happens.
package enum Output: Int32, Sendable {
    case standard = 1
    case error = 2

    /// Writes the text as it is. A reader that went away ends the program by SIGPIPE, as with any tool.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Nobody is left to tell if even this fails.
        _ = cl_write_all(rawValue, bytes, bytes.count)
    }

    package func line(_ text: String) { write(text + "\n") }
}
