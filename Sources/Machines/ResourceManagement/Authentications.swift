// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import FlowProtocol
import LocalProtocol
import Vocabulary

/// A step of an authentication that irmd has asked for.
package struct AuthenticationID: Identifier {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Steps of authentications take as long as they take: each is an action, and its outcome comes back as an event. What
/// waits for it may be gone by then.
extension ResourceManager {
    /// What waits for an outcome.
    enum Authentication {
        /// A call of this host, for which the IPCP will ask another.
        case request(CallID, with: ProcessID, Negotiation.Request)
        /// A flow for which the IPCP will ask the other host again.
        case repetition(FlowID)
        /// A flow that another host has accepted.
        case response(FlowID)
        /// A call of another host.
        case arrival(CallID)
    }

    mutating func authenticate(_ task: AuthenticationTask, for purpose: Authentication) -> AuthenticationID {
        authenticationCount += 1
        let id = AuthenticationID(authenticationCount)
        authentications[id] = purpose
        outgoing.append(.authenticate(id, task))
        return id
    }

    /// The allocation waits for the outcome, until its deadline.
    mutating func authenticate(_ task: AuthenticationTask, for purpose: Authentication, of allocation: Allocation) {
        book.authenticate(allocation, authenticate(task, for: purpose))
        arm(allocation.call, at: allocation.deadline)
    }

    mutating func authenticated(_ id: AuthenticationID, _ outcome: AuthenticationOutcome) {
        switch (authentications.removeValue(forKey: id), outcome) {
        case (.request(let call, let ipcp, let negotiation)?, .begun(let client)):
            guard let allocation = waiting(on: call, for: id) else { return }
            askOtherHost(allocation, with: ipcp, client, negotiation)
        case (.request(let call, _, _)?, .refused(let trouble)):
            if let allocation = waiting(on: call, for: id) { refuse(allocation, trouble.failure, trouble.text) }
        case (.repetition(let flow)?, .begun(let client)): askAgain(flow, client)
        case (.repetition(let flow)?, .refused(let trouble)): giveUpAsking(flow, trouble)
        case (.response(let flow)?, .checked(let payload)): otherHostIsAuthentic(flow, payload)
        case (.response(let flow)?, .refused(let trouble)): otherHostIsNotAuthentic(flow, trouble)
        case (.arrival(let call)?, .answered(let response)):
            if let allocation = waiting(on: call, for: id) { arrived(allocation, authentication: response) }
        case (.arrival(let call)?, .refused(let trouble)):
            if let allocation = waiting(on: call, for: id) { reject(allocation, trouble) }
        case (.request?, _), (.repetition?, _), (.response?, _), (.arrival?, _), (nil, _): break
        }
    }

    /// The allocation, if it still waits for this outcome.
    private mutating func waiting(on call: CallID, for id: AuthenticationID) -> Allocation? {
        guard case .authenticating(id, let allocation) = book.calls[call]?.stage else { return nil }
        guard book.isWanted(allocation) else {
            free(call)
            return nil
        }
        return allocation
    }
}
