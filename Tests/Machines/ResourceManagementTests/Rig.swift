// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Vocabulary

@testable import ResourceManagement

/// Bytes of the name stand for its hash, so that tests can read it.
struct PlainHashing: NameHashing {
    func digest(of name: ServiceName, with algorithm: DirectoryHash) -> [UInt8] { [UInt8](name.bytes.prefix(4)) }
}

/// A sum, so that tests need no arithmetic.
struct PlainDigest: AuthenticationDigest {
    func digest(of bytes: [UInt8], nid: UInt16) -> [UInt8]? {
        var sum: UInt64 = 0
        for byte in bytes { sum = sum &* 31 &+ UInt64(byte) }
        return (0..<48).map { UInt8(truncatingIfNeeded: sum >> UInt64($0 % 8 * 8)) }
    }
}

/// A resource manager, and the part of the driver that always says yes.
struct Rig {
    var manager: ResourceManager
    var now = Instant(nanoseconds: 1_000_000_000)
    /// What was done since `clear`.
    var actions: [ManagerAction] = []
    var nextConnection: UInt64 = 1
    var nextRequest: UInt64 = 100
    var authenticator = Authenticator(PlainDigest(), seed: 9)
    /// Steps of authentications wait in `authentications` until a test does them.
    var authenticatesLater = false
    /// For the requests of other hosts.
    var chance = RandomSource(seed: 10)
    var authentications: [(id: AuthenticationID, task: AuthenticationTask)] = []
    /// Outcome of the creation of flow memory.
    var memoryFailure: Failure?

    static let irmdUser = UserID(500)

    init() {
        manager = ResourceManager(
            ManagerIdentity(
                process: ProcessID(1), user: Rig.irmdUser, managers: GroupID(77), incarnation: 9,
                runtimeDirectory: Array("/run".utf8), started: Instant(nanoseconds: 0)),
            hashing: PlainHashing(), seed: 11)
    }

    /// What the machine does at once in consequence; also kept in `actions`.
    @discardableResult
    mutating func handle(_ event: ManagerEvent) -> [ManagerAction] {
        var done: [ManagerAction] = []
        manager.handle(event, now: now, into: &done)
        var all = done
        for action in done {
            if case .createFlowMemory(let flow, _, _) = action {
                all += handle(memoryFailure.map { .flowMemoryFailed(flow, $0) } ?? .flowMemoryCreated(flow))
            } else if case .authenticate(let id, let task) = action {
                authentications.append((id, task))
                if !authenticatesLater { all += authenticate() }
            }
        }
        actions += done
        return all
    }

    /// Does the steps of authentications that wait.
    @discardableResult
    mutating func authenticate() -> [ManagerAction] {
        var done: [ManagerAction] = []
        while !authentications.isEmpty {
            let (id, task) = authentications.removeFirst()
            done += handle(.authenticated(id, authenticator.perform(task, now: WallTime(nanoseconds: 0))))
        }
        return done
    }

    mutating func clear() { actions = [] }

    @discardableResult
    mutating func advance(_ span: TimeSpan) -> [ManagerAction] {
        now = now + span
        var done = handle(.timeout)
        while let deadline = manager.deadline, deadline <= now { done += handle(.timeout) }
        return done
    }

    mutating func connect(
        _ role: ConnectionRole, pid: Int32, uid: UInt32 = 1_000, groups: [GroupID] = [], program: String = "/bin/app",
        features: Features = []
    ) -> ConnectionID {
        let id = ConnectionID(nextConnection)
        nextConnection += 1
        handle(
            .connected(
                id,
                Credentials(process: ProcessID(pid), user: UserID(uid), group: GroupID(uid), groups: groups)))
        handle(
            .received(
                id, .hello(Hello(role: role, features: features)), .program(Array(program.utf8))))
        return id
    }

    mutating func request() -> RequestID {
        nextRequest += 1
        return RequestID(nextRequest)
    }

    @discardableResult
    mutating func manage(
        _ management: ManagementRequest, on connection: ConnectionID, _ fact: SystemFact = .nothing
    ) -> [ManagerAction] {
        handle(.received(connection, .manage(request(), management), fact))
    }

