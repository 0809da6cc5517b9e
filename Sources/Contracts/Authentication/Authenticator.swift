// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// One step of an exchange between two hosts. A step may take long, because certificates are read and signatures computed;
/// so whoever needs it asks for it and gets the outcome later. spec: oap §2, §3
package enum AuthenticationTask: Hashable, Sendable {
    /// This host asks: make a request.
    case begin
    /// The other host has answered the request of this client.
    case check(AuthenticationClient, response: [UInt8])
    /// Another host asks.
    case answer(request: [UInt8])
}

/// What has come of an `AuthenticationTask`.
package enum AuthenticationOutcome: Hashable, Sendable {
    case begun(AuthenticationClient)
    case checked
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
            case .begin: return .begun(AuthenticationClient(id: chance.bytes(16), now: now))
            case .check(let client, let response):
                _ = try client.check(response, digest: digest)
                return .checked
            case .answer(let request):
                return .answered(response: try server.answer(request, now: now, digest: digest).response)
            }
        } catch {
            return .refused(error)
        }
    }
}
