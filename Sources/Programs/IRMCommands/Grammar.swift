// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ToolSupport
import Vocabulary

/// The language of `irm`: words in, a command or a mistake out. Does nothing else. spec: irm-cli
package struct Grammar {
    var words: Words
    var warnings: [String] = []

    /// - Parameter words: The command line without the program's name.
    package static func parse(_ words: [Word]) throws(UsageError) -> Parsed {
        var grammar = Grammar(words: Words(words))
        // `--help` is no option of the prototype, but what people try first. Behind other arguments it may be a value.
        let wantsHelp = words.count > 1 && (words.last == "--help" || words.last == "-h")
        if wantsHelp, words.count <= 3, let usage = grammar.usageInSight(words) {
            return Parsed(command: .help(usage), warnings: [])
        }
        do throws(UsageError) {
            let command = try grammar.command()
            return Parsed(command: command, warnings: grammar.warnings)
        } catch {
            guard wantsHelp, let usage = error.usage ?? grammar.usageInSight(words) else { throw error }
            return Parsed(command: .help(usage), warnings: [])
        }
    }

    private mutating func command() throws(UsageError) -> Command {
        // 255: a bare `irm` is a mistake of its own kind. spec: irm-cli §1
        guard let word = words.next() else { throw UsageError("", .irm, exitStatus: 255) }
        switch word {
        case "--help", "-h": return .help(.irm)
        case "--version", "-V": return .version
        default: break
        }
        switch try verb(word, ObjectKeyword.table, of: .irm) {
        case .ipcp: return try ipcpCommand()
        case .name: return try nameCommand()
        case .bind: return try bindCommand()
        case .unbind: return try unbindCommand()
        case .flow: return try flowCommand()
        case .status: return try status()
        case .help: return .help(.irm)
        case .register: return try oldRegistration { .register($0) }
        case .unregister: return try oldRegistration { .unregister($0) }
        }
    }

    /// `irm register name N layer L` of older tutorials.
    private mutating func oldRegistration(
        _ command: (Registration) -> Command
    ) throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to register is missing.", .register) }
        guard case .name = try verb(word, NameKeyword.table, of: .irm) else { throw UsageError("", .irm) }
        return command(try registration(.register))
    }

    private mutating func flowCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to do with flows is missing.", .flow) }
        switch try verb(word, FlowVerb.table, of: .flow) {
        case .list:
            let (name, style) = try nameFilter(.listFlows)
            return .listFlows(name: name, style)
        case .show:
            let flow = try flowNumber(.showFlow)
            var json = false
            while try next(StatusKeyword.table, of: .showFlow) != nil { json = true }
            return .showFlow(flow, json: json)
        case .destroy:
            let flow = try flowNumber(.destroyFlow)
            if let word = words.next() { throw noFlowNumber(word) }
            return .destroyFlow(flow)
        case .help: return .help(.flow)
        }
    }

    private mutating func flowNumber(_ usage: Usage) throws(UsageError) -> FlowID {
        let word = try needed(words.next(), "the number of a flow", usage)
        guard let number = UInt32(word.description) else { throw noFlowNumber(word) }
        return FlowID(number)
    }

    private func noFlowNumber(_ word: Word) -> UsageError {
        UsageError("\"\(word)\" is not the number of a flow, try \"irm flow list\".")
    }

    private mutating func status() throws(UsageError) -> Command {
        guard let word = words.next() else { return .status(json: false) }
        if word == "help" { return .help(.status) }
        _ = try verb(word, StatusKeyword.table, of: .status)
        if let extra = words.next() { _ = try verb(extra, StatusKeyword.table, of: .status) }
        return .status(json: true)
    }

    /// The usage text that fits the first words, for a `--help` behind them.
    private func usageInSight(_ words: [Word]) -> Usage? {
        guard case .known(let object) = ObjectKeyword.table.resolve(words[0]) else { return nil }
        if words.count == 2 { return Usage(rawValue: "irm \(object.rawValue)") }
        return Usage.command(object, words[1])
    }
}

