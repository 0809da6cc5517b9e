// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

/// What usage texts and completion have to know of a keyword, or of what stands first without one.
package struct KeywordForm: Hashable, Sendable {
    package enum Need: Hashable, Sendable { case required, optional, repeated }

    /// As users write it; empty for what stands without a keyword.
    package let word: String
    /// What stands for its value in the usage text; nil if it has none.
    package let argument: String?
    package let value: ValueKind
    package let summary: String
    package let need: Need
    /// Types of layers to which it means something; nil: it is no option of a layer.
    package let types: [IPCPType]?

    init(
        _ word: String, _ argument: String?, _ value: ValueKind, _ summary: String, _ need: Need = .optional,
        types: [IPCPType]? = nil
    ) {
        self.word = word
        self.argument = argument
        self.value = value
        self.summary = summary
        self.need = need
        self.types = types
    }

    /// As in a usage text: the keyword and its value.
    package var text: String { [word, argument ?? ""].filter { !$0.isEmpty }.joined(separator: " ") }

    var synopsis: String {
        switch need {
        case .required: text
        case .optional, .repeated: "[\(text)]"
        }
    }
}

/// The keywords of a command: each knows its form, and so a new one is in the usage text and in completion.
protocol FormedKeyword: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    static var table: KeywordTable<Self> { get }
    var form: KeywordForm { get }
}

/// The keywords of one command, whatever their type.
struct KeywordForms: Sendable {
    let all: [KeywordForm]
    /// The keyword that a word stands for.
    let find: @Sendable (Word) -> KeywordForm?

    static let none = KeywordForms(all: [], find: { _ in nil })

    init<Keyword: FormedKeyword>(_ keyword: Keyword.Type) {
        self.init(all: Keyword.allCases.map(\.form)) { word in
            guard case .known(let keyword) = Keyword.table.resolve(word) else { return nil }
            return keyword.form
        }
    }

    private init(all: [KeywordForm], find: @escaping @Sendable (Word) -> KeywordForm?) {
        self.all = all
        self.find = find
    }
}
