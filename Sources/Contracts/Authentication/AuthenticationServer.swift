// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary
import Wire

/// The server's half of all exchanges of a host: fresh requests are answered, once each. Anonymous and without
/// encryption, as a server without configuration; who asks for more is refused. spec: oap §2
package struct AuthenticationServer: Sendable {
    private var seen: SeenRequests

    package init(remembering capacity: Int = Limits.seenRequests) { seen = SeenRequests(capacity: capacity) }

    /// Requests that are remembered.
    package var remembered: Int { seen.count }

    /// What the client says beside the authentication; not to be relied on before the request is accepted. Nothing if the
    /// request is malformed, which `answer` will find.
    package static func payload(of request: [UInt8]) -> [UInt8] {
        (try? AuthenticationMessage(decoding: request, as: .request))?.payload ?? []
    }

    /// The order is that of the specification: a request that is refused for its certificate or key is remembered, too.
    /// - Parameter payload: What the client is told beside the authentication, at most 65,535 bytes.
    /// - Returns: What the layer carries back.
    package mutating func answer(
        _ request: [UInt8], payload: [UInt8] = [], now: WallTime, digest: some AuthenticationDigest
    ) throws(AuthenticationTrouble) -> [UInt8] {
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
        response.payload = payload
        response.requestHash = hash
        return response.encoded()
    }
}
