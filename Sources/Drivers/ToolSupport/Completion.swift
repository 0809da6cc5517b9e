// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

/// What can stand in one place of a command line: for usage texts and for completion.
package enum ValueKind: Hashable, Sendable {
    /// Anything: nothing is proposed.
    case free
    case words([String])
    /// Of the running system.
    case ipcp, layer, name, flow
    case process, interface
    /// The shell knows these.
    case file, directory, command
}

/// The words that a shell can propose for the place of the cursor.
///
/// Every program answers `--complete`, which is for the files in `completions/` and for nobody else:
/// `--complete words WORD...` with the words up to the cursor, the last of which is the one to complete; or
/// `--complete bash LINE` with the line up to the cursor. The answer are texts that end with NUL. The first says what
/// is to be proposed: `words`, those that follow; `file`, `directory` or `command`, what the shell finds. Behind
/// `words` each word has a description, which may be empty; for bash it has none, and is quoted.
package struct Completion: Sendable {
    package struct Candidate: Hashable, Sendable {
        /// Bytes, because names need not be UTF-8.
        package let word: [UInt8]
        package let description: String

        package init(_ word: [UInt8], _ description: String = "") {
            self.word = word
            self.description = description
        }

        package init(_ word: String, _ description: String = "") { self.init(Array(word.utf8), description) }
    }

    private let kind: String
    package private(set) var candidates: [Candidate] = []

    package init(_ candidates: [Candidate]) {
        kind = "words"
        self.candidates = candidates
    }

    /// - Parameter running: The IPCPs, layers or names that there are; asked for only if they are needed.
    package init(_ value: ValueKind, running: (ValueKind) -> [[UInt8]]) {
        switch value {
        case .free: self.init([])
        case .words(let words): self.init(words.map { Candidate($0) })
        case .ipcp, .layer, .name, .flow: self.init(Completion.distinct(running(value)).map { Candidate($0) })
        case .process: self.init(Completion.entries("/proc").filter { UInt32($0) != nil }.map { Candidate($0) })
        case .interface: self.init(Completion.entries("/sys/class/net").map { Candidate($0) })
        case .file: self.init(kind: "file")
        case .directory: self.init(kind: "directory")
        case .command: self.init(kind: "command")
        }
    }

    private init(kind: String) { self.kind = kind }

    /// - Parameters:
    ///   - words: Behind `--complete`.
    ///   - find: What can stand for the last of the words.
    package static func answer(_ words: [[UInt8]], find: ([[UInt8]]) -> Completion) -> [UInt8] {
        guard let mode = words.first else { return [] }
        if mode == Array("bash".utf8) {
            let line = BashLine(words.dropFirst().first ?? [])
            return find(line.words).answer(of: line)
        }
        let given = Array(words.dropFirst())
        let found = find(given)
        let start = given.last ?? []
        return record(found.kind)
            + found.candidates.filter { $0.word.starts(with: start) }
            .flatMap { record($0.word) + record($0.description) }
    }

    private func answer(of line: BashLine) -> [UInt8] {
        Completion.record(kind)
            + candidates.compactMap { line.replacement(by: $0.word) }.flatMap { Completion.record($0) }
    }

    private static func record(_ text: String) -> [UInt8] { record(Array(text.utf8)) }
    private static func record(_ bytes: [UInt8]) -> [UInt8] { bytes + [0] }

    private static func distinct(_ words: [[UInt8]]) -> [[UInt8]] {
        Set(words).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The names in a directory of the kernel, which has plain ones only.
    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
