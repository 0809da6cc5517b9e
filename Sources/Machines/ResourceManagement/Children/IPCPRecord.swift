// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Who waits for the outcome of a management request.
struct Requester: Hashable, Sendable {
    let connection: ConnectionID
    let request: RequestID
}

/// What a layer carries to other hosts.
struct LayerReach: Sendable {
    /// Bytes of the longest message that fits a packet.
    let messageBytes: UInt32
    /// What the layer says of each flow.
    let terms: FlowTerms
}

/// An IPC process that irmd started. Only `Children` changes it.
struct IPCPRecord: Sendable {
    let process: ProcessID
    let name: IPCPName
    let type: IPCPType
    /// Who created it.
    let owner: UserID
    var state: State
    /// Requests it has not answered.
    var unanswered: Set<RequestID> = []
    /// What users wait for here: management, questions for names, flows to other hosts that are asked for.
    var asked = Shares<UserID>(of: Limits.ipcpRequests)
    /// Requests of other hosts that wait, by the names that they are for.
    var arrived = Shares<ServiceName>(of: Limits.arrivedRequests)
    /// What its layer carries to other hosts; nil: the layer reaches none.
    var reach: LayerReach?
    /// Until it has booted, or has ended.
    var timer: ManagerTimer?
    /// Those of its layer. Of flows to other hosts there are books of the process's.
    var flows: Set<FlowID> = []

    enum State: Sendable {
        /// Started, has not said that it is ready.
        case booting(Requester, deadline: Instant)
        case initialised
        case bootstrapping
        case operational(LayerName, DirectoryHash)
        /// It was told to end, or irmd gave it up; these wait until it is gone.
        case ending([Requester])
    }

    var layer: (name: LayerName, hash: DirectoryHash)? {
        if case .operational(let name, let hash) = state { (name, hash) } else { nil }
    }

    var isEnding: Bool { if case .ending = state { true } else { false } }
}

/// What irmd asked an IPCP, and for whom.
struct IPCPTransaction: Sendable {
    let ipcp: ProcessID
    /// Nil = irmd itself, which does not wait.
    let requester: Requester?
    /// In whose share it counts; nil: in none, because it is irmd's own.
    let user: UserID?
    let purpose: Purpose
    /// When irmd gives it up.
    let timer: ManagerTimer

    enum Purpose: Sendable {
        case bootstrap(LayerConfiguration)
        case enroll(destination: ServiceName)
        case connect(destination: ServiceName, component: [UInt8])
        case disconnect(destination: ServiceName, component: [UInt8])
        case register(ServiceName, NameRecord.Registration)
        case unregister(ServiceName)
        case describe
        /// For the allocation on this call.
        case query(CallID, RequestID)
    }
}
