// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Words that a command knows in one place of its grammar; those of layers are in BootstrapKeyword. Every prefix that only one of them has stands for it.
package struct KeywordTable<Keyword: RawRepresentable<String> & CaseIterable & Hashable & Sendable>: Sendable {
    /// Prefixes of several words that the prototype's documentation uses. spec: irm-cli §1, §2 bootstrap
    private let shortForms: [String: Keyword]
    /// Further words for a keyword, which can be cut short as well.
    private let otherWords: [String: Keyword]
    /// Words without abbreviations, so that they leave those of others alone.
    private let inFullOnly: Set<Keyword>

    init(
        shortForms: [String: Keyword] = [:], otherWords: [String: Keyword] = [:], inFullOnly: Set<Keyword> = []
    ) {
        self.shortForms = shortForms
        self.otherWords = otherWords
        self.inFullOnly = inFullOnly
    }

    enum Resolution: Equatable {
        case known(Keyword)
        case ambiguous([String])
        case unknown
    }

    func resolve(_ word: Word) -> Resolution {
        let text = word.description
        if let exact = Keyword(rawValue: text) { return .known(exact) }
        if let exact = shortForms[text] ?? otherWords[text] { return .known(exact) }
        let others = Set(otherWords.filter { $0.key.hasPrefix(text) }.values)
        let candidates = Keyword.allCases.filter { keyword in
            !text.isEmpty && !inFullOnly.contains(keyword)
                && (keyword.rawValue.hasPrefix(text) || others.contains(keyword))
        }
        switch candidates.count {
        case 0: return .unknown
        case 1: return .known(candidates[candidates.startIndex])
        default: return .ambiguous(candidates.map(\.rawValue))
        }
    }
}

enum ObjectKeyword: String, CaseIterable, Sendable {
    case ipcp, bind, unbind, name, flow, status, help
    /// Forms of older tutorials: `irm register name N layer L`.
    case register, unregister

    static let table = KeywordTable<ObjectKeyword>(inFullOnly: [.register, .unregister])
}

enum IPCPVerb: String, CaseIterable, Sendable {
    case create, destroy, bootstrap, enroll, connect, disconnect, list, help

    static let table = KeywordTable<IPCPVerb>(shortForms: ["c": .create, "d": .destroy])
}

enum NameVerb: String, CaseIterable, Sendable {
    case create, set, destroy, register, unregister, list, help

    static let table = KeywordTable<NameVerb>()
}

enum BindVerb: String, CaseIterable, Sendable {
    case program, process, ipcp, list, help

    static let table = KeywordTable<BindVerb>(shortForms: ["p": .program, "pr": .program])
}

enum UnbindVerb: String, CaseIterable, Sendable {
    case program, process, ipcp, help

    static let table = KeywordTable<UnbindVerb>(shortForms: ["p": .program, "pr": .program])
}

enum FlowVerb: String, CaseIterable, Sendable {
    case list, show, destroy, help

    static let table = KeywordTable<FlowVerb>()
}

enum CreateKeyword: String, CaseIterable, Sendable {
    case name, type

    static let table = KeywordTable<CreateKeyword>()
}

enum StatusKeyword: String, CaseIterable, Sendable {
    case json = "--json"

    static let table = KeywordTable<StatusKeyword>(inFullOnly: [.json])
}

enum DestroyKeyword: String, CaseIterable, Sendable {
    case name

    static let table = KeywordTable<DestroyKeyword>()
}

enum BindKeyword: String, CaseIterable, Sendable {
    case name

    static let table = KeywordTable<BindKeyword>()
}

enum NameKeyword: String, CaseIterable, Sendable {
    case name

    static let table = KeywordTable<NameKeyword>()
}

enum EnrollKeyword: String, CaseIterable, Sendable {
    case name, layer, dst, type, autobind

    static let table = KeywordTable<EnrollKeyword>()
}

enum ConnectKeyword: String, CaseIterable, Sendable {
    case name, dst, component, qos

    static let table = KeywordTable<ConnectKeyword>()
}

enum DisconnectKeyword: String, CaseIterable, Sendable {
    case name, dst, component

    static let table = KeywordTable<DisconnectKeyword>()
}

enum IPCPFilterKeyword: String, CaseIterable, Sendable {
    case name, layer, type
    case long = "--long"
    case json = "--json"

    static let table = KeywordTable<IPCPFilterKeyword>(shortForms: ["-l": .long], inFullOnly: [.json, .long])
}

enum NameFilterKeyword: String, CaseIterable, Sendable {
    case name
    case long = "--long"
    case json = "--json"

    static let table = KeywordTable<NameFilterKeyword>(shortForms: ["-l": .long], inFullOnly: [.json, .long])
}

enum BindingFilterKeyword: String, CaseIterable, Sendable {
    case name
    case json = "--json"

    static let table = KeywordTable<BindingFilterKeyword>(inFullOnly: [.json])
}

enum SetNameKeyword: String, CaseIterable, Sendable {
    case balancing = "lb"
    case wait

    static let table = KeywordTable<SetNameKeyword>()
}

enum CreateNameKeyword: String, CaseIterable, Sendable {
    case balancing = "lb"
    case wait
    case sencpath, scrtpath, skeypath, cencpath, ccrtpath, ckeypath

    static let table = KeywordTable<CreateNameKeyword>()
}

enum RegisterKeyword: String, CaseIterable, Sendable {
    case ipcp, layer

    static let table = KeywordTable<RegisterKeyword>()
}

enum BindProgramKeyword: String, CaseIterable, Sendable {
    case name, auto
    case separator = "--"

    /// `auto` in full, as in the prototype. spec: irm-cli §4
    static let table = KeywordTable<BindProgramKeyword>(inFullOnly: [.auto, .separator])
}

enum BalancingKeyword: String, CaseIterable, Sendable {
    case roundRobin = "round-robin"
    case spillover

    static let table = KeywordTable<BalancingKeyword>()
}
