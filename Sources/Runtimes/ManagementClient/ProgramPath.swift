// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Finds the executable file that a user means by the name of a program.
package enum ProgramPath {
    /// What an entry of PATH that does not begin with a slash means.
    package enum RelativeEntries: Sendable {
        /// A directory below the current one, as shells have it.
        case followed
        /// `.invalid`. spec: c-api §9
        case refused
    }

    /// The absolute path without links, of at most 4,095 bytes. With a slash, the name is a path; without one it is
    /// looked for along PATH. Throws `.noEntry`, or `.notPermitted` if what is there cannot be executed.
    package static func resolve(
        _ program: [UInt8], path: String? = environment("PATH"), relative: RelativeEntries = .followed
    ) throws(ManagementError) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        guard !program.isEmpty, !program.contains(0) else { throw .missing(program) }
        if program.contains(slash) {
            guard let file = real(program) else { throw .missing(program) }
            guard isExecutable(file) else { throw .notExecutable(program) }
            return file
        }
        var seen = false
        for entry in Array((path ?? "").utf8).split(separator: UInt8(ascii: ":")) {
            if entry.first != slash, relative == .refused { throw .relativeEntry(Array(entry)) }
            guard let file = real(Array(entry) + [slash] + program) else { continue }
            if isExecutable(file) { return file }
            seen = true
        }
        throw seen ? .notExecutable(program) : .missing(program)
    }

    /// A file of this name is in the current directory.
    package static func isHere(_ program: [UInt8]) -> Bool {
        guard let file = real(program) else { return false }
        return isRegular(file)
    }

    /// The absolute path of something that exists, without links.
    package static func absolute(_ path: [UInt8]) throws(Failure) -> [UInt8] {
        guard !path.isEmpty, !path.contains(0) else { throw .noEntry }
        let terminated = path.map(CChar.init(bitPattern:)) + [0]
        guard let result = realpath(terminated, nil) else { throw Failure(errno: cl_errno()) }
        defer { free(result) }
        return UnsafeBufferPointer(start: result, count: strlen(result)).map(UInt8.init(bitPattern:))
    }

    package static func currentDirectory() -> [UInt8] { real(Array(".".utf8)) ?? Array("/".utf8) }

    private static func real(_ path: [UInt8]) -> [UInt8]? { try? absolute(path) }

    private static func isExecutable(_ path: [UInt8]) -> Bool {
        isRegular(path) && access(path.map(CChar.init(bitPattern:)) + [0], X_OK) == 0
    }

    private static func isRegular(_ path: [UInt8]) -> Bool {
        var status = stat()
        return stat(path.map(CChar.init(bitPattern:)) + [0], &status) == 0
            && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG)
    }
}

extension ManagementError {
    fileprivate static func missing(_ program: [UInt8]) -> ManagementError {
        ManagementError(.noEntry, reason: "\(printable(program)) does not exist.")
    }

    fileprivate static func notExecutable(_ program: [UInt8]) -> ManagementError {
        ManagementError(
            .notPermitted, reason: "Cannot execute \(printable(program)), please check permissions.")
    }

    fileprivate static func relativeEntry(_ entry: [UInt8]) -> ManagementError {
        ManagementError(.invalid, reason: "PATH has an entry that is not absolute: \(printable(entry)).")
    }
}
