// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// The environment that irmd gives its children: what a user expects, and nothing of irmd's own. Programs of users get
/// what their account says beside it, which the child looks up (`Spawn.isForeign`).
enum ChildEnvironment {
    static func variables(_ runtimeDirectory: [UInt8]) -> [[UInt8]] {
        [
            line("PATH", Array("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".utf8)),
            line("LANG", environmentBytes("LANG") ?? Array("C.UTF-8".utf8)),
            line(RuntimeDirectory.variable, runtimeDirectory),
        ]
    }

    private static func line(_ name: String, _ value: [UInt8]) -> [UInt8] { Array("\(name)=".utf8) + value }
}
