// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// How much a line of the log matters; a log that is set to a level shows that level and the more serious ones.
package enum LogLevel: UInt8, Comparable, Sendable, CaseIterable {
    /// Somebody must act.
    case error = 0
    /// An odd peer; we cope.
    case warning = 1
    /// The life of daemons, layers, names and processes.
    case info = 2
    /// Control messages: each flow.
    case debug = 3

    /// As users write it.
    package var name: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        case .debug: "debug"
        }
    }

    package init?(named name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
