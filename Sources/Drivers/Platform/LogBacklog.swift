// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Lines of a log that are not written yet, within bounds, and how many were lost because there was no room.
struct LogBacklog: Sendable {
    struct Line: Sendable {
        let level: LogLevel
        /// Without the newline at its end.
        let bytes: [UInt8]
    }

    private var lines: [Line] = []
    private var bytes = 0
    private var lost = 0

    /// What is grave has room of its own, so that it is not lost for what is not.
    mutating func append(_ line: Line) {
        let share = line.level <= .warning ? 1 : 2
        guard lines.count < Limits.logLines / share, bytes + line.bytes.count <= Limits.logBytes / share else {
            lost += 1
            return
        }
        lines.append(line)
        bytes += line.bytes.count
    }

    /// All that waits, and how many lines were lost behind it.
    mutating func take() -> (lines: [Line], lost: Int) {
        defer {
            lines.removeAll()
            bytes = 0
            lost = 0
        }
        return (lines, lost)
    }

    var isEmpty: Bool { lines.isEmpty && lost == 0 }
}