// What all commands are made of.
extension Grammar {
    /// The keyword that a word stands for.
    func keyword<Keyword>(
        _ word: Word, _ table: KeywordTable<Keyword>, unknown: String, advice: String = "", _ usage: Usage? = nil
    ) throws(UsageError) -> Keyword {
        switch table.resolve(word) {
        case .known(let keyword): return keyword
        case .ambiguous(let candidates):
            throw UsageError("\"\(word)\" is ambiguous: \(candidates.joined(separator: ", ")).")
        case .unknown:
            let near = nearest(to: word.description, among: Keyword.allCases.map(\.rawValue))
            throw UsageError(unknown + (near.map { " (did you mean \"\($0)\"?)" } ?? "") + advice, usage)
        }
    }

    /// A word of a group of commands.
    func verb<Keyword>(
        _ word: Word, _ table: KeywordTable<Keyword>, of group: Usage
    ) throws(UsageError) -> Keyword {
        try keyword(word, table, unknown: "\"\(word)\" is unknown", advice: ", try \"\(group.rawValue) help\".")
    }

    /// A keyword among the arguments of a command.
    func keyword<Keyword>(
        _ word: Word, _ table: KeywordTable<Keyword>, of usage: Usage
    ) throws(UsageError) -> Keyword {
        try keyword(word, table, unknown: "\"\(word)\" is unknown", advice: ", try \"\(usage.rawValue) --help\".")
    }

    /// The next keyword of a command whose arguments are keywords and values; nil at the end.
    mutating func next<Keyword>(_ table: KeywordTable<Keyword>, of usage: Usage) throws(UsageError) -> Keyword? {
        guard let word = words.next() else { return nil }
        return try keyword(word, table, of: usage)
    }

    /// What stands behind a keyword.
    mutating func value<Keyword: RawRepresentable<String>>(
        of keyword: Keyword, _ usage: Usage
    ) throws(UsageError) -> Word {
        guard let word = words.next() else {
            throw UsageError("The value of \"\(keyword.rawValue)\" is missing.", usage)
        }
        return word
    }

    mutating func name<Keyword: RawRepresentable<String>, Kind>(
        of keyword: Keyword, _ usage: Usage
    ) throws(UsageError) -> Name<Kind> {
        try Grammar.name(try value(of: keyword, usage), usage)
    }

    static func name<Kind>(_ word: Word, _ usage: Usage) throws(UsageError) -> Name<Kind> {
        guard let name = Name<Kind>(word.bytes) else {
            let bytes = word.bytes.count
            throw UsageError(
                bytes == 0
                    ? "A name must not be empty."
                    : "Name too long: it has \(bytes) bytes, and at most \(Limits.nameBytes) are allowed.", usage)
        }
        return name
    }

    /// What a command cannot do without.
    func needed<Value>(_ value: Value?, _ what: String, _ usage: Usage) throws(UsageError) -> Value {
        guard let value else { throw UsageError("\"\(usage.rawValue)\" needs \(what).", usage) }
        return value
    }

    mutating func type<Keyword: RawRepresentable<String>>(
        of keyword: Keyword, _ usage: Usage
    ) throws(UsageError) -> IPCPType {
        let word = try value(of: keyword, usage)
        return try self.keyword(
            word, TypeKeyword.table, unknown: "IPCP type \"\(word)\" is unknown", advice: ".", usage
        ).type
    }

    /// - Parameter takesPrefix: A word that is no keyword stands for all names that begin with it, as the manual of
    ///   2020 has it; and so does what may be the beginning of `name`, with nothing behind it.
    mutating func nameFilter(
        _ usage: Usage, takesPrefix: Bool = false
    ) throws(UsageError) -> (name: Word?, style: ListStyle) {
        var name: Word?
        var style = ListStyle.short
        while let word = words.next() {
            let isPrefix =
                switch NameFilterKeyword.table.resolve(word) {
                case .known(.name): words.isEmpty && word != "name"
                case .known(.json), .known(.long), .ambiguous: false
                case .unknown: !word.bytes.starts(with: [UInt8(ascii: "-")])
                }
            if takesPrefix, isPrefix, name == nil {
                name = Word(word.bytes + [UInt8(ascii: "*")])
                continue
            }
            let keyword = try keyword(word, NameFilterKeyword.table, of: usage)
            switch keyword {
            case .name: name = try value(of: keyword, usage)
            case .json: style = .json
            // JSON has everything anyway.
            case .long: style = style == .json ? .json : .long
            }
        }
        return (name, style)
    }
}
