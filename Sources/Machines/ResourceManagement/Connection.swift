// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A connection to irmd. A class, because it is looked at far more often than it is kept: each look would copy all of it.
/// The machine has the one reference that lasts.
final class Connection {
    let credentials: Credentials
    var stage: Stage
    /// One for any number of requests: it is set again, for the request that is there then, when it comes up.
    var alarm: (deadline: Instant, timer: TimerQueue<ResourceManager.Due>.Timer)?
    /// No connection of its own: a request over the channel of an IPCP. Gone when the request is.
    let isOfChannel: Bool
    /// The name that another host asks for: the request counts in the name's share.
    let arrivalName: ServiceName?

    init(
        _ credentials: Credentials, _ stage: Stage = .greeting, isOfChannel: Bool = false,
        arrivalName: ServiceName? = nil
    ) {
        self.credentials = credentials
        self.stage = stage
        self.isOfChannel = isOfChannel
        self.arrivalName = arrivalName
    }

    enum Stage: Sendable {
        /// No message yet.
        case greeting
        case session
        case call(Call)
        case management
    }

    /// What a call connection is used for: one request at a time.
    enum Call: Sendable {
        case idle
        /// Waits for an acceptor.
        case allocating(Allocation)
        /// Waits until the layers have said whether they know the name.
        case searching(NameSearch)
        case accepting(RequestID, deadline: Instant?)
        /// Its request has a flow, which is not taken yet.
        case attached(FlowID, End)
    }

    var call: Call? {
        get { if case .call(let call) = stage { call } else { nil } }
        set { if let newValue { stage = .call(newValue) } }
    }
}
