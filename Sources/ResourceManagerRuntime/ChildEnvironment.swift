// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// The environment that irmd gives its children: what a user expects, and nothing of irmd's own.
enum ChildEnvironment {
    static func ofIPCP(_ runtimeDirectory: String) -> [[UInt8]] {
        lines([("PATH", path), ("LANG", language), (RuntimeDirectory.variable, runtimeDirectory)])
    }

    static func ofUser(_ user: UserID, _ runtimeDirectory: String) -> [[UInt8]] {
        let account = account(of: user)
        return lines([
            ("PATH", path), ("HOME", account?.home ?? "/"), ("USER", account?.name ?? "\(user)"),
            ("LOGNAME", account?.name ?? "\(user)"), ("SHELL", account?.shell ?? "/bin/sh"), ("LANG", language),
            (RuntimeDirectory.variable, runtimeDirectory),
        ])
    }

    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    private static var language: String { environment("LANG") ?? "C.UTF-8" }

    private static func lines(_ variables: [(String, String)]) -> [[UInt8]] {
        variables.map { Array("\($0)=\($1)".utf8) }
    }

    private struct Account {
        let name: String
        let home: String
        let shell: String
    }

    private static func account(of user: UserID) -> Account? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { strings in
            guard let memory = strings.baseAddress,
                getpwuid_r(user.rawValue, &entry, memory, strings.count, &found) == 0, found != nil,
                let name = entry.pw_name,
                let home = entry.pw_dir, let shell = entry.pw_shell
            else { return nil }
            return Account(
                name: String(cString: name), home: String(cString: home), shell: String(cString: shell))
        }
    }
}
