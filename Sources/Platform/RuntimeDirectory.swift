// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Where a running system keeps its socket and its lock. design: architecture §6, flow-memory §6
package enum RuntimeDirectory {
    package static let variable = "OUROBOROS_RUNTIME_DIR"
    package static let socketName = "irm.sock"
    package static let lockName = "irm.lock"

    /// Where clients look for irmd, in this order: the directory that `OUROBOROS_RUNTIME_DIR` names and no other;
    /// else the user's own, if a socket is there; else `/run/ouroboros`.
    package static func candidates() -> [String] {
        if let chosen = environment(variable) { return [chosen] }
        return [ofUser(), "/run/ouroboros"].compactMap { $0 }
    }

    /// The socket to connect to. A directory below `/tmp` counts only if it is ours and closed to others, because
    /// anybody can make one there.
    package static func socketPath() -> String {
        let candidates = candidates()
        for directory in candidates.dropLast() where isTrusted(directory) && exists(directory + "/" + socketName) {
            return directory + "/" + socketName
        }
        return (candidates.last ?? "/run/ouroboros") + "/" + socketName
    }

    /// For errors: all that was tried.
    package static func searched() -> String {
        candidates().map { printable(($0 + "/" + socketName).utf8) }.joined(separator: ", ")
    }

    /// Where irmd starts if nothing else is said.
    package static func ofManager() -> String {
        if let chosen = environment(variable) { return chosen }
        if geteuid() == 0 { return "/run/ouroboros" }
        return ofUser() ?? "/run/ouroboros"
    }

    /// Root has none of its own: its system is that of the host.
    private static func ofUser() -> String? {
        let user = geteuid()
        guard user != 0 else { return nil }
        if let runtime = environment("XDG_RUNTIME_DIR") { return runtime + "/ouroboros" }
        return "/tmp/ouroboros-\(user)"
    }

    private static func isTrusted(_ directory: String) -> Bool {
        guard directory.hasPrefix("/tmp/") else { return true }
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) else { return false }
        return status.st_uid == geteuid() && status.st_mode & 0o077 == 0
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// A variable of the environment; nil if it is unset, empty, or not to be trusted because the program runs with more
/// rights than its caller.
package func environment(_ name: String) -> String? {
    guard let value = cl_environment(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}
