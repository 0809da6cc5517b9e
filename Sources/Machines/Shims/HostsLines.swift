// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The lines of a hosts file and their words, as any editor of any system leaves them: a byte order mark in front, lines
/// that end with LF, CR LF or CR, blanks that look like one or like nothing at all.
struct HostsLines<Text: Collection<UInt8>> {
    private let text: Text
    private var position: Text.Index
    /// From 1.
    private var number = 0

    init(_ text: Text) {
        self.text = text
        position = text.startIndex
        if text.starts(with: [0xef, 0xbb, 0xbf]) { position = text.index(text.startIndex, offsetBy: 3) }
    }

    /// A byte order mark of UTF-16, of either order.
    var isSixteen: Bool { text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff]) }

    /// The words of the next line, without its comment; nil at the end.
    mutating func next() -> (number: Int, words: [Text.SubSequence])? {
        guard position < text.endIndex else { return nil }
        number += 1
        var words: [Text.SubSequence] = []
        var start: Text.Index?
        var isComment = false
        while position < text.endIndex, text[position] != UInt8(ascii: "\n"), text[position] != UInt8(ascii: "\r") {
            if text[position] == UInt8(ascii: "#") { isComment = true }
            let blank = isComment ? 1 : blankBytes
            if blank > 0, let begun = start {
                words.append(text[begun..<position])
                start = nil
            } else if blank == 0, start == nil {
                start = position
            }
            position = text.index(position, offsetBy: max(blank, 1))
        }
        if let start { words.append(text[start..<position]) }
        endLine()
        return (number, words)
    }

    private mutating func endLine() {
        guard position < text.endIndex else { return }
        let isReturn = text[position] == UInt8(ascii: "\r")
        position = text.index(after: position)
        if isReturn, position < text.endIndex, text[position] == UInt8(ascii: "\n") {
            position = text.index(after: position)
        }
    }

    /// Of the blank that begins here; 0: none. White space of Unicode in UTF-8, and what has no width: U+200B, U+2060,
    /// U+FEFF. Joiners are not among them: languages need them inside words.
    private var blankBytes: Int {
        switch text[position] {
        case UInt8(ascii: " "), 0x09, 0x0b, 0x0c: return 1
        case 0xc2:
            // U+0085, U+00A0
            return [0x85, 0xa0].contains(byte(1)) ? 2 : 0
        case 0xe1: return byte(1) == 0x9a && byte(2) == 0x80 ? 3 : 0
        case 0xe2:
            switch (byte(1), byte(2)) {
            // U+2000 to U+200B, U+2028, U+2029, U+202F; U+205F, U+2060
            case (0x80, 0x80...0x8b), (0x80, 0xa8), (0x80, 0xa9), (0x80, 0xaf), (0x81, 0x9f), (0x81, 0xa0): return 3
            default: return 0
            }
        case 0xe3: return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0
        case 0xef: return byte(1) == 0xbb && byte(2) == 0xbf ? 3 : 0
        default: return 0
        }
    }

    /// The byte so far behind; 0 beyond the end.
    private func byte(_ offset: Int) -> UInt8 {
        guard let index = text.index(position, offsetBy: offset, limitedBy: text.endIndex), index < text.endIndex else {
            return 0
        }
        return text[index]
    }
}
