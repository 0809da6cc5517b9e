// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A connection to irmd. A class, because a connection is looked at far more often than it is kept: each look would copy
/// all of it.
final class Connection {
    enum Stage {
        /// No message yet.
        case greeting
        case session
        case call(CallID)
        case management
    }

    let credentials: Credentials
    var stage = Stage.greeting
    /// When the greeting must have come.
    var timer: ManagerTimer?

    init(_ credentials: Credentials) { self.credentials = credentials }

    var call: CallID? { if case .call(let call) = stage { call } else { nil } }
}
