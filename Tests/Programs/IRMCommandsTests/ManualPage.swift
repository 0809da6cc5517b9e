// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation

/// Files of the repository that a table of ours is compared with.
enum Repository {
    static func text(_ path: String) throws -> String {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
}

/// A manual page as text to be compared: macros are taken for what they print, letters are small, and blanks do not count.
struct ManualPage {
    private let lines: [String]

    init(_ name: String) throws {
        lines = try Repository.text("man/\(name)").components(separatedBy: "\n")
    }

    /// What the page says after a line, piece by piece. A piece begins with a line that begins so.
    func pieces(of section: String, beginningWith macro: String) -> [String] {
        let name = section.prefix(3)
        let body = lines.drop { $0 != section }.dropFirst().prefix { !$0.hasPrefix(name) }
        var pieces: [String] = []
        for line in body {
            if line == macro || line.hasPrefix(macro + " ") {
                pieces.append(ManualPage.plain(line))
            } else if !pieces.isEmpty {
                pieces[pieces.count - 1] += ManualPage.plain(line)
            }
        }
        return pieces
    }

    /// The lines that begin so.
    func lines(beginningWith macro: String) -> [String] {
        lines.filter { $0.hasPrefix(macro + " ") }.map(ManualPage.plain)
    }

    static func plain(_ line: String) -> String {
        let text = line.replacingOccurrences(of: "\\-", with: "-").replacingOccurrences(of: "\\&", with: "")
        guard text.hasPrefix(".") else { return compared(text) }
        var end = ""
        let words = text.dropFirst().split(separator: " ").map { word in
            switch word {
            case "Oo", "Op", "Bro":
                if word == "Op" { end += "]" }
                return word == "Bro" ? "{" : "["
            case "Oc": return "]"
            case "Brc": return "}"
            case "Fl": return "-"
            case "Nm", "It", "Cm", "Ar", "Li", "Ns", "Pf", "Xr", "Ic", "Pp", "El": return ""
            default: return String(word)
            }
        }
        return compared(words.joined() + end)
    }

    static func compared(_ text: String) -> String { text.lowercased().filter { !$0.isWhitespace } }
}
