// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// What irmd has started: IPCPs, with what it asks of them and for whom, and programs for names. One of irmd's four parts
/// (see `ResourceManager`): it knows no connection, no name's bindings and no flow, and says nothing to anybody.
struct Children: Sendable {
    private(set) var ipcps: [ProcessID: IPCPRecord] = [:]
    var programs = StartedPrograms()
    /// The names of all IPCPs but those that are being spawned.
    private var names: Set<IPCPName> = []
    private var spawning: [IPCPName: Spawning] = [:]
    private var shares = Shares<UserID>(of: Limits.ipcps)
    private(set) var transactions: [RequestID: IPCPTransaction] = [:]
    private var requests: UInt64 = 0

    struct Spawning: Sendable {
        let type: IPCPType
        let owner: UserID
        let requester: Requester
    }

    /// Whether a new IPCP may be made.
    enum Admission {
        case admitted
        /// There is one of this name.
        case exists
        case tooMany
        case tooManyOfOwner
    }

    var isEmpty: Bool { ipcps.isEmpty && spawning.isEmpty && programs.isEmpty }
    /// In ascending order.
    var processes: [ProcessID] { (ipcps.keys + programs.processes).sorted() }
    /// By type, then by pid.
    var ipcpsInOrder: [IPCPRecord] {
        ipcps.values.sorted { ($0.type.rawValue, $0.process) < ($1.type.rawValue, $1.process) }
    }

    subscript(ipcp: ProcessID) -> IPCPRecord? { _read { yield ipcps[ipcp] } }

    // Birth and end of IPCPs.

    mutating func beginSpawning(
        _ name: IPCPName, _ type: IPCPType, owner: UserID, for requester: Requester, isExempt: Bool
    ) -> Admission {
        guard !names.contains(name), spawning[name] == nil else { return .exists }
        guard names.count + spawning.count < Limits.ipcps else { return .tooMany }
        guard shares.add(for: owner, isExempt: isExempt) else { return .tooManyOfOwner }
        spawning[name] = Spawning(type: type, owner: owner, requester: requester)
        return .admitted
    }

    /// Nil if nobody knows of it.
    mutating func notSpawned(_ name: IPCPName) -> Spawning? {
        guard let spawning = spawning.removeValue(forKey: name) else { return nil }
        shares.remove(for: spawning.owner)
        return spawning
    }

    /// It boots until `deadline`. False if nobody knows of it.
    mutating func spawned(_ name: IPCPName, as process: ProcessID, until deadline: Instant) -> Bool {
        guard let spawning = spawning.removeValue(forKey: name) else { return false }
        names.insert(name)
        ipcps[process] = IPCPRecord(
            process: process, name: name, type: spawning.type, owner: spawning.owner,
            state: .booting(spawning.requester, deadline: deadline))
        return true
    }

    mutating func remove(_ process: ProcessID) -> IPCPRecord? {
        guard let ipcp = ipcps.removeValue(forKey: process) else { return nil }
        names.remove(ipcp.name)
        shares.remove(for: ipcp.owner)
        return ipcp
    }

    mutating func set(_ state: IPCPRecord.State, of process: ProcessID) { ipcps[process]?.state = state }

    /// In place of the one that is returned.
    mutating func exchange(_ timer: ManagerTimer?, of process: ProcessID) -> ManagerTimer? {
        defer { ipcps[process]?.timer = timer }
        return ipcps[process]?.timer
    }

    mutating func setReach(_ reach: LayerReach, of process: ProcessID) { ipcps[process]?.reach = reach }

    // Requests to IPCPs.

    mutating func nextRequest() -> RequestID {
        requests += 1
        return RequestID(requests)
    }

    mutating func begin(_ transaction: IPCPTransaction, as request: RequestID) {
        transactions[request] = transaction
        ipcps[transaction.ipcp]?.unanswered.insert(request)
    }

    /// Nil if the IPCP was not asked that, or has answered.
    mutating func endTransaction(_ request: RequestID, of ipcp: ProcessID) -> IPCPTransaction? {
        guard let transaction = transactions[request], transaction.ipcp == ipcp else { return nil }
        ipcps[ipcp]?.unanswered.remove(request)
        if let user = transaction.user { endAsking(ipcp, for: user) }
        return transactions.removeValue(forKey: request)
    }

    // What a user may have the IPCP asked at once.

    func mayAsk(_ ipcp: ProcessID, for user: UserID, isExempt: Bool) -> Bool {
        ipcps[ipcp]?.asked.hasRoom(for: user, isExempt: isExempt) == true
    }

    /// False if that is no more than the user may; then nothing is counted.
    mutating func beginAsking(_ ipcp: ProcessID, for user: UserID, isExempt: Bool) -> Bool {
        ipcps[ipcp]?.asked.add(for: user, isExempt: isExempt) == true
    }

    mutating func endAsking(_ ipcp: ProcessID, for user: UserID) { ipcps[ipcp]?.asked.remove(for: user) }

    // What other hosts may ask through the IPCP at once, by name.

    func mayArrive(at ipcp: ProcessID, for name: ServiceName) -> Bool {
        ipcps[ipcp]?.arrived.hasRoom(for: name) == true
    }

    mutating func beginArrival(at ipcp: ProcessID, for name: ServiceName) -> Bool {
        ipcps[ipcp]?.arrived.add(for: name) == true
    }

    mutating func endArrival(at ipcp: ProcessID, for name: ServiceName) { ipcps[ipcp]?.arrived.remove(for: name) }

    // The flows of its layer.

    mutating func add(_ flow: FlowID, to ipcp: ProcessID) { ipcps[ipcp]?.flows.insert(flow) }
    mutating func remove(_ flow: FlowID, from ipcp: ProcessID) { ipcps[ipcp]?.flows.remove(flow) }
}
