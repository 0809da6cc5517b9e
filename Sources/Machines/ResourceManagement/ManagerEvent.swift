// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Vocabulary

/// Who is at the other end of a connection, as the kernel says.
package struct Credentials: Hashable, Sendable {
    package let process: ProcessID
    package let user: UserID
    package let group: GroupID
    /// Supplementary groups.
    package let groups: [GroupID]

    package init(process: ProcessID, user: UserID, group: GroupID, groups: [GroupID] = []) {
        self.process = process
        self.user = user
        self.group = group
        self.groups = groups
    }
}

/// What the driver looked up in the system because a message names it; the machine cannot look.
package enum SystemFact: Hashable, Sendable {
    /// Nothing was asked, or nothing was found.
    case nothing
    /// With a greeting: the program that the sender runs. With `bindProgram`: the file, without symbolic links.
    case program([UInt8])
    /// With `bindProgram`: it cannot be started.
    case unusable(Failure)
    /// With `bindProgram`: it shall be started, and users who are not trusted can change this file or directory.
    case changeable([UInt8])
    /// With `bindProcess`: the process lives, and is this user's. Its number here, which is not what a process of another
    /// PID namespace says.
    case process(UserID, number: ProcessID? = nil)
}

/// How a child ended.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}

/// What happens to irmd.
package enum ManagerEvent: Hashable, Sendable {
    case connected(ConnectionID, Credentials)
    case received(ConnectionID, ProcessMessage, SystemFact)
    case disconnected(ConnectionID)
    /// A process that is watched is gone; or was not there when the watch began.
    case died(ProcessID)
    case childExited(ProcessID, ExitStatus)
    /// The outcome of `ManagerAction.createFlowMemory`; comes before any other event.
    case flowMemoryCreated(FlowID)
    case flowMemoryFailed(FlowID, Failure)
    /// The outcome of `ManagerAction.spawnIPCP`.
    case ipcpSpawned(IPCPName, ProcessID, program: [UInt8])
    case ipcpNotSpawned(IPCPName, Failure, reason: [UInt8])
    case ipcpReplied(ProcessID, IPCPReply)
    /// The channel of an IPCP ended, or it sent what is no message.
    case ipcpChannelEnded(ProcessID)
    /// The outcome of `ManagerAction.spawnProgram`.
    case programSpawned(StartID, ProcessID)
    case programNotSpawned(StartID, Failure)
    /// The outcome of `ManagerAction.authenticate`.
    case authenticated(AuthenticationID, AuthenticationOutcome)
    /// The deadline has come.
    case timeout
    /// The daemon shall end.
    case stop
}
