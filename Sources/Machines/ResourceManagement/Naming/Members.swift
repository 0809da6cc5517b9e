// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import OrderedCollections
import Vocabulary

/// The attached processes as names see them: what each runs, as whom, and which names it serves. Found by what they run, so
/// that a new binding of a program looks at the processes of that program only.
struct Members: Sendable {
    struct Member: Sendable {
        let program: [UInt8]
        let user: UserID
        /// irmd has started the process for this program.
        var start: ProgramKey?
        var names = OrderedSet<ServiceName>()

        /// Whether a binding of the program applies to the process: by what it runs, or by what irmd started it for.
        func isServed(by key: ProgramKey) -> Bool {
            start == key || Programs.serves(key, program: program, user: user)
        }
    }

    private var members: [ProcessID: Member] = [:]
    /// By path and by base name.
    private var byFile: [[UInt8]: Set<ProcessID>] = [:]
    private var byStart: [ProgramKey: Set<ProcessID>] = [:]

    subscript(process: ProcessID) -> Member? { members[process] }

    mutating func add(_ process: ProcessID, _ member: Member) {
        members[process] = member
        for file in [member.program, fileName(member.program)] { byFile[file, default: []].insert(process) }
        if let key = member.start { byStart[key, default: []].insert(process) }
    }

    mutating func remove(_ process: ProcessID) -> Member? {
        guard let member = members.removeValue(forKey: process) else { return nil }
        for file in [member.program, fileName(member.program)] {
            byFile[file]?.remove(process)
            if byFile[file]?.isEmpty == true { byFile[file] = nil }
        }
        if let key = member.start {
            byStart[key]?.remove(process)
            if byStart[key]?.isEmpty == true { byStart[key] = nil }
        }
        return member
    }

    mutating func join(_ process: ProcessID, _ name: ServiceName) { members[process]?.names.append(name) }
    mutating func leave(_ process: ProcessID, _ name: ServiceName) { members[process]?.names.remove(name) }

    /// irmd has started the process, which may have attached already.
    mutating func setStart(_ key: ProgramKey, of process: ProcessID) {
        guard members[process] != nil else { return }
        members[process]?.start = key
        byStart[key, default: []].insert(process)
    }

    /// The processes that a binding of the program applies to.
    func served(by key: ProgramKey) -> Set<ProcessID> {
        let candidates = (byFile[key.path] ?? []).union(byFile[fileName(key.path)] ?? [])
        return candidates.filter { members[$0]?.isServed(by: key) == true }.union(byStart[key] ?? [])
    }
}
