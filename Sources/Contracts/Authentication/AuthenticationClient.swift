// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary
import Wire

/// The client's half of one exchange: makes the request, keeps it, and checks the response to it. One for each request
/// that is sent; a repetition of the same bytes is the same request, anything else needs another id. Anonymous and
/// without encryption; what asks for more is refused. spec: oap §3
package struct AuthenticationClient: Hashable, Sendable {
    /// What the layer carries to the server.
    package let request: [UInt8]
    private let id: [UInt8]

    /// - Parameters:
    ///   - id: 16 random bytes.
    ///   - payload: What the server is told beside the authentication, at most 65,535 bytes.
    package init(id: [UInt8], now: WallTime, payload: [UInt8] = []) {
        self.id = id
        var message = AuthenticationMessage(id: id, timestamp: now.nanoseconds)
        message.payload = payload
        request = message.encoded()
    }

    /// Whether the response is to this request, for whoever has sent several. `check` says if it is right.
    package func isAnswered(by response: [UInt8]) -> Bool { response.starts(with: id) }

    /// - Returns: What the server says beside the authentication.
    package func check(
        _ response: [UInt8], digest: some AuthenticationDigest
    ) throws(AuthenticationTrouble) -> [UInt8] {
        guard let expected = digest.digest(of: request, nid: 0) else { throw .digestUnavailable }
        let message: AuthenticationMessage
        do throws(MalformedMessage) {
            message = try AuthenticationMessage(decoding: response, as: .response(hashBytes: expected.count))
        } catch {
            throw .malformedResponse
        }
        guard message.id == id else { throw .otherRequest }
        guard message.certificate.isEmpty else { throw .serverCertificate }
        guard message.requestHash == expected else { throw .otherHash }
        // A flow that the server encrypts and we do not carries nothing.
        guard message.cipher == nil, message.keyExchange.bytes.isEmpty else { throw .encryptionImposed }
        return message.payload
    }
}
