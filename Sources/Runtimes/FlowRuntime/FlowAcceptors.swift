// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// The acceptors of this process, behind one lock, which is taken before those of the session and of the process and is
/// never held asleep.
final class FlowAcceptorTable: @unchecked Sendable {
    private let mutex = Lock()
    private var acceptors: [ObjectIdentifier: FlowAcceptor] = [:]

    fileprivate func locked<Result, Problem: Error>(
        _ body: (FlowAcceptorTable) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body(self)
    }

    fileprivate func add() -> FlowAcceptor? {
        guard acceptors.count < Limits.flowAcceptors else { return nil }
        let acceptor = FlowAcceptor()
        acceptors[ObjectIdentifier(acceptor)] = acceptor
        return acceptor
    }

    fileprivate func remove(_ acceptor: FlowAcceptor) {
        acceptor.end()
        acceptors[ObjectIdentifier(acceptor)] = nil
    }

    /// By the service thread, when the first of them is due. Returns when the next one is.
    func tend(_ now: Instant) -> Instant {
        locked { table in
            _ = RefusedCall.taken()
            for acceptor in table.acceptors.values { acceptor.tend(now) }
            return table.acceptors.values.lazy.map(\.due).min() ?? Instant(nanoseconds: .max)
        }
    }

    func prepareFork() { mutex.lock() }
    func afterForkInParent() { mutex.unlock() }

    /// In a forked child, whose only thread holds the lock since before the fork.
    func afterForkInChild() {
        mutex.unlock()
        for acceptor in acceptors.values { acceptor.afterForkInChild() }
    }
}

/// Acceptors as a program uses them.
package enum FlowAcceptors {
    private static var table: FlowAcceptorTable { FlowProcess.shared.acceptors }

    /// Nil if there are too many.
    package static func create() -> FlowAcceptor? { table.locked { $0.add() } }

    package static func destroy(_ acceptor: FlowAcceptor) { table.locked { $0.remove(acceptor) } }

    /// A descriptor that polls readable when `take` may bring something. The acceptor's own: nobody else closes it.
    package static func pollDescriptor(_ acceptor: FlowAcceptor) throws(Failure) -> Int32 {
        _ = RefusedCall.taken()
        return try table.locked { (_: FlowAcceptorTable) throws(Failure) in
            // It asks again when there could be no request, and looks whether the program has closed the connection.
            try FlowProcess.shared.locked { (process: FlowProcess) throws(Failure) in try process.ensureService() }
            defer { FlowProcess.shared.tendAcceptors(at: acceptor.due) }
            return try acceptor.exposedDescriptor(Clock.now())
        }
    }

    /// The next flow, without waiting; nil: there is none yet.
    package static func take(_ acceptor: FlowAcceptor) throws(Refusal) -> (Int32, QualityOfService)? {
        _ = RefusedCall.taken()
        return try table.locked { (_: FlowAcceptorTable) throws(Refusal) in
            defer { FlowProcess.shared.tendAcceptors(at: acceptor.due) }
            return try acceptor.take(Clock.now())
        }
    }

    /// Accepts nothing until the next `take` or `pollDescriptor`.
    package static func pause(_ acceptor: FlowAcceptor) { table.locked { _ in acceptor.pause() } }
}
