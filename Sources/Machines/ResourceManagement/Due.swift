// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// What is due when a timer of irmd comes up.
enum Due: Sendable {
    case greeting(ConnectionID)
    case call(CallID)
    case booting(ProcessID)
    case transaction(RequestID)
    case ending(ProcessID)
    case shutdown
    case inspection(RequestID)
}

typealias ManagerTimer = TimerQueue<Due>.Timer
