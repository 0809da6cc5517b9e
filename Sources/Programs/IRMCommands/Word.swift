// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// One word of a command line: bytes, because names need not be UTF-8.
package struct Word: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(stringLiteral text: String) { bytes = Array(text.utf8) }

    /// To compare with keywords, and for messages.
    package var description: String { printable(bytes) }

    /// As a pattern in which `*` stands for any bytes, also none; nothing else is special.
    package func matches(_ text: [UInt8]) -> Bool {
        let star = UInt8(ascii: "*")
        var pattern = 0
        var position = 0
        // Where to go on when what follows the last star does not fit: one byte further than last time.
        var retry: (pattern: Int, position: Int)?
        while position < text.count {
            if pattern < bytes.count, bytes[pattern] == star {
                retry = (pattern, position)
                pattern += 1
            } else if pattern < bytes.count, bytes[pattern] == text[position] {
                pattern += 1
                position += 1
            } else if let last = retry {
                retry = (last.pattern, last.position + 1)
                pattern = last.pattern + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return bytes[pattern...].allSatisfy { $0 == star }
    }

    package var hasWildcard: Bool { bytes.contains(UInt8(ascii: "*")) }
}

/// The words of a command line that were not looked at yet.
struct Words {
    private var rest: ArraySlice<Word>

    init(_ words: some Sequence<Word>) { rest = ArraySlice(words) }

    var isEmpty: Bool { rest.isEmpty }

    mutating func next() -> Word? { rest.popFirst() }

    /// The next word, if it is of this kind.
    mutating func next(where isMeant: (Word) -> Bool) -> Word? {
        guard let word = rest.first, isMeant(word) else { return nil }
        return rest.popFirst()
    }

    mutating func all() -> [Word] {
        defer { rest = [] }
        return Array(rest)
    }
}
