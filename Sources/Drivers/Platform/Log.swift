// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The log of a daemon: the system's, or standard output. A line below the level costs nothing, because its text is
/// made only when it is written; and no line makes the daemon wait (`LogWriter`).
package struct Log: Sendable {
    package enum Destination: Sendable {
        case system
        /// With the time of day before each line, if it `tellsTime`.
        case standardOutput(tellsTime: Bool)
    }

    package let level: LogLevel
    private let destination: Destination
    private let format: LogFormat
    private let writer: LogWriter
    private let hasThread: Bool

    /// `program` is its name in the system's log; `speaker` begins each text, for one of several that are alike.
    package init(
        _ destination: Destination, level: LogLevel, program: String, speaker: String? = nil, colour: Colour = .auto
    ) {
        let format = LogFormat(destination, program: program, speaker: speaker, colour)
        self.level = level
        self.destination = destination
        self.format = format
        let sink: LogWriter.Sink =
            switch destination {
            case .system: .system
            case .standardOutput: .descriptor(STDOUT_FILENO)
            }
        writer = LogWriter(sink) { lost in
            format.line(
                .warning, "log", ProcessID(getpid()), Log.text(ofLost: lost))
        }
        hasThread = writer.start()
    }

    /// What the log says of lines that it could not write: nobody read the log fast enough. spec: irmd §3
    static func text(ofLost lines: Int) -> String {
        let what = lines == 1 ? "1 line of the log was" : "\(lines) lines of the log were"
        return "\(what) lost: the reader of the log was too slow."
    }

    package func write(_ lineLevel: LogLevel, _ component: String, _ text: @autoclosure () -> String) {
        write(lineLevel, component, of: ProcessID(getpid()), text())
    }

    /// What another process says, which has no log of its own.
    package func write(
        _ lineLevel: LogLevel, _ component: String, of process: ProcessID, _ text: @autoclosure () -> String
    ) {
        guard lineLevel <= level else { return }
        writer.append(format.line(lineLevel, component, process, text()))
        if !hasThread { writer.writeNow() }
    }

    /// The last chance of lines that are not written yet, before the process ends.
    package func finish() {
        if hasThread { writer.finish(by: Clock.now() + Limits.logPatience) }
    }

    /// IPCPs are told: they have not all of the environment.
    package var isColoured: Bool { format.isColoured }

    /// Whether what is written now reaches nobody: there is no system log.
    package var isDeaf: Bool {
        if case .system = destination { access("/dev/log", F_OK) != 0 } else { false }
    }
}

/// How lines look.
struct LogFormat: Sendable {
    private let destination: Log.Destination
    private let program: String
    private let speaker: String?
    let isColoured: Bool

    init(_ destination: Log.Destination, program: String, speaker: String?, _ colour: Colour = .auto) {
        self.destination = destination
        self.program = program
        self.speaker = speaker
        isColoured = colour.applies(
            toTerminal: isatty(STDOUT_FILENO) == 1, noColour: environment("NO_COLOR"), kind: environment("TERM"))
    }

    func line(_ level: LogLevel, _ component: String, _ process: ProcessID, _ text: String) -> LogBacklog.Line {
        // Whoever made the text: one line, and no more.
        var text = printable(sentence: text.utf8)
        if let speaker { text = "\(speaker): " + text }
        let before: String
        var after = ""
        switch destination {
        case .system:
            let isOurs = process.rawValue == getpid()
            before = systemHead(level) + (isOurs ? "" : "\(component)[\(process)]: ")
        case .standardOutput(let tellsTime):
            let colour = isColoured ? colour(level) : nil
            if colour != nil { after = "\u{1b}[0m" }
            before =
                (colour ?? "") + (tellsTime ? time() + " " : "") + "==" + padded(process) + "== " + component
                + "(" + mark(level) + "): "
        }
        return LogBacklog.Line(level: level, bytes: cut(Array(before.utf8), Array(text.utf8), Array(after.utf8)))
    }

    /// A line has a length that is written in one piece, with the newlines around it.
    private func cut(_ before: [UInt8], _ text: [UInt8], _ after: [UInt8]) -> [UInt8] {
        let room = max(0, Limits.logLineBytes - 2 - before.count - after.count)
        guard text.count > room else { return before + text + after }
        let ellipsis = Array("...".utf8)
        var end = max(0, room - ellipsis.count)
        // Not within a character.
        while end > 0, text[end] & 0xc0 == 0x80 { end -= 1 }
        return before + text.prefix(end) + ellipsis + after
    }

    private func padded(_ process: ProcessID) -> String {
        let digits = "\(process)"
        return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
    }

    private func time() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            let count = cl_time_text(text.baseAddress, text.count)
            return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private func systemHead(_ level: LogLevel) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
            let count = cl_system_log_head(text.baseAddress, text.count, priority(level) | LOG_DAEMON, program)
            return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
