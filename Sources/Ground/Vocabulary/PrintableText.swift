// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Text of others - names, paths, messages - fit for a terminal, a table or a log, where it shall look like nothing
/// but itself: one line, in one direction, without what cannot be seen. Different bytes make different texts.
///
/// Escaped are `\` itself (`\\`), control characters of ASCII and bytes that are not UTF-8 (`\xHH`), and `\uHHHH` or
/// `\UHHHHHHHH`: other control characters, line separators, what turns the direction, what has no width or no glyph,
/// blanks other than the blank, a mark with nothing to combine with, and what Unicode has not assigned or leaves to
/// private use. Between `$'` and `'` in a shell the same bytes come back; a `'` of the text needs a `\` there.
package func printable(_ bytes: some Sequence<UInt8>) -> String { escaped(Array(bytes), escapingBackslash: true) }

/// The same for a sentence in which names are escaped already, as irmd and IPCPs send them: a `\` stays.
package func printable(sentence bytes: some Sequence<UInt8>) -> String {
    escaped(Array(bytes), escapingBackslash: false)
}

private func escaped(_ bytes: [UInt8], escapingBackslash: Bool) -> String {
    var text = ""
    var decoder = Unicode.UTF8.ForwardParser()
    var position = 0
    var rest = bytes[...].makeIterator()
    while true {
        switch decoder.parseScalar(from: &rest) {
        case .valid(let encoded):
            let scalar = Unicode.UTF8.decode(encoded)
            append(scalar, to: &text, isFirst: position == 0, escapingBackslash: escapingBackslash)
            position += encoded.count
        case .error(let length):
            for byte in bytes[position..<position + length] { text += "\\x" + hexadecimal([byte]) }
            position += length
        case .emptyInput: return text
        }
    }
}

private func append(_ scalar: Unicode.Scalar, to text: inout String, isFirst: Bool, escapingBackslash: Bool) {
    if scalar == "\\" {
        text += escapingBackslash ? "\\\\" : "\\"
    } else if scalar.value >= 0x20, scalar.value < 0x7f {
        text.unicodeScalars.append(scalar)
    } else if scalar.isASCII {
        text += "\\x" + hexadecimal([UInt8(truncatingIfNeeded: scalar.value)])
    } else if !scalar.isPlain || isFirst && scalar.isMark {
        text += escape(scalar)
    } else {
        text.unicodeScalars.append(scalar)
    }
}

private func escape(_ scalar: Unicode.Scalar) -> String {
    let value = scalar.value
    let low = [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    guard value > 0xffff else { return "\\u" + hexadecimal(low) }
    return "\\U" + hexadecimal([0, UInt8(truncatingIfNeeded: value >> 16)] + low)
}

extension Unicode.Scalar {
    /// Seen as itself, and nothing that changes how its neighbours are seen. JSON escapes the others too.
    package var isPlain: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: self == " "
        // Fillers and variation selectors are letters and marks that nobody sees.
        default: !properties.isDefaultIgnorableCodePoint
        }
    }

    fileprivate var isMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}
