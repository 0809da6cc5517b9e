// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// A list of lines with columns, right aligned in frames of `+`, `-` and `|`. A value that is too long for its column
/// widens its own line, as `irm` of the prototype has it. spec: irm-cli §2 list
package struct FramedTable: Sendable {
    private let columns: [(title: String, width: Int)]
    private var lines: [[String]] = []

    package init(_ columns: [(title: String, width: Int)]) { self.columns = columns }

    package mutating func append(_ values: [String]) { lines.append(values) }

    package var text: String {
        let frame = "+" + columns.map { String(repeating: "-", count: $0.width + 2) + "+" }.joined() + "\n"
        return frame + line(columns.map(\.title)) + frame + lines.map(line).joined() + frame
    }

    private func line(_ values: [String]) -> String {
        "|" + zip(columns, values).map { " " + right($1, width: $0.width) + " |" }.joined() + "\n"
    }
}

/// Columns that are as wide as their widest value, numbers to the right, without frames: for people at a terminal.
package struct PlainTable: Sendable {
    package enum Alignment: Sendable { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var lines: [[String]] = []

    package init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

    package mutating func append(_ values: [String]) { lines.append(values) }

    package func text(indentation: String = "") -> String {
        let all = [columns.map(\.title)] + lines
        let widths = columns.indices.map { column in all.map { columnsOnTerminal($0[column]) }.max() ?? 0 }
        return all.map { values in
            var line = indentation
            for (column, value) in values.enumerated() {
                if column > 0 { line += "  " }
                line +=
                    columns[column].alignment == .left
                    ? left(value, width: widths[column])
                    : right(value, width: widths[column])
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

/// The columns that text takes on a terminal: two for each wide character, none for one that combines.
package func columnsOnTerminal(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + Int(cl_character_width($1.value)) }
}

/// The text with blanks in front, up to `width` columns.
package func right(_ text: String, width: Int) -> String {
    String(repeating: " ", count: max(0, width - columnsOnTerminal(text))) + text
}

/// The text with blanks behind it, up to `width` columns.
package func left(_ text: String, width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - columnsOnTerminal(text)))
}

/// A number with exactly so many decimals, rounded; `NaN` for what is no number.
package func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded(.toNearestOrEven)
    guard scaled < 9e18 else { return "\(value)" }
    let digits = String(UInt64(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return sign + padded.dropLast(decimals) + (decimals > 0 ? "." + padded.suffix(decimals) : "")
}
