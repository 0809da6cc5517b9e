// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import OrderedCollections
import Vocabulary

/// A program as somebody bound it. Each user's bindings are his own, because they serve only his processes.
struct ProgramKey: Hashable, Sendable {
    let path: [UInt8]
    let user: UserID
}

/// How a program is started for a name.
struct StartRecipe: Hashable, Sendable {
    let arguments: [[UInt8]]
    let directory: [UInt8]
    let group: GroupID
    let groups: [GroupID]
}

/// The programs that are bound to names.
///
/// A program that was bound by an absolute path is matched by that path. One that was bound by a bare name, and a script
/// of which no more than a bare name is known, are matched by the base name. Who unbinds may say either. spec: irmd §4
struct Programs: Sendable {
    /// Nil = the program is not started.
    private var records: [ProgramKey: OrderedDictionary<ServiceName, StartRecipe?>] = [:]
    /// By path and by base name.
    private var keys: [[UInt8]: OrderedSet<ProgramKey>] = [:]

    /// False if it is bound already.
    mutating func bind(_ key: ProgramKey, to name: ServiceName, _ recipe: StartRecipe?) -> Bool {
        guard records[key]?[name] == nil else { return false }
        records[key, default: [:]].updateValue(recipe, forKey: name)
        for file in [key.path, fileName(key.path)] { keys[file, default: []].append(key) }
        return true
    }

    mutating func unbind(_ key: ProgramKey, from name: ServiceName) {
        _ = records[key]?.removeValue(forKey: name)
        guard records[key]?.isEmpty == true else { return }
        records[key] = nil
        for file in [key.path, fileName(key.path)] {
            keys[file]?.remove(key)
            if keys[file]?.isEmpty == true { keys[file] = nil }
        }
    }

    /// The bindings that a path or a base name stands for.
    func keys(for file: [UInt8]) -> OrderedSet<ProgramKey> { keys[file] ?? [] }

    func names(of key: ProgramKey) -> OrderedSet<ServiceName> { records[key]?.keys ?? [] }

    func recipe(of key: ProgramKey, for name: ServiceName) -> StartRecipe? { records[key]?[name] ?? nil }

    /// The names that a process is bound to by what it runs.
    func names(running program: [UInt8], user: UserID) -> OrderedSet<ServiceName> {
        var names = OrderedSet<ServiceName>()
        for file in Set([program, fileName(program)]) {
            for key in keys(for: file) where Programs.serves(key, program: program, user: user) {
                names.formUnion(self.names(of: key))
            }
        }
        return names
    }

    /// Whether the binding applies to a process that runs `program`.
    static func serves(_ key: ProgramKey, program: [UInt8], user: UserID) -> Bool {
        guard Rights.serves(binder: key.user, processOf: user) else { return false }
        if key.path == program { return true }
        let isBare = { (path: [UInt8]) in !path.contains(UInt8(ascii: "/")) }
        guard isBare(key.path) || isBare(program) else { return false }
        return fileName(key.path) == fileName(program)
    }
}
