// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Where a running system keeps its socket and its lock. Paths are bytes, as the kernel sees them.
/// spec: irmd §2, design: flow-memory §6
package enum RuntimeDirectory {
    package static let variable = "OUROBOROS_RUNTIME_DIR"
    package static let socketName = "irm.sock"
    package static let lockName = "irm.lock"

    private static let ofSystem = Array("/run/ouroboros".utf8)

    /// Where irmd starts if nothing else is said.
    package static func ofManager() -> [UInt8] {
        environmentBytes(variable) ?? (geteuid() == 0 ? ofSystem : ofUser(geteuid()))
    }

    private static func ofUser(_ user: uid_t) -> [UInt8] {
        environmentBytes("XDG_RUNTIME_DIR").map { $0 + Array("/ouroboros".utf8) }
            ?? Array("/tmp/ouroboros-\(user)".utf8)
    }

    // For those who look for irmd.

    /// Why a directory is trusted.
    private enum Trust {
        /// `OUROBOROS_RUNTIME_DIR` names it: whoever owns it is whom the user wants to talk to.
        case chosen
        /// It must be root's or the user's.
        case ownOrSystem
    }

    private struct Candidate {
        let path: [UInt8]
        let trust: Trust
    }

    /// In this order: the directory that `OUROBOROS_RUNTIME_DIR` names and no other; else the user's own, if a socket is
    /// there; else `/run/ouroboros`. Root has none of its own: its system is that of the host.
    private static func candidates() -> [Candidate] {
        if let chosen = environmentBytes(variable) { return [Candidate(path: chosen, trust: .chosen)] }
        let user = geteuid()
        return (user == 0 ? [] : [Candidate(path: ofUser(user), trust: .ownOrSystem)])
            + [Candidate(path: ofSystem, trust: .ownOrSystem)]
    }

    /// For errors: all that was tried.
    package static func searched() -> String {
        candidates().map { printable($0.path) + "/" + socketName }.joined(separator: ", ")
    }

    /// There is no irmd to talk to.
    package struct Unreachable: Error, Hashable {
        package let failure: Failure
        /// The directory that was looked at last.
        package let path: String
        /// Nil: there just is none.
        package let reason: String?

        package init(failure: Failure, path: String, reason: String?) {
            self.failure = failure
            self.path = path
            self.reason = reason
        }
    }

    /// A connection to irmd; never waits. The directory and the process that listens there must be those of root, of this
    /// user, or of the owner of the directory that the user chose: anybody can make a directory and listen in it.
    package static func connect() throws(Unreachable) -> Descriptor {
        var refusal: Unreachable?
        for candidate in candidates() {
            do throws(Unreachable) {
                return try connect(to: candidate)
            } catch {
                // What was found and not trusted is worth more than what was not there.
                if refusal?.reason == nil { refusal = error }
                // There is an irmd, which is busy or not for us: another one would be the wrong one.
                if error.reason == nil, error.failure != .noEntry { throw error }
            }
        }
        throw refusal ?? Unreachable(failure: .noEntry, path: printable(ofSystem), reason: nil)
    }

    private static func connect(to candidate: Candidate) throws(Unreachable) -> Descriptor {
        let path = printable(candidate.path)
        let opened = withCString(candidate.path) { cl_open_directory($0) }
        guard opened >= 0 else {
            throw Unreachable(failure: failure(Failure(result: Int(opened))), path: path, reason: nil)
        }
        let directory = Descriptor(owning: opened)
        guard let identity = try? FileIdentity(open: opened) else {
            throw Unreachable(failure: .inputOutput, path: path, reason: nil)
        }
        if let reason = distrust(identity, candidate) {
            throw Unreachable(failure: .accessDenied, path: path, reason: "\(path) \(reason)")
        }
        var result = cl_connect_in(directory.number, socketName)
        // Without /proc, or where it is closed to a program with more rights than its user.
        if result == -ENOENT || result == -EACCES, (try? FileIdentity(socketName, in: directory.number)) != nil {
            result = withCString(candidate.path + Array(("/" + socketName).utf8)) { cl_connect($0) }
        }
        guard result >= 0 else {
            throw Unreachable(failure: failure(Failure(result: Int(result))), path: path, reason: nil)
        }
        let socket = Descriptor(owning: result)
        guard let listener = MessageSocket.listener(of: socket.number) else {
            throw Unreachable(failure: .inputOutput, path: path, reason: nil)
        }
        let isChosen = candidate.trust == .chosen && listener == identity.owner
        guard listener == UserID(0) || listener == UserID(geteuid()) || isChosen else {
            throw Unreachable(
                failure: .accessDenied, path: path,
                reason: "the process that listens in \(path) belongs to user \(listener)")
        }
        return socket
    }

    /// A path that leads nowhere is as good as none.
    private static func failure(_ failure: Failure) -> Failure {
        failure == Failure(errno: ENOTDIR) ? .noEntry : failure
    }

    private static func distrust(_ identity: FileIdentity, _ candidate: Candidate) -> String? {
        if identity.isWritableByOthers { return "can be written by others than its owner" }
        let user = UserID(geteuid())
        switch candidate.trust {
        case .chosen: return nil
        case .ownOrSystem:
            guard identity.owner == user || identity.owner == UserID(0) else {
                return "belongs to user \(identity.owner)"
            }
            // Root makes none for a user there.
            let isPublic = candidate.path.starts(with: Array("/tmp/".utf8))
            return isPublic && (identity.owner != user || identity.isOpenToOthers) ? "is not this user's alone" : nil
        }
    }
}

/// A variable of the environment; nil if it is unset, empty, or not to be trusted because the program runs with more
/// rights than its caller.
package func environmentBytes(_ name: String) -> [UInt8]? {
    guard let value = cl_environment(name), value[0] != 0 else { return nil }
    return Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
}

/// The same for what is text.
package func environment(_ name: String) -> String? {
    environmentBytes(name).map { String(decoding: $0, as: UTF8.self) }
}

/// For C, alive as long as the body runs.
package func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
        // Never empty: it ends with a zero.
        buffer.baseAddress.map(body) ?? body([0])
    }
}
