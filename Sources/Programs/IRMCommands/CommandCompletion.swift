// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import ToolSupport
import Vocabulary

/// What can stand for the last word of a command line of `irm`: by the tables that the commands are parsed with.
struct CommandCompletion<Service: ManagementService> {
    private let words: [Word]
    private let connect: () -> Service?

    /// - Parameter connect: Called only if something of the running system is to be proposed.
    init(_ words: [Word], connect: @escaping () -> Service?) {
        self.words = words
        self.connect = connect
    }

    var candidates: Completion {
        guard words.count > 1 else { return proposals(Usage.irm, objects) }
        guard case .known(let object) = ObjectKeyword.table.resolve(words[0]) else { return Completion([]) }
        if let command = Usage.command(object, nil) { return arguments(of: command, words.dropFirst()) }
        guard words.count > 2 else {
            guard let group = Usage(rawValue: "irm \(object.rawValue)") else { return Completion([]) }
            return proposals(group, group.parts.map { ($0.verb, $0.summary) })
        }
        guard let command = Usage.command(object, words[1]) else { return Completion([]) }
        return arguments(of: command, words.dropFirst(2))
    }

    private var objects: [(String, String)] {
        ObjectKeyword.allCases.compactMap { object in
            Usage(rawValue: "irm \(object.rawValue)").map { (object.rawValue, $0.summary) }
        } + [("--version", "Print the version and the commit")]
    }

    private func proposals(_ group: Usage, _ words: [(String, String)]) -> Completion {
        Completion(
            words.map { Completion.Candidate($0.0, $0.1) } + [
                Completion.Candidate("help", "Print a summary"), Completion.Candidate("--help", "Print a summary"),
            ])
    }

    /// - Parameter words: Behind the command.
    private func arguments(of command: Usage, _ words: ArraySlice<Word>) -> Completion {
        var before = words.dropLast()
        for operand in command.operands where operand.need == .required {
            guard before.popFirst() != nil else { return values(operand.value) }
        }
        let keywords = command.keywords
        var used: Set<String> = []
        while let word = before.popFirst() {
            // An argument of a program that irmd starts.
            if word == "--", command == .bindProgram { return Completion(.file, running: values) }
            guard let form = keywords.find(word) else { continue }
            if form.need != .repeated { used.insert(form.word) }
            if form.argument != nil, before.popFirst() == nil { return values(form.value) }
        }
        let type = type(among: words.dropLast())
        let left = keywords.all.filter { form in
            !used.contains(form.word) && (type == nil || form.types?.contains { $0 == type } ?? true)
        }
        let forms = left.map { Completion.Candidate($0.word, $0.summary) }
        let operands = command.operands.filter { $0.need == .optional }
            .flatMap { values(for: $0.value).map { Completion.Candidate($0) } }
        return Completion(
            forms + operands + (words.count == 1 ? [Completion.Candidate("--help", "Print the usage")] : []))
    }

    /// The type of layer that a command is about: as it says, or as the IPCP is that it names.
    private func type(among words: ArraySlice<Word>) -> IPCPType? {
        let pairs = Array(zip(words, words.dropFirst()))
        if let pair = pairs.last(where: { BootstrapKeyword.table.resolve($0.0) == .known(.type) }),
            case .known(let keyword) = TypeKeyword.table.resolve(pair.1)
        {
            return keyword.type
        }
        guard let name = pairs.last(where: { BootstrapKeyword.table.resolve($0.0) == .known(.name) })?.1 else {
            return nil
        }
        return (try? connect()?.ipcps())?.first { $0.name.bytes == name.bytes }?.type
    }

    private func values(_ kind: ValueKind) -> Completion { Completion(kind) { values(for: $0) } }

    private func values(for kind: ValueKind) -> [[UInt8]] {
        switch kind {
        case .ipcp: ((try? connect()?.ipcps()) ?? []).map(\.name.bytes)
        case .layer: ((try? connect()?.ipcps()) ?? []).compactMap { $0.layer?.bytes }
        case .name: ((try? connect()?.names()) ?? []).map(\.settings.name.bytes)
        case .flow: ((try? connect()?.flows()) ?? []).map { Array("\($0.flow)".utf8) }
        case .free, .words, .process, .interface, .file, .directory, .command: []
        }
    }
}

extension Usage {
    /// The command that an object and a verb stand for; nil if there is none, or if it is a group.
    static func command(_ object: ObjectKeyword, _ verb: Word?) -> Usage? {
        let found: String?
        switch (object, verb) {
        case (.status, nil): return .status
        // Of older tutorials: `irm register name N layer L`.
        case (.register, let verb?) where verb == "name": return .register
        case (.unregister, let verb?) where verb == "name": return .unregister
        case (.ipcp, let verb?): found = IPCPVerb.table.found(verb)
        case (.name, let verb?): found = NameVerb.table.found(verb)
        case (.bind, let verb?): found = BindVerb.table.found(verb)
        case (.unbind, let verb?): found = UnbindVerb.table.found(verb)
        case (.flow, let verb?): found = FlowVerb.table.found(verb)
        case (.status, _), (.help, _), (.register, _), (.unregister, _): found = nil
        case (.ipcp, nil), (.name, nil), (.bind, nil), (.unbind, nil), (.flow, nil): found = nil
        }
        return found.flatMap { Usage(rawValue: "irm \(object.rawValue) \($0)") }
    }
}

extension KeywordTable {
    fileprivate func found(_ word: Word) -> String? {
        if case .known(let keyword) = resolve(word) { keyword.rawValue } else { nil }
    }
}
