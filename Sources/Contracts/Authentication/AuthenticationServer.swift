// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary
import Wire

/// The server's half of all exchanges of a host: fresh requests are answered, once each. Anonymous and without
/// encryption, as a server without configuration; who asks for more is refused. spec: oap §2
package struct AuthenticationServer: Sendable {
    /// To a request that is accepted.
    package struct Answer: Hashable, Sendable {
        /// What the layer carries back.
        package let response: [UInt8]
        /// What the client's application says, which is nothing yet.
        package let payload: [UInt8]
    }

    private var seen: SeenRequests

    package init(remembering capacity: Int = Limits.seenRequests) { seen = SeenRequests(capacity: capacity) }

    /// Requests that are remembered.
    package var remembered: Int { seen.count }

    /// The order is that of the specification: a request that is refused for its certificate or key is remembered, too.
    package mutating func answer(
        _ request: [UInt8], now: WallTime, digest: some AuthenticationDigest
    ) throws(AuthenticationTrouble) -> Answer {
        let message: AuthenticationMessage
        do throws(MalformedMessage) {
            message = try AuthenticationMessage(decoding: request, as: .request)
        } catch {
            throw .malformedRequest
        }
        try seen.note(message, now: now)
        guard message.certificate.isEmpty else { throw .clientCertificate }
        guard message.keyExchange.bytes.isEmpty else { throw .encryptionAsked }
        guard let hash = digest.digest(of: request, nid: message.digest?.rawValue ?? 0) else {
            throw .digestUnavailable
        }
        var response = AuthenticationMessage(id: message.id, timestamp: now.nanoseconds)
        response.requestHash = hash
        return Answer(response: response.encoded(), payload: message.payload)
    }
}
