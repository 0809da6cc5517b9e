// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Names a call while the call exists. Ascends in the order in which calls were opened.
struct CallID: Identifier {
    let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The way by which one request at a time is made, for a flow or for an end of one, and by which its answer goes back. A
/// class, because a call is looked at far more often than it is kept: each look would copy all of it.
final class Call {
    enum Way {
        /// A process calls over a connection of its own, for any number of requests.
        case connection(ConnectionID)
        /// Another host asks for a flow, or is asked for one, through this IPCP. The call is gone when the request is.
        case channel(ProcessID)
    }

    enum Stage {
        /// Nothing is asked.
        case idle
        /// Waits for a step of the authentication with another host.
        case authenticating(AuthenticationID, Allocation)
        /// Waits for an acceptor.
        case allocating(Allocation)
        /// Waits until the layers have said whether they know the name.
        case searching(NameSearch)
        case accepting(RequestID, deadline: Instant?)
        /// Its request has a flow, which is not taken yet.
        case attached(FlowID, End)
    }

    /// One for any number of requests: when it comes up it is set again, for the request that is there then.
    struct Alarm {
        let deadline: Instant
        let timer: ManagerTimer
    }

    let way: Way
    /// The process that calls: the IPCP, if it is another host that asks.
    let credentials: Credentials
    /// The name that another host asks for: the request counts in the name's share.
    let arrivalName: ServiceName?
    var stage = Stage.idle
    var alarm: Alarm?

    init(_ way: Way, _ credentials: Credentials, arrivalName: ServiceName? = nil) {
        self.way = way
        self.credentials = credentials
        self.arrivalName = arrivalName
    }

    var process: ProcessID { credentials.process }
    var connection: ConnectionID? { if case .connection(let connection) = way { connection } else { nil } }
}
