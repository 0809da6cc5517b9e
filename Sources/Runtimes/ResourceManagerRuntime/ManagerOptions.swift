// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import ToolSupport
import Vocabulary

/// The options of irmd(8).
struct ManagerOptions {
    var toStandardOutput = false
    /// With the time of day in each line.
    var tellsTime = false
    var level = LogLevel.info
    var colour = Colour.auto
    var directory = RuntimeDirectory.ofManager()
    /// A quarter of the memory of this machine.
    var queueBytesPerUser = cl_memory_bytes() / 4

    enum Outcome {
        case run(ManagerOptions)
        /// To be written to standard output.
        case answer([UInt8])
        /// A line for standard error.
        case mistake(String)
    }

    private enum Choice: Sendable { case standardOutput, time, level, colour, directory, queueLimit }

    private static let table = OptionTable<Choice>(
        "irmd",
        synopsis: """
            Usage: irmd [OPTION]...
            The manager of the names, flows and layers of this host; see irmd(8).
            """,
        [
            CommandOption(.standardOutput, nil, "stdout", "Log to standard output instead of the system log"),
            CommandOption(.time, nil, "log-time", "Begin each line on standard output with the time, in UTC"),
            CommandOption(
                .level, nil, "log-level", "What is logged: error, warning, info (default) or debug", argument: "LEVEL",
                value: .words(LogLevel.allCases.map(\.name))),
            CommandOption(
                .colour, nil, "color", "Colours: auto (default; on a capable terminal), always or never",
                argument: "WHEN", value: .words(Colour.allCases.map(\.rawValue))),
            CommandOption(
                .directory, nil, "runtime-dir", "Directory of socket and lock; $OUROBOROS_RUNTIME_DIR by default",
                argument: "DIRECTORY", value: .directory),
            CommandOption(
                .queueLimit, nil, "queue-limit",
                "MiB that may wait in the flows of a user other than root; a quarter of the memory by default",
                argument: "NUMBER"),
        ])

    static func parse(_ words: [[UInt8]]) -> Outcome {
        do throws(OptionTable<Choice>.Mistake) {
            switch try table.read(words) {
            case .answer(let bytes): return .answer(bytes)
            case .given(let given, let operands):
                if let extra = operands.first {
                    throw OptionTable<Choice>.Mistake(message: "Unknown argument: \(printable(extra)).")
                }
                var options = ManagerOptions()
                for option in given { try options.set(option) }
                return .run(options)
            }
        } catch {
            return .mistake(table.line(error.message))
        }
    }

    private mutating func set(_ option: OptionTable<Choice>.Given) throws(OptionTable<Choice>.Mistake) {
        switch option.key {
        case .standardOutput: toStandardOutput = true
        case .time: tellsTime = true
        case .level:
            guard let level = LogLevel(named: option.text) else {
                throw OptionTable<Choice>.Mistake(
                    message: "\"\(option.text)\" is not a log level: use error, warning, info or debug.")
            }
            self.level = level
        case .colour:
            guard let colour = Colour(rawValue: option.text) else {
                throw OptionTable<Choice>.Mistake(
                    message: "\"\(option.text)\" is not a choice of colours: use auto, always or never.")
            }
            self.colour = colour
        case .directory:
            guard !option.value.isEmpty else {
                throw OptionTable<Choice>.Mistake(message: "The path of the runtime directory is empty.")
            }
            directory = option.value
        case .queueLimit:
            guard let mebibytes = UInt64(option.text), mebibytes > 0, mebibytes < 1 << 40 else {
                throw OptionTable<Choice>.Mistake(
                    message: "\"\(option.text)\" is not a number of MiB from 1 to 2^40 - 1.")
            }
            queueBytesPerUser = mebibytes << 20
        }
    }
}
