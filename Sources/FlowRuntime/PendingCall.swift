// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// A request to irmd for which no thread waits: its owner polls the connection himself. Ends with `answer` or `cancel`.
///
/// Deadlines are irmd's, as with `ManagerCall`; `guardDeadline` is when to give up on irmd itself.
package struct PendingCall: Sendable {
    private let exchange: ManagerExchange
    package let guardDeadline: Instant

    /// See `ManagerCall.allocate`.
    package static func allocate(
        _ name: ServiceName, _ quality: QualityOfService, timeout: TimeSpan?
    ) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout ?? Limits.allocationTimeout) {
            .allocate($0, name, quality, timeout: timeout)
        }
    }

    /// See `ManagerCall.accept`.
    package static func accept(timeout: TimeSpan?) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout) { .accept($0, timeout: timeout) }
    }

    /// See `ManagerCall.join`.
    package static func join(_ layer: LayerName, timeout: TimeSpan?) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout ?? Limits.allocationTimeout) { .join($0, layer, timeout: timeout) }
    }

    private init(patience: TimeSpan?, _ message: (RequestID) -> ProcessMessage) throws(Failure) {
        guardDeadline = patience.map { Clock.now() + $0 + Limits.verdictGuard } ?? Instant(nanoseconds: .max)
        exchange = try FlowProcess.shared.session.send(message)
    }

    /// Polls readable when there is something to answer.
    package var descriptor: Int32 { exchange.connection }

    /// The flow, without waiting; nil: not yet. `.flowDown`: the peer died meanwhile, ask again.
    package func answer() throws(Refusal) -> (Int32, QualityOfService)? {
        let verdict: ManagerCall.Outcome?
        do throws(Failure) {
            verdict = try ManagerCall.answerNow(to: exchange)
        } catch {
            cancel()
            throw Refusal(error)
        }
        guard let verdict else { return nil }
        FlowProcess.shared.session.finished(exchange.connection)
        return try verdict.get()
    }

    /// Takes the request back: the end of the connection tells irmd, which gives a flow that was on its way to somebody
    /// else.
    package func cancel() { cl_close(exchange.connection) }
}
