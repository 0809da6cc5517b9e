// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Vocabulary

/// What an arriving request brings along.
struct Origin: Hashable, Sendable {
    /// Goes back to the other host with the answer.
    var authentication: [UInt8] = []
    /// That host, as people write it.
    let address: [UInt8]
}

/// The end of a flow that an IPCP has, and what the IPCP needs to reach the other host.
struct RemoteEnd: Sendable {
    let ipcp: ProcessID
    /// Which end it has.
    let end: End
    let reach: LayerReach
    let hash: [UInt8]
    /// What it is given to send along.
    let authentication: [UInt8]
    /// Waits for the other host's answer.
    let client: AuthenticationClient?

    /// The end, for the IPCP.
    func message(
        with offer: FlowOffer, _ request: RequestID, patience: TimeSpan, of user: UserID
    ) -> IPCPRequest {
        switch end {
        case .first: .accept(request, offer, authentication: authentication, user: user)
        case .second:
            .allocate(
                request, offer, hash: hash, authentication: authentication,
                patience: patience, user: user)
        }
    }
}
