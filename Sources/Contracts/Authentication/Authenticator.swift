// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// One step of an exchange between two hosts. A step may take long, because certificates are read and signatures computed;
/// so whoever needs it asks for it and gets the outcome later. spec: oap §2, §3
package enum AuthenticationTask: Hashable, Sendable {
    /// This host asks: make a request. `payload`: what the other host is told beside it.
    case begin(payload: [UInt8])
    /// The other host has answered the request of this client.
    case check(AuthenticationClient, response: [UInt8])
    /// Another host asks. `payload`: what it is told beside the response.
    case answer(request: [UInt8], payload: [UInt8])
}

/// What has come of an `AuthenticationTask`.
package enum AuthenticationOutcome: Hashable, Sendable {
    case begun(AuthenticationClient)
    /// `payload`: what the other host says beside its response.
    case checked(payload: [UInt8])
    case answered(response: [UInt8])
    case refused(AuthenticationTrouble)
}

/// Does the steps of all exchanges of a host.
package struct Authenticator<Digest: AuthenticationDigest>: Sendable {
    private var server = AuthenticationServer()
    private var chance: RandomSource
    private let digest: Digest

    /// `seed`: what others shall not guess.
    package init(_ digest: Digest, seed: UInt64) {
        self.digest = digest
        chance = RandomSource(seed: seed)
    }

    package mutating func perform(_ task: AuthenticationTask, now: WallTime) -> AuthenticationOutcome {
        do throws(AuthenticationTrouble) {
            switch task {
            case .begin(let payload):
                return .begun(AuthenticationClient(id: chance.bytes(16), now: now, payload: payload))
            case .check(let client, let response):
                return .checked(payload: try client.check(response, digest: digest))
            case .answer(let request, let payload):
                return .answered(response: try server.answer(request, payload: payload, now: now, digest: digest))
            }
        } catch {
            return .refused(error)
        }
    }
}
