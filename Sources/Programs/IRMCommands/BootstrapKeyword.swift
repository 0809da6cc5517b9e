// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

// The keywords that the table of layer types has.

/// Those of `irm ipcp bootstrap`: the command's own, and all options of layers.
enum BootstrapKeyword: RawRepresentable, Hashable, CaseIterable, Sendable {
    case type, layer, name, autobind
    case option(LayerOption)

    static let allCases: [BootstrapKeyword] =
        [.name, .layer, .type] + LayerOption.allCases.map(BootstrapKeyword.option) + [.autobind]

    init?(rawValue: String) {
        guard let keyword = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = keyword
    }

    var rawValue: String {
        switch self {
        case .type: "type"
        case .layer: "layer"
        case .name: "name"
        case .autobind: "autobind"
        case .option(let option): option.row.word
        }
    }

    static let table = KeywordTable<BootstrapKeyword>(
        shortForms: words(\.shortForms).merging(["l": .layer]) { option, _ in option }, otherWords: words(\.otherWords))

    private static func words(_ list: KeyPath<LayerOptionRow, [String]>) -> [String: BootstrapKeyword] {
        LayerOption.allCases.reduce(into: [:]) { found, option in
            for word in option.row[keyPath: list] { found[word] = .option(option) }
        }
    }
}

extension BootstrapKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .type: .type(.optional)
        case .layer: KeywordForm("layer", "LAYER", .free, "The name of the new layer", .required)
        case .name: KeywordForm("name", "IPCP", .ipcp, "The first member; with a type it is created", .required)
        case .autobind:
            KeywordForm(
                "autobind", nil, .free, KeywordForm.autobind.summary, types: IPCPType.allCases.filter(\.hasEnrolment))
        case .option(let option):
            KeywordForm(
                option.row.word, option.row.kind.argument, option.row.kind.proposed, option.explanation,
                types: option.types)
        }
    }
}

extension LayerOptionKind {
    fileprivate var proposed: ValueKind {
        switch self {
        case .choice(let words, _): .words(words)
        case .path: .file
        case .interface: .interface
        case .number, .hexadecimal, .address, .server: .free
        }
    }
}

/// Types as users write them.
struct TypeKeyword: RawRepresentable, Hashable, CaseIterable, Sendable {
    let type: IPCPType

    static let allCases = IPCPType.allCases.map(TypeKeyword.init(type:))

    init(type: IPCPType) { self.type = type }

    init?(rawValue: String) {
        guard let type = IPCPType.allCases.first(where: { $0.name == rawValue }) else { return nil }
        self.type = type
    }

    var rawValue: String { type.name }

    static let table = KeywordTable<TypeKeyword>(
        shortForms: allCases.reduce(into: [:]) { found, keyword in
            for name in keyword.type.row.otherNames { found[name] = keyword }
        })
}
