// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The arguments that irmd gives an IPCP: `--name NAME [--stdout] [--log-time] [--log-level LEVEL] [--color WHEN]`.
struct IPCPOptions {
    private(set) var name: String?
    private(set) var toStandardOutput = false
    private(set) var tellsTime = false
    private(set) var level = LogLevel.info
    private(set) var colour = Colour.auto

    /// Nil if they are not that.
    init?(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let option = rest.popFirst() {
            switch option {
            case "--name":
                guard let value = rest.popFirst() else { return nil }
                name = value
            case "--stdout": toStandardOutput = true
            case "--log-time": tellsTime = true
            case "--log-level":
                guard let value = rest.popFirst(), let level = LogLevel(named: value) else { return nil }
                self.level = level
            case "--color":
                guard let value = rest.popFirst(), let colour = Colour(rawValue: value) else { return nil }
                self.colour = colour
            default: return nil
            }
        }
        guard name != nil else { return nil }
    }
}
