// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A command line of bash up to the cursor, taken apart as bash would: quotes and backslashes are understood, nothing is
/// expanded. What is proposed goes on where the user has stopped, in the same quotes, so that it means itself.
package struct BashLine: Sendable {
    private enum Quoting: Sendable { case none, single, double, dollar }

    /// Behind the name of the program; the last is the one to complete.
    package private(set) var words: [[UInt8]] = []
    private var quoting = Quoting.none
    /// Of what readline replaces, what is complete.
    private var typed: [UInt8] = []
    /// An escape at the end that is not complete, and stands for nothing yet: several proposals may go on alike up to there,
    /// and readline types what is alike.
    private var unfinished: [UInt8] = []

    /// What readline replaces: the last word as it was typed, behind the quote that is open or behind the last character
    /// at which readline divides words.
    package var replaced: [UInt8] { typed + unfinished }

    /// Of an escape between `$'` and `'`, by its letter.
    private static let mostDigits = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
    /// As in bash without a change of COMP_WORDBREAKS.
    private static let breaks = Set(" \t\n\"'@><=;|&(:".utf8)

    package init(_ line: [UInt8]) {
        var rest = line[...]
        var word: [UInt8]? = nil
        while let byte = rest.popFirst() {
            switch (quoting, Character(Unicode.Scalar(byte))) {
            case (.none, " "), (.none, "\t"), (.none, "\n"):
                if let word { words.append(word) }
                (word, typed) = (nil, [])
            case (.none, "$") where rest.first == UInt8(ascii: "'"):
                rest.removeFirst()
                open(.dollar, &word)
            case (.none, "'"): open(.single, &word)
            case (.none, "\""): open(.double, &word)
            case (.single, "'"), (.dollar, "'"), (.double, "\""): close(byte)
            case (.none, "\\"), (.double, "\\"), (.dollar, "\\"): escape(&rest, &word)
            default:
                word = (word ?? []) + [byte]
                typed = quoting == .none && BashLine.breaks.contains(byte) ? [] : typed + [byte]
            }
        }
        words = Array((words + [word ?? []]).dropFirst())
    }

    private mutating func open(_ quoting: Quoting, _ word: inout [UInt8]?) {
        self.quoting = quoting
        word = word ?? []
        typed = []
    }

    /// What was in the quotes is no longer what readline replaces, as a quote divides words.
    private mutating func close(_ quote: UInt8) {
        quoting = .none
        typed = []
    }

    private mutating func escape(_ rest: inout ArraySlice<UInt8>, _ word: inout [UInt8]?) {
        word = word ?? []
        let begin = rest
        guard let byte = rest.popFirst() else {
            unfinished = [UInt8(ascii: "\\")]
            return
        }
        if quoting == .dollar, let most = BashLine.mostDigits[byte] {
            let digits = rest.prefix(most).prefix { Character(Unicode.Scalar($0)).isHexDigit }
            if digits.count == rest.count, digits.count < most {
                unfinished = [UInt8(ascii: "\\")] + begin
                rest = []
                return
            }
        }
        typed += [UInt8(ascii: "\\"), byte]
        switch quoting {
        case .none: word = (word ?? []) + [byte]
        case .double:
            let isSpecial = "$`\"\\".utf8.contains(byte)
            word = (word ?? []) + (isSpecial ? [byte] : [UInt8(ascii: "\\"), byte])
        case .dollar, .single: word = (word ?? []) + (dollarEscape(byte, &rest) ?? [UInt8(ascii: "\\"), byte])
        }
    }

    private mutating func dollarEscape(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        switch Character(Unicode.Scalar(kind)) {
        case "n": return [0x0a]
        case "t": return [0x09]
        case "r": return [0x0d]
        case "e", "E": return [0x1b]
        case "\\", "'", "\"": return [kind]
        default: break
        }
        guard let most = BashLine.mostDigits[kind] else { return nil }
        let digits = rest.prefix(most).prefix { Character(Unicode.Scalar($0)).isHexDigit }
        rest = rest.dropFirst(digits.count)
        typed += digits
        guard let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
        if most == 2 { return [UInt8(truncatingIfNeeded: value)] }
        return Unicode.Scalar(value).map { Array(String(Character($0)).utf8) }
    }

    /// What is put in the place of what was typed, so that the word becomes this one; nil if it does not begin so.
    package func replacement(by candidate: [UInt8]) -> [UInt8]? {
        let begun = words.last ?? []
        guard candidate.starts(with: begun) else { return nil }
        let rest = Array(candidate.dropFirst(begun.count))
        // A dash or a tilde at the beginning, or an empty word, are what they are.
        let added = quoting == .none ? BashLine.quoted(rest, isWhole: begun.isEmpty) : inQuotes(rest)
        return added.starts(with: unfinished) ? typed + added : nil
    }

    /// For the outside of quotes.
    package static func quoted(_ bytes: [UInt8], isWhole: Bool = true) -> [UInt8] {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,%^".utf8)
        return pieces(bytes).flatMap { piece in
            switch piece {
            case .shown(let bytes):
                bytes.flatMap { plain.contains($0) || $0 >= 0x80 ? [$0] : [UInt8(ascii: "\\"), $0] }
            case .escaped(let bytes): Array("$'".utf8) + hexadecimalEscapes(bytes) + [UInt8(ascii: "'")]
            }
        }
    }

    private func inQuotes(_ bytes: [UInt8]) -> [UInt8] {
        BashLine.pieces(bytes).flatMap { piece -> [UInt8] in
            switch (piece, quoting) {
            case (.shown(let bytes), .double):
                // An exclamation mark in double quotes is history, whatever stands before it.
                bytes.flatMap { byte in
                    byte == UInt8(ascii: "!")
                        ? Array("\"'!'\"".utf8)
                        : "$`\"\\".utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte]
                }
            case (.shown(let bytes), .dollar):
                bytes.flatMap { "'\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
            case (.shown(let bytes), _):
                bytes.flatMap { $0 == UInt8(ascii: "'") ? Array("'\\''".utf8) : [$0] }
            case (.escaped(let bytes), .double): Array("\"$'".utf8) + hexadecimalEscapes(bytes) + Array("'\"".utf8)
            case (.escaped(let bytes), .dollar): hexadecimalEscapes(bytes)
            case (.escaped(let bytes), _): Array("'$'".utf8) + hexadecimalEscapes(bytes) + Array("''".utf8)
            }
        }
    }

    private enum Piece {
        case shown([UInt8])
        /// What must not reach a terminal, or cannot stand behind a backslash.
        case escaped([UInt8])
    }

    private static func pieces(_ bytes: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = bytes[...].makeIterator()
        var position = 0
        while true {
            let length: Int
            var isShown = false
            switch decoder.parseScalar(from: &rest) {
            case .valid(let encoded):
                length = encoded.count
                isShown = Unicode.UTF8.decode(encoded).isPlain
            case .error(let bad): length = bad
            case .emptyInput: return pieces
            }
            let part = Array(bytes[position..<position + length])
            position += length
            switch pieces.last {
            case .shown(let before) where isShown: pieces[pieces.count - 1] = .shown(before + part)
            case .escaped(let before) where !isShown: pieces[pieces.count - 1] = .escaped(before + part)
            default: pieces.append(isShown ? .shown(part) : .escaped(part))
            }
        }
    }
}

/// Of bytes and not of characters: those depend on the locale of the shell.
private func hexadecimalEscapes(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { Array("\\x".utf8) + Array(hexadecimal([$0]).utf8) }
}
