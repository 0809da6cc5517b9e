// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// `irm bind` and `irm unbind`. spec: irm-cli §4, §5
extension Grammar {
    mutating func bindCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to bind is missing.", .bind) }
        switch try verb(word, BindVerb.table, of: .bind) {
        case .program: return try bindProgram()
        case .process:
            let process = try processID(.bindProcess)
            return .bindProcess(process, try needed(try newName(.bindProcess), "a name", .bindProcess))
        case .ipcp:
            let ipcp = try ipcpName(.bindIPCP)
            return .bindIPCP(ipcp, try needed(try newName(.bindIPCP), "a name", .bindIPCP))
        case .list: return try listBindings()
        case .help: return .help(.bind)
        }
    }

    mutating func unbindCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to unbind is missing.", .unbind) }
        switch try verb(word, UnbindVerb.table, of: .unbind) {
        case .program:
            let program = try needed(words.next(), "a program", .unbindProgram)
            return .unbindProgram(program, try boundName(.unbindProgram))
        case .process: return .unbindProcess(try processID(.unbindProcess), try boundName(.unbindProcess))
        case .ipcp: return .unbindIPCP(try ipcpName(.unbindIPCP), try boundName(.unbindIPCP))
        case .help: return .help(.unbind)
        }
    }

    private mutating func listBindings() throws(UsageError) -> Command {
        var name: Word?
        var json = false
        while let keyword = try next(BindingFilterKeyword.table, of: .listBindings) {
            switch keyword {
            case .name: name = try value(of: keyword, .listBindings)
            case .json: json = true
            }
        }
        return .listBindings(name: name, json: json)
    }

    private mutating func bindProgram() throws(UsageError) -> Command {
        let program = try needed(words.next(), "a program", .bindProgram)
        var name: ServiceName?
        var autoStart = false
        var arguments: [[UInt8]] = []
        while let keyword = try next(BindProgramKeyword.table, of: .bindProgram) {
            switch keyword {
            case .name: name = try self.name(of: keyword, .bindProgram)
            case .auto: autoStart = true
            case .separator: arguments = words.all().map(\.bytes)
            }
        }
        guard arguments.count <= Limits.arguments,
            arguments.reduce(0, { $0 + $1.count }) <= Limits.argumentBytes
        else {
            throw UsageError(
                "A program can have at most \(Limits.arguments) arguments, of \(Limits.argumentBytes) bytes together.",
                .bindProgram)
        }
        if !arguments.isEmpty, !autoStart {
            warnings.append("Arguments are for a program that irmd starts, and are not kept without \"auto\".")
        }
        return .bindProgram(
            ProgramBinding(
                program: program, name: try needed(name, "a name", .bindProgram), autoStart: autoStart,
                arguments: arguments))
    }

    private mutating func processID(_ usage: Usage) throws(UsageError) -> ProcessID {
        let word = try needed(words.next(), "a process id", usage)
        guard let number = Int32(word.description), number > 0 else {
            throw UsageError("\"\(word)\" is not a valid process id.", usage)
        }
        return ProcessID(number)
    }

    private mutating func ipcpName(_ usage: Usage) throws(UsageError) -> IPCPName {
        try Grammar.name(try needed(words.next(), "the name of an IPCP", usage), usage)
    }

    private mutating func newName(_ usage: Usage) throws(UsageError) -> ServiceName? {
        var name: ServiceName?
        while let keyword = try next(BindKeyword.table, of: usage) { name = try self.name(of: keyword, usage) }
        return name
    }

    private mutating func boundName(_ usage: Usage) throws(UsageError) -> ServiceName? {
        var name: ServiceName?
        while let keyword = try next(NameKeyword.table, of: usage) { name = try self.name(of: keyword, usage) }
        return name
    }
}
