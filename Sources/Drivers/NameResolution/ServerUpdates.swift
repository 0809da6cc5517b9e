// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import Platform
import Shims
import Synchronization
import Vocabulary

/// What is to be told the DNS server, one update after the other, so that a name that is registered and unregistered is
/// not registered at last. Its thread begins when there is work, and ends when there is none.
final class ServerUpdates: Sendable {
    private struct State: Sendable {
        var waiting: Deque<DNSUpdate> = []
        var hasThread = false
        /// What the thread is at.
        var current: DNSUpdate?

        var unfinished: [DNSUpdate] { (current.map { [$0] } ?? []) + waiting }
        /// When all must be done, because the daemon ends.
        var end: Instant?
    }

    /// Held for a few instructions, and around no call that waits.
    private let state = Mutex(State())
    /// Raised at the end: what is being sent then is given up.
    private let interruption: Descriptor
    /// Raised when the last update is done.
    private let completion: Descriptor
    private let log: @Sendable (LogLevel, String) -> Void

    init(log: @escaping @Sendable (LogLevel, String) -> Void) throws(Failure) {
        interruption = try ServerUpdates.counter()
        completion = try ServerUpdates.counter()
        self.log = log
    }

    private static func counter() throws(Failure) -> Descriptor {
        let result = cl_eventfd()
        guard result >= 0 else { throw Failure(result: Int(result)) }
        return Descriptor(owning: result)
    }

    func append(_ update: DNSUpdate) {
        let isAccepted = state.withLock { state in
            guard state.waiting.count < Limits.names, state.end == nil else { return false }
            state.waiting.append(update)
            return true
        }
        guard isAccepted else { return log(.error, "\(update) is not sent: too many wait, or the IPCP ends.") }
        work()
    }

    /// The last update. Those before it that are not done are given up, and the names of them go with the others: the
    /// server may have heard of them. Returns when that is done or has failed.
    func end(with last: DNSUpdate, within time: TimeSpan) {
        let end = Clock.now() + time
        let isNeeded = state.withLock { state in
            let labels = Set(last.labels + state.unfinished.flatMap(\.labels))
            state.waiting = Deque(ServerUpdates.parts(of: last, labels.sorted { $0.lexicographicallyPrecedes($1) }))
            state.end = end
            return !labels.isEmpty
        }
        guard isNeeded else { return }
        EventCounter.raise(interruption.number)
        work()
        let patience = (end + Limits.withdrawalGuard).since(Clock.now()).nanoseconds / 1_000_000
        if cl_poll_one(completion.number, Int16(POLLIN), Int32(patience), nil, nil) == 1 { return }
        // A system in trouble: the thread is in a call that should not wait.
        for update in state.withLock({ $0.unfinished }) { report(update, "nsupdate did not end when it was killed") }
    }

    private static func parts(of update: DNSUpdate, _ labels: [[UInt8]]) -> [DNSUpdate] {
        stride(from: 0, to: labels.count, by: Limits.namesPerUpdate).map { start in
            var part = update
            part.labels = Array(labels[start...].prefix(Limits.namesPerUpdate))
            return part
        }
    }

    /// Sees to it that there is a thread if there is work.
    private func work() {
        let isNeeded = state.withLock { state in
            guard !state.hasThread, !state.waiting.isEmpty else { return false }
            state.hasThread = true
            return true
        }
        guard isNeeded else { return }
        do throws(Failure) {
            try Thread.start { while let (update, end) = self.next() { self.send(update, end) } }
        } catch {
            while let (lost, _) = next() { report(lost, "\(error)") }
        }
    }

    /// Nil: the thread ends.
    private func next() -> (DNSUpdate, end: Instant?)? {
        let next = state.withLock { state in
            state.current = state.waiting.popFirst()
            state.hasThread = state.current != nil
            return (state.current, state.end)
        }
        guard let update = next.0 else {
            if next.1 != nil { EventCounter.raise(completion.number) }
            return nil
        }
        return (update, next.1)
    }

    private func send(_ update: DNSUpdate, _ end: Instant?) {
        let outcome = ServerUpdate.send(
            update, until: end ?? Clock.now() + Limits.updateTimeout,
            interruption: end == nil ? interruption.number : nil)
        switch outcome {
        case .done: log(end == nil ? .debug : .info, "\(update) is done.")
        // The last update has its names.
        case .interrupted: break
        case .failed(let mistake): report(update, mistake)
        }
    }

    private func report(_ update: DNSUpdate, _ mistake: String) {
        log(.error, "\(update) failed: \(mistake).")
        guard update.labels.count > 1 else { return }
        for start in stride(from: 0, to: update.labels.count, by: Limits.sumsPerLine) {
            let sums = update.labels[start...].prefix(Limits.sumsPerLine).map { String(decoding: $0, as: UTF8.self) }
            log(.error, "Still at DNS server \(update.server): \(sums.joined(separator: " "))")
        }
    }
}
