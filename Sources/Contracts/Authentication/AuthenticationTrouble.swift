// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Why a request or a response of another host is not accepted.
package enum AuthenticationTrouble: Error, Hashable, Sendable {
    // Of requests.
    case malformedRequest
    /// Sent more than `Limits.authenticationLead` from now.
    case early
    /// Sent more than `Limits.authenticationAge` ago.
    case stale
    /// It was here before.
    case repeated
    /// There have been too many since it was sent to tell whether it is a repetition.
    case crowded
    case clientCertificate
    case encryptionAsked
    /// The client says that it asked for another quality than its layer said.
    case otherQuality
    // Of responses.
    case malformedResponse
    case otherRequest
    case otherHash
    case serverCertificate
    case encryptionImposed
    /// The server says of its end of the flow what cannot be.
    case impossibleProperties
    // Of both.
    case digestUnavailable

    /// What the other host and the application are told. A server says EAUTH of who the client is and ECRYPT of keys; a
    /// client says ECRYPT, whatever it is. spec: oap §2, §3
    package var failure: Failure {
        switch self {
        case .malformedRequest, .early, .stale, .repeated, .clientCertificate, .otherQuality: .authentication
        case .crowded: .tableFull
        case .malformedResponse, .otherRequest, .otherHash, .serverCertificate: .encryption
        case .encryptionAsked, .encryptionImposed, .impossibleProperties, .digestUnavailable: .encryption
        }
    }

    /// For people.
    package var text: String {
        switch self {
        case .malformedRequest: "the request for authentication is malformed"
        case .early: "the request comes from the future: the clocks of the hosts differ"
        case .stale: "the request is too old: it was delayed, or the clocks of the hosts differ"
        case .repeated: "the same request has arrived before"
        case .crowded: "too many other requests have arrived since this request was sent"
        case .clientCertificate: "the client has a certificate, and certificates cannot be checked yet"
        case .encryptionAsked: "the client wants encryption, which this system does not support yet"
        case .otherQuality: "the quality of service that the layer delivered is not the one that the client asked for"
        case .malformedResponse: "the response of the server is malformed"
        case .otherRequest: "the response of the server answers another request"
        case .otherHash: "the server has seen another request than was sent"
        case .serverCertificate: "the server has a certificate, and certificates cannot be checked yet"
        case .encryptionImposed: "the server wants encryption, which this system does not support yet"
        case .impossibleProperties: "the server describes its end of the flow with values that are not allowed"
        case .digestUnavailable: "the digest of the request cannot be computed here"
        }
    }
}
