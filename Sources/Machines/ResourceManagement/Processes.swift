// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import LocalProtocol
import Vocabulary

/// A process that is attached to irmd. A class, as `Connection` is and for the same reason.
final class AttachedProcess {
    let id: ProcessID
    let credentials: Credentials
    /// Its program's path as the kernel says, or what it says itself if irmd cannot see it or it is a script.
    let program: [UInt8]
    /// For lists: never so long that an entry does not fit a message.
    let programName: [UInt8]
    let features: Features
    var session: ConnectionID?
    var calls: Set<ConnectionID> = []
    /// Those of which it has an end that it has not let go.
    var flows: Set<FlowID> = []
    /// It is a server: it accepted at least once.
    var hasAccepted = false
    /// Descriptors that were sent to it with offers that it has neither taken nor refused.
    var undelivered = 0
    /// Offers that wait until earlier ones are taken, so that `undelivered` stays in its bound.
    var delayed = Deque<DelayedOffer>()

    struct DelayedOffer: Sendable {
        let flow: FlowID
        let end: End
    }

    init(id: ProcessID, credentials: Credentials, program: [UInt8], features: Features) {
        self.id = id
        self.credentials = credentials
        self.program = program
        self.programName = Array(fileName(program).prefix(Limits.programNameBytes))
        self.features = features
    }
}

/// The last component of a path.
func fileName(_ path: [UInt8]) -> [UInt8] {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return Array(path[(slash + 1)...])
}
