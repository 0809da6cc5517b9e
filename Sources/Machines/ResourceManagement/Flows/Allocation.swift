// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A `flow_alloc` that has not been given a flow yet.
struct Allocation: Hashable, Sendable {
    let request: RequestID
    let call: CallID
    let process: ProcessID
    let name: ServiceName
    let quality: QualityOfService
    let deadline: Instant
    /// Ascends in the order of arrival.
    let arrival: UInt64
    /// Of a request of another host, which the IPCP `process` has brought.
    var origin: Origin?
    /// The other host was asked before.
    var isSecondAttempt = false
    /// When a program that was started for it shall have accepted.
    var startDeadline: Instant?
    /// Since when layers are asked for the name.
    var searched: Instant?
    /// When the patience of a name without a server ends.
    var serverDeadline: Instant?
    /// Acceptors that could not map the flow they were offered.
    var refusals = 0

    /// The earliest of the three.
    var limit: Instant { min(deadline, startDeadline ?? deadline, serverDeadline ?? deadline) }
}

/// The allocations that wait until a process accepts, by name.
struct WaitingAllocations: Sendable {
    private var queues: [ServiceName: ArrivalOrder<Waiting>] = [:]

    /// A call may wait again for the same name; the arrival tells one wait from the other.
    struct Waiting: Hashable, Sendable {
        let call: CallID
        let arrival: UInt64
    }

    var isEmpty: Bool { queues.isEmpty }
    /// The names that somebody waits for.
    var names: Dictionary<ServiceName, ArrivalOrder<Waiting>>.Keys { queues.keys }

    func contains(_ name: ServiceName) -> Bool { queues[name] != nil }
    /// In the order of arrival.
    func all(for name: ServiceName) -> [Waiting] { queues[name]?.inOrder ?? [] }
    func count(for name: ServiceName) -> Int { queues[name]?.count ?? 0 }
    func first(for name: ServiceName) -> CallID? { queues[name]?.first?.call }

    /// One that waited before gets its old place.
    mutating func add(_ allocation: Allocation) {
        queues[allocation.name, default: ArrivalOrder()].insert(
            Waiting(call: allocation.call, arrival: allocation.arrival), arrival: allocation.arrival)
    }

    mutating func remove(_ allocation: Allocation) {
        guard let place = queues.index(forKey: allocation.name) else { return }
        queues.values[place].remove(arrival: allocation.arrival)
        if queues.values[place].isEmpty { queues.remove(at: place) }
    }
}
