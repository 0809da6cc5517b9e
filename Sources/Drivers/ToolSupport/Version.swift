// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CTools

/// What `--version` prints, of every program.
package enum Version {
    package static let number = "0.23.0"
    package static let line = "Ouroboros version \(number) (commit \(String(cString: ct_commit())))\n"
}
