// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import COpenSSL
import Wire

/// The digests of requests for authentication. spec: oap §4
package struct RequestDigest: AuthenticationDigest {
    package init() {}

    package func digest(of bytes: [UInt8], nid: UInt16) -> [UInt8]? {
        guard let algorithm = nid == 0 ? .ofRequestsWithout : DigestAlgorithm(rawValue: nid) else { return nil }
        return Digest.of(bytes, with: Self.method(algorithm))
    }

    private static func method(_ algorithm: DigestAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .blake2s256: EVP_blake2s256()
        case .sha256: EVP_sha256()
        case .sha3x256: EVP_sha3_256()
        case .sha384: EVP_sha384()
        case .sha3x384: EVP_sha3_384()
        case .blake2b512: EVP_blake2b512()
        case .sha512: EVP_sha512()
        case .sha3x512: EVP_sha3_512()
        }
    }
}
