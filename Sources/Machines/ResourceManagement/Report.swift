// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Vocabulary

/// What is worth a line of the log. The text is made only if the line is written; see `Report+Text.swift`.
package enum Report: Hashable, Sendable {
    case stopping
    case stopped
    case process(ProcessReport)
    case naming(NamingReport)
    case supervision(SupervisionReport)
    case flow(FlowReport)
    case peer(PeerReport)
    /// A management request that failed; what its sender is told.
    case refused(reason: String)
}

package enum ProcessReport: Hashable, Sendable {
    case added(ProcessID, program: [UInt8])
    case acceptsFlows
    case acceptsFlowsFor(ServiceName)
    case acceptsFurther(Int)
    case removed(ProcessID)
    /// A new session of the same pid.
    case replaced(ProcessID)
}

package enum NamingReport: Hashable, Sendable {
    case created(ServiceName)
    case exists(ServiceName)
    case destroyed(ServiceName)
    case unknown(ServiceName)
    case programBound([UInt8], ServiceName)
    case programUnbound([UInt8], ServiceName)
    case processBound(ProcessID, ServiceName)
    case processUnbound(ProcessID, ServiceName)
    case registered(ServiceName, ProcessID, hash: [UInt8])
    case unregistered(ServiceName, ProcessID)
    case changed(ServiceName)
}

/// Of IPCPs and of programs that irmd starts.
package enum SupervisionReport: Hashable, Sendable {
    case instantiated([UInt8], ProcessID)
    case starting([UInt8], ServiceName)
    case startFailed([UInt8], ServiceName, StartTrouble)
    case programEnded(ProcessID, [UInt8], ExitStatus)
    case ipcpCreated(ProcessID)
    case ipcpNotSpawned(IPCPName, reason: [UInt8])
    case ipcpBootFailed(ProcessID)
    case ipcpVersionDiffers(ProcessID, ProtocolVersion)
    case ipcpBootstrapped(ProcessID)
    case ipcpEnrolled(ProcessID, ServiceName)
    case ipcpConnected(ProcessID, ServiceName, component: [UInt8])
    case ipcpDisconnected(ProcessID, ServiceName, component: [UInt8])
    case ipcpRefused(ProcessID, Failure, reason: [UInt8])
    case ipcpSilent(ProcessID)
    case ipcpUnknown(ProcessID)
    case ipcpDied(ProcessID, IPCPName, ExitStatus)
    case ipcpRemoved(ProcessID)
}

package enum FlowReport: Hashable, Sendable {
    case allocating(ProcessID, ServiceName)
    case requestArrived(ServiceName)
    case allocated(FlowID)
    /// What the process is told.
    case failed(ProcessID, ServiceName, reason: String)
    case timedOut(ProcessID, ServiceName)
    case waitsForServer(ProcessID, ServiceName)
    /// By an operator.
    case destroyed(FlowID, UserID)
    case acceptorRefused(ProcessID, ServiceName, Failure)
    /// What another host asked for, at an IPCP.
    case arrivalRejected(ProcessID, Failure, from: [UInt8])
    case requestNotAuthentic(ServiceName, AuthenticationTrouble, from: [UInt8])
    case arrivalFailed(ServiceName, from: [UInt8], reason: String)
    case partlyDeallocated(FlowID, ProcessID)
    case deallocated(FlowID, ProcessID)
}

package enum PeerReport: Hashable, Sendable {
    case versionRefused(ProcessID, ProtocolVersion)
    case unexpectedMessage(ProcessID)
    case notPermitted(ProcessID, UserID)
    case tooManyConnections(UserID)
}