    @discardableResult
    mutating func accept(_ connection: ConnectionID, timeout: TimeSpan? = nil) -> [ManagerAction] {
        handle(.received(connection, .accept(request(), timeout: timeout), .nothing))
    }

    @discardableResult
    mutating func allocate(
        _ connection: ConnectionID, _ name: String, _ quality: QualityOfService = .raw, timeout: TimeSpan? = nil
    ) -> [ManagerAction] {
        handle(
            .received(connection, .allocate(request(), service(name), quality, timeout: timeout), .nothing))
    }

    @discardableResult
    mutating func take(_ flow: FlowID, _ connection: ConnectionID) -> [ManagerAction] {
        handle(.received(connection, .taken(flow), .nothing))
    }
}

func service(_ name: String) -> ServiceName {
    guard let name = ServiceName(name) else { preconditionFailure("not a name: \(name)") }
    return name
}

/// An attached process with its session and one call connection.
struct Attached {
    let pid: ProcessID
    let session: ConnectionID
    let call: ConnectionID

    init(
        _ rig: inout Rig, pid: Int32, uid: UInt32 = 1_000, program: String = "/bin/app", features: Features = []
    ) {
        self.pid = ProcessID(pid)
        session = rig.connect(.session, pid: pid, uid: uid, program: program, features: features)
        call = rig.connect(.call, pid: pid, uid: uid, program: program, features: features)
    }
}

extension [ManagerAction] {
    /// The offers among them, with where they went.
    var offers: [(offer: FlowOffer, connection: ConnectionID)] {
        compactMap { if case .offer(let offer, _, let connection) = $0 { (offer, connection) } else { nil } }
    }

    var failures: [Failure] {
        compactMap { if case .send(.failed(_, let failure, _), _) = $0 { failure } else { nil } }
    }

    func failures(on connection: ConnectionID) -> [Failure] {
        compactMap { if case .send(.failed(_, let failure, _), connection) = $0 { failure } else { nil } }
    }

    /// What whoever is refused is told.
    var reasons: [String] {
        compactMap { if case .send(.failed(_, _, let reason), _) = $0 { printable(reason) } else { nil } }
    }

    var warnings: [String] { reports.filter { $0.level == .warning }.map(\.text) }

    var reports: [Report] { compactMap { if case .report(let report) = $0 { report } else { nil } } }

    /// Without what only tells people.
    var deeds: [ManagerAction] { filter { if case .report = $0 { false } else { true } } }

    var results: [ManagementResult] {
        compactMap { if case .send(.result(_, let result), _) = $0 { result } else { nil } }
    }
}

extension Rig {
    /// A bootstrapped local IPCP with the pid 300.
    mutating func makeLocalLayer(on management: ConnectionID, name: String = "local") throws -> ProcessID {
        let ipcp = ProcessID(300 + Int32(manager.children.ipcps.count))
        guard let ipcpName = IPCPName(name), let layer = LayerName(name + "-layer") else {
            throw Failure.invalid
        }
        manage(.createIPCP(ipcpName, .local), on: management)
        handle(.ipcpSpawned(ipcpName, ipcp, program: Array("/sbin/ipcpd-local".utf8)))
        handle(.ipcpReplied(ipcp, .initialised(.current, .local)))
        manage(
            .bootstrapIPCP(ipcp, LayerConfiguration(layer: layer, hash: .sha3x256, parameters: .local)), on: management)
        succeedTransactions(of: ipcp)
        return ipcp
    }

    mutating func register(_ name: String, with ipcp: ProcessID, on management: ConnectionID) {
        manage(.registerName(service(name), ipcp), on: management)
        succeedTransactions(of: ipcp)
    }

    mutating func succeedTransactions(of ipcp: ProcessID) {
        for (request, transaction) in manager.children.transactions where transaction.ipcp == ipcp {
            handle(.ipcpReplied(ipcp, .succeeded(request)))
        }
    }
}
