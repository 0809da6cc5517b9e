// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What may encrypt the packets of a flow, by OpenSSL's numbers. spec: oap §4
package enum CipherAlgorithm: UInt16, Sendable, CaseIterable {
    case aes128CTR = 904
    case aes192CTR = 905
    case aes256CTR = 906
    case aes128GCM = 895
    case aes192GCM = 898
    case aes256GCM = 901
    case chaCha20Poly1305 = 1018
}

/// What digests requests and signed messages, and derives keys, by OpenSSL's numbers. spec: oap §4
package enum DigestAlgorithm: UInt16, Sendable, CaseIterable {
    case blake2s256 = 1057
    case sha256 = 672
    case sha3x256 = 1096
    case sha384 = 673
    case sha3x384 = 1097
    case blake2b512 = 1056
    case sha512 = 674
    case sha3x512 = 1098

    /// Of a request that names no digest.
    package static let ofRequestsWithout = DigestAlgorithm.sha384

    /// Of its output.
    package var bytes: Int {
        switch self {
        case .blake2s256, .sha256, .sha3x256: 32
        case .sha384, .sha3x384: 48
        case .blake2b512, .sha512, .sha3x512: 64
        }
    }
}
