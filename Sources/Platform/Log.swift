// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The log of a daemon: the system's, or standard output. A line below the level costs nothing, because its text is
/// made only when it is written.
package struct Log: Sendable {
    package enum Destination: Sendable {
        case system
        case standardOutput
    }

    package let level: LogLevel
    private let destination: Destination
    /// IPCPs are told: they have not all of the environment.
    package let isColoured: Bool
    private let prefix: String

    package init(_ destination: Destination, level: LogLevel, colour: Colour = .auto) {
        self.level = level
        self.destination = destination
        isColoured = colour.applies(
            toTerminal: isatty(STDOUT_FILENO) == 1, noColour: environment("NO_COLOR"), kind: environment("TERM"))
        let process = String(getpid())
        prefix = "==" + String(repeating: "0", count: max(0, 5 - process.utf8.count)) + process + "== "
        if case .system = destination { openlog(nil, LOG_PID, LOG_DAEMON) }
    }

    package func write(_ lineLevel: LogLevel, _ component: String, _ text: @autoclosure () -> String) {
        guard lineLevel <= level else { return }
        // Whoever made the text: one line, and no more.
        let text = printable(sentence: text().utf8)
        switch destination {
        case .system: cl_syslog(priority(lineLevel), text)
        case .standardOutput:
            var line = prefix + component + "(" + mark(lineLevel) + "): " + text
            if isColoured, let colour = colour(lineLevel) { line = colour + line + "\u{1b}[0m" }
            line += "\n"
            // One write for a line, so that lines of several daemons do not mix. Where it fails nobody reads.
            _ = Array(line.utf8).withUnsafeBytes { cl_write_all(STDOUT_FILENO, $0.baseAddress, $0.count) }
        }
    }

    private func mark(_ level: LogLevel) -> String {
        switch level {
        case .error: "EE"
        case .warning: "WW"
        case .info: "II"
        case .debug: "DB"
        }
    }

    private func colour(_ level: LogLevel) -> String? {
        switch level {
        case .error: "\u{1b}[31m"
        case .warning: "\u{1b}[33m"
        case .info: "\u{1b}[32m"
        case .debug: nil
        }
    }

    private func priority(_ level: LogLevel) -> Int32 {
        switch level {
        case .error: LOG_ERR
        case .warning: LOG_WARNING
        case .info: LOG_INFO
        case .debug: LOG_DEBUG
        }
    }
}
