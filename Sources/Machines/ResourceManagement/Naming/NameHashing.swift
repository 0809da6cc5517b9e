// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// How a layer turns a name into the bytes that it stores and compares. The driver brings the arithmetic.
/// spec: irmd §4
package protocol NameHashing: Sendable {
    func digest(of name: ServiceName, with algorithm: DirectoryHash) -> [UInt8]
}
