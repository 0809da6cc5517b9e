// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import FlowProtocol
import LocalProtocol
import Vocabulary

/// What an arriving request brings along.
struct Origin: Hashable, Sendable {
    /// Goes back to the other host with the answer.
    var authentication: [UInt8] = []
    let negotiated: Negotiation.Result
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
    /// What waits for the other host's answer; nil: the other host has asked.
    var inquiry: Inquiry?
    /// What both hosts have agreed on; nil: the other host has not answered.
    var negotiated: Negotiation.Result?

    /// How the other host was asked.
    struct Inquiry: Sendable {
        /// One for each request that was sent. The other host may answer any of them.
        var clients: [AuthenticationClient]
        let negotiation: Negotiation.Request
    }

    /// The end, for the IPCP.
    func message(
        with offer: FlowOffer, _ request: RequestID, patience: TimeSpan, of user: UserID
    ) -> IPCPRequest {
        switch end {
        case .first:
            .accept(
                request, offer, authentication: authentication, user: user, isOurs: negotiated?.isOurs == true)
        case .second:
            .allocate(
                request, offer, hash: hash, authentication: authentication,
                patience: patience, user: user)
        }
    }
}
