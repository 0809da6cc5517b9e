// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import LocalProtocol
import Vocabulary

/// A `flow_alloc` that has not been given a flow yet.
struct Allocation: Hashable, Sendable {
    let request: RequestID
    let connection: ConnectionID
    let process: ProcessID
    let name: ServiceName
    let quality: QualityOfService
    let deadline: Instant
    /// Ascends in the order of arrival.
    let arrival: UInt64
    /// Of a request of another host, which the IPCP `process` has brought.
    var origin: ResourceManager.Origin?
    /// The other host was asked before.
    var isSecondAttempt = false
    /// When a program that was started for it shall have accepted.
    var startDeadline: Instant?
    /// Acceptors that could not map the flow they were offered.
    var refusals = 0

    /// The earlier of the two.
    var limit: Instant { startDeadline.map { min($0, deadline) } ?? deadline }
}

/// The allocations that wait until a process accepts, by name.
struct WaitingAllocations: Sendable {
    private var queues: [ServiceName: Deque<ConnectionID>] = [:]

    var isEmpty: Bool { queues.isEmpty }
    /// The names that somebody waits for.
    var names: Dictionary<ServiceName, Deque<ConnectionID>>.Keys { queues.keys }

    func contains(_ name: ServiceName) -> Bool { queues[name] != nil }
    func connections(for name: ServiceName) -> [ConnectionID] { Array(queues[name] ?? []) }
    func first(for name: ServiceName) -> ConnectionID? { queues[name]?.first }

    mutating func append(_ connection: ConnectionID, for name: ServiceName) {
        queues[name, default: []].append(connection)
    }

    /// For an allocation that waited already.
    mutating func prepend(_ connection: ConnectionID, for name: ServiceName) {
        queues[name, default: []].prepend(connection)
    }

    mutating func remove(_ connection: ConnectionID, for name: ServiceName) {
        queues[name]?.removeAll { $0 == connection }
        if queues[name]?.isEmpty == true { queues[name] = nil }
    }
}
