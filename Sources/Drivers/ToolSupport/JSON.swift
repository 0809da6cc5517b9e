// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A JSON value, for output only. Members keep their order, so that people can read it too. RFC 8259
package indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case natural(UInt64)
    /// What is not finite is written as null, because JSON has no word for it.
    case number(Double)
    /// What is not UTF-8 is replaced by U+FFFD: lone surrogates would keep the bytes, but some readers then refuse the
    /// whole text.
    case string([UInt8])
    case array([JSON])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSON

        package init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    package static func text(_ text: String) -> JSON { .string(Array(text.utf8)) }

    package static func members(_ pairs: KeyValuePairs<String, JSON>) -> JSON {
        .object(pairs.map { Member(name: $0.key, value: $0.value) })
    }

    /// Indented by two blanks a level; short lists stay readable, long ones easy to compare.
    package var text: String {
        var output = ""
        write(to: &output, indentation: "")
        return output
    }

    private func write(to output: inout String, indentation: String) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        case .natural(let value): output += String(value)
        case .number(let value): output += value.isFinite ? "\(value)" : "null"
        case .string(let bytes): output += JSON.quoted(String(decoding: bytes, as: UTF8.self))
        case .array(let elements):
            JSON.write(elements, "[", "]", to: &output, indentation) { element, output, inner in
                element.write(to: &output, indentation: inner)
            }
        case .object(let members):
            JSON.write(members, "{", "}", to: &output, indentation) { member, output, inner in
                output += JSON.quoted(member.name) + ": "
                member.value.write(to: &output, indentation: inner)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, to output: inout String, _ indentation: String,
        _ element: (Element, inout String, String) -> Void
    ) {
        output += opening
        for (index, item) in elements.enumerated() {
            output += index == 0 ? "\n" : ",\n"
            output += indentation + "  "
            element(item, &output, indentation + "  ")
        }
        if !elements.isEmpty { output += "\n" + indentation }
        output += closing
    }

    private static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.isPlain: output.unicodeScalars.append(scalar)
            default: output += scalar.utf16.map(JSON.escape).joined()
            }
        }
        return output + "\""
    }

    /// Also what is no control character: JSON is shown on terminals, too.
    private static func escape(_ unit: UInt16) -> String {
        "\\u" + hexadecimal([UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit)])
    }
}
