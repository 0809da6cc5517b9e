// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COpenSSL
import Vocabulary

/// The hashes that layers know names by. spec: irmd §4
package enum NameDigest {
    /// Always `algorithm.bytes` long.
    package static func of(_ bytes: [UInt8], with algorithm: DirectoryHash) -> [UInt8] {
        _ = NameDigest.staysLoaded
        // Without these algorithms there is no layer to speak of; a build of OpenSSL that lacks them cannot be used.
        guard let digest = Digest.of(bytes, with: method(algorithm)), digest.count == algorithm.bytes else {
            preconditionFailure("OpenSSL cannot compute \(algorithm.name)")
        }
        return digest
    }

    /// At exit OpenSSL would take away its algorithms, also from a thread that is reading a hosts file just then.
    private static let staysLoaded = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1

    private static func method(_ algorithm: DirectoryHash) -> OpaquePointer? {
        switch algorithm {
        case .sha3x224: EVP_sha3_224()
        case .sha3x256: EVP_sha3_256()
        case .sha3x384: EVP_sha3_384()
        case .sha3x512: EVP_sha3_512()
        case .md5: EVP_md5()
        }
    }
}
