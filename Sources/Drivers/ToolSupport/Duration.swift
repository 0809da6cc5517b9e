// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A length of time as users of the tools write it: an integer and a unit. spec: tools §1
package enum WrittenDuration {
    package enum Mistake: Error, Hashable, Sendable {
        case noNumber
        case unknownUnit(String)
    }

    /// Milliseconds: `ms` or no unit; `s`, `m`, `h`, `d`. Saturates.
    package static func milliseconds(_ text: String) throws(Mistake) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { throw .noNumber }
        let number = UInt64(digits) ?? .max
        let factor: UInt64 =
            switch text.dropFirst(digits.count) {
            case "", "ms": 1
            case "s": 1_000
            case "m": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: throw .unknownUnit(String(text.dropFirst(digits.count)))
            }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// A length of time for people, in its two largest units: `3 d 4 h`, `2 min 10 s`, `5 s`.
package func readable(_ span: TimeSpan) -> String {
    let seconds = span.nanoseconds / 1_000_000_000
    let units: [(UInt64, String)] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    var text = "\(seconds / units[first].0) \(units[first].1)"
    if first + 1 < units.count {
        let rest = seconds % units[first].0 / units[first + 1].0
        if rest > 0 { text += " \(rest) \(units[first + 1].1)" }
    }
    return text
}
