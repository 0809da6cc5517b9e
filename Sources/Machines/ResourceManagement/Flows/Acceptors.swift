// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The `flow_accept` calls that wait, and which of them gets the next flow. spec: irmd §5
///
/// An accept serves every name that its process is bound to, so it stands here once, under its process, and a request
/// chooses among the processes of its name: accepting costs the same with one name and with thousands.
struct Acceptors: Sendable {
    struct Accept: Hashable, Sendable {
        let call: CallID
        let process: ProcessID
        let request: RequestID
        let deadline: Instant?
        /// Ascends in the order of arrival.
        fileprivate let arrival: UInt64
    }

    private var waiting: [ProcessID: ArrivalOrder<Accept>] = [:]
    private var arrivalOf: [CallID: UInt64] = [:]
    private var arrivals: UInt64 = 0

    /// An accept that has just arrived, to be added or to be given a flow at once.
    mutating func arrival(
        of request: RequestID, on call: CallID, of process: ProcessID, deadline: Instant?
    ) -> Accept {
        arrivals += 1
        return Accept(call: call, process: process, request: request, deadline: deadline, arrival: arrivals)
    }

    /// A new one, or one that was taken for a flow of which nothing came: to its old place.
    mutating func add(_ accept: Accept) {
        waiting[accept.process, default: ArrivalOrder()].insert(accept, arrival: accept.arrival)
        arrivalOf[accept.call] = accept.arrival
    }

    mutating func remove(_ call: CallID, of process: ProcessID) {
        guard let arrival = arrivalOf.removeValue(forKey: call) else { return }
        guard let place = waiting.index(forKey: process) else { return }
        waiting.values[place].remove(arrival: arrival)
        if waiting.values[place].isEmpty { waiting.remove(at: place) }
    }

    mutating func removeAll(of process: ProcessID) {
        for accept in waiting.removeValue(forKey: process)?.inOrder ?? [] { arrivalOf[accept.call] = nil }
    }

    func isWaiting(_ process: ProcessID) -> Bool { waiting[process] != nil }

    func count(of processes: Set<ProcessID>) -> Int {
        processes.reduce(0) { $0 + (waiting[$1]?.count ?? 0) }
    }

    /// Takes the accept whose turn it is: round-robin the longest waiting, spillover the most recent.
    mutating func take(among processes: Set<ProcessID>, _ balancing: LoadBalancing) -> Accept? {
        var best: Accept?
        func consider(_ process: ProcessID) {
            switch balancing {
            case .roundRobin:
                guard let accept = waiting[process]?.first, accept.arrival < best?.arrival ?? .max else {
                    return
                }
                best = accept
            case .spillover:
                guard let accept = waiting[process]?.last, accept.arrival > best?.arrival ?? 0 else { return }
                best = accept
            }
        }
        // Through the shorter of the two: a name may have a thousand processes of which one waits, or the reverse.
        if waiting.count < processes.count {
            for process in waiting.keys where processes.contains(process) { consider(process) }
        } else {
            for process in processes { consider(process) }
        }
        guard let best else { return nil }
        remove(best.call, of: best.process)
        return best
    }
}
