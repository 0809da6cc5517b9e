// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
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
        switch try keyword(word, ObjectKeyword.table, unknown: "\"\(word)\" is unknown, try \"irm help\".") {
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
        let unknown = "\"\(word)\" is unknown, try \"irm help\"."
        guard case .name = try keyword(word, NameKeyword.table, unknown: unknown) else { throw UsageError(unknown) }
        return command(try registration(.register))
    }

    private mutating func flowCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to do with flows is missing.", .flow) }
        switch try keyword(word, FlowVerb.table, unknown: "\"\(word)\" is unknown, try \"irm flow help\".") {
        case .list:
            let (name, json) = try nameFilter(.listFlows)
            return .listFlows(name: name, json: json)
        case .help: return .help(.flow)
        }
    }

    private mutating func status() throws(UsageError) -> Command {
        guard let word = words.next() else { return .status(json: false) }
        if word == "help" { return .help(.status) }
        guard word == "--json", words.isEmpty else {
            throw UsageError("\"\(word)\" is unknown, try \"irm status help\".")
        }
        return .status(json: true)
    }

    /// The usage text that fits the first words, for a `--help` behind them.
    private func usageInSight(_ words: [Word]) -> Usage? {
        guard case .known(let object) = ObjectKeyword.table.resolve(words[0]) else { return nil }
        if words.count == 2 { return Usage(rawValue: "irm \(object.rawValue)") }
        var verb: String?
        switch object {
        case .ipcp: if case .known(let found) = IPCPVerb.table.resolve(words[1]) { verb = found.rawValue }
        case .name: if case .known(let found) = NameVerb.table.resolve(words[1]) { verb = found.rawValue }
        case .bind, .unbind: if case .known(let found) = BindVerb.table.resolve(words[1]) { verb = found.rawValue }
        case .flow: verb = "list"
        case .status, .help, .register, .unregister: break
        }
        return verb.flatMap { Usage(rawValue: "irm \(object.rawValue) \($0)") }
    }
}

// What all commands are made of.
extension Grammar {
    /// The keyword that a word stands for.
    func keyword<Keyword>(
        _ word: Word, _ table: KeywordTable<Keyword>, unknown: String, _ usage: Usage? = nil
    ) throws(UsageError) -> Keyword {
        switch table.resolve(word) {
        case .known(let keyword): return keyword
        case .ambiguous(let candidates):
            throw UsageError("\"\(word)\" is ambiguous: \(candidates.joined(separator: ", ")).")
        case .unknown: throw UsageError(unknown, usage)
        }
    }

    /// The next keyword of a command whose arguments are keywords and values; nil at the end.
    mutating func next<Keyword>(_ table: KeywordTable<Keyword>, of usage: Usage) throws(UsageError) -> Keyword? {
        guard let word = words.next() else { return nil }
        return try keyword(word, table, unknown: "\"\(word)\" is unknown, try \"\(usage.rawValue)\".")
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
            throw UsageError(word.bytes.isEmpty ? "A name must not be empty." : "Name too long.", usage)
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
        switch try self.keyword(word, TypeKeyword.table, unknown: "IPCP type \"\(word)\" is unknown.", usage) {
        case .unicast: return .unicast
        case .broadcast: return .broadcast
        case .udp4: return .udp4
        case .udp6: return .udp6
        case .ethernetDIX: return .ethernetDIX
        case .ethernetLLC: return .ethernetLLC
        case .local: return .local
        }
    }

    mutating func nameFilter(_ usage: Usage) throws(UsageError) -> (name: Word?, json: Bool) {
        var name: Word?
        var json = false
        while let keyword = try next(NameFilterKeyword.table, of: usage) {
            switch keyword {
            case .name: name = try value(of: keyword, usage)
            case .json: json = true
            }
        }
        return (name, json)
    }
}
