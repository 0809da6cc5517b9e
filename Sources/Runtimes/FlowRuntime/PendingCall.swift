// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// A request to irmd for which no thread waits: its owner polls the connection himself. Ends with `answer` or `cancel`.
///
/// Deadlines are irmd's, as with `ManagerCall`; `guardDeadline` is when to give up on irmd itself.
package struct PendingCall: Sendable {
    private enum Stage {
        /// irmd has not welcomed this process yet, or is crowded.
        case greeting
        case sent(ManagerExchange)
    }

    private var stage = Stage.greeting
    private let deadline: Instant?
    private let message: @Sendable (RequestID, _ left: TimeSpan?) -> ProcessMessage
    package let guardDeadline: Instant

    /// See `ManagerCall.allocate`.
    package static func allocate(
        _ name: ServiceName, _ quality: QualityOfService, timeout: TimeSpan?
    ) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout ?? Limits.allocationTimeout) {
            .allocate($0, name, quality, timeout: timeout == nil ? nil : $1)
        }
    }

    /// See `ManagerCall.accept`.
    package static func accept(timeout: TimeSpan?) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout) { .accept($0, timeout: $1) }
    }

    /// See `ManagerCall.join`.
    package static func join(_ layer: LayerName, timeout: TimeSpan?) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout ?? Limits.allocationTimeout) {
            .join($0, layer, timeout: timeout == nil ? nil : $1)
        }
    }

    private init(
        patience: TimeSpan?, _ message: @escaping @Sendable (RequestID, _ left: TimeSpan?) -> ProcessMessage
    ) throws(Failure) {
        deadline = patience.map { Clock.now() + $0 }
        guardDeadline = deadline.map { $0 + Limits.verdictGuard } ?? Instant(nanoseconds: .max)
        self.message = message
        try send(isDoubtful: false)
    }

    /// Sends the request if irmd is ready for it. Never waits.
    private mutating func send(isDoubtful: Bool) throws(Failure) {
        let session = FlowProcess.shared.session
        guard case .welcome = try session.advance(isDoubtful: isDoubtful) else { return }
        let left = deadline.map { $0.since(Clock.now()) }
        if let exchange = try session.sendNow(nil, { message($0, left) }) { stage = .sent(exchange) }
    }

    /// Polls readable when there is something to answer. Nil: the request is not sent yet, so ask again after a while.
    package var descriptor: Int32? {
        guard case .sent(let exchange) = stage, exchange.connection.isOurs else { return nil }
        return exchange.connection.number
    }

    /// The flow, without waiting; nil: not yet. `.flowDown`: the peer died meanwhile, ask again.
    package mutating func answer() throws(Refusal) -> (Int32, QualityOfService)? {
        let outcome: ManagerCall.Outcome
        do throws(Failure) {
            if case .greeting = stage { try send(isDoubtful: true) }
            guard case .sent(let exchange) = stage, let verdict = try ManagerCall.answerNow(to: exchange) else {
                return nil
            }
            FlowProcess.shared.session.finished(exchange)
            outcome = verdict
        } catch {
            cancel()
            throw Refusal(error)
        }
        return try outcome.get()
    }

    /// Takes the request back: the end of the connection tells irmd, which gives a flow that was on its way to somebody
    /// else.
    package func cancel() {
        if case .sent(let exchange) = stage { exchange.connection.close() }
    }
}
