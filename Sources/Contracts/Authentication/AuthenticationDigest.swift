// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The digests with which a response answers a request. The driver brings the arithmetic. spec: oap §4
package protocol AuthenticationDigest: Sendable {
    /// By OpenSSL's number; 0 is SHA-384. Nil: it cannot be computed here.
    func digest(of bytes: [UInt8], nid: UInt16) -> [UInt8]?
}
