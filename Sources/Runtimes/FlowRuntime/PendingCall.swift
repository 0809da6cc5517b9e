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

    /// See `ManagerCall.accept`. `isDoubtful`: see `ManagerSession.ensure`.
    package static func accept(timeout: TimeSpan?, isDoubtful: Bool = false) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout, isDoubtful: isDoubtful) { .accept($0, timeout: $1) }
    }

    /// See `ManagerCall.join`.
    package static func join(_ layer: LayerName, timeout: TimeSpan?) throws(Failure) -> PendingCall {
        try PendingCall(patience: timeout ?? Limits.allocationTimeout) {
            .join($0, layer, timeout: timeout == nil ? nil : $1)
        }
    }

    private init(
        patience: TimeSpan?, isDoubtful: Bool = false,
        _ message: @escaping @Sendable (RequestID, _ left: TimeSpan?) -> ProcessMessage
    ) throws(Failure) {
        deadline = patience.map { Clock.now() + $0 }
        guardDeadline = deadline.map { $0 + Limits.verdictGuard } ?? Instant(nanoseconds: .max)
        self.message = message
        try send(isDoubtful: isDoubtful)
    }

    /// Sends the request if irmd is ready for it. Never waits.
    private mutating func send(isDoubtful: Bool) throws(Failure) {
        let session = FlowProcess.shared.session
        guard case .welcome = try session.advance(isDoubtful: isDoubtful) else { return }
        let left = deadline.map { $0.since(Clock.now()) }
        if let exchange = try session.sendNow(nil, { message($0, left) }) { stage = .sent(exchange) }
    }

    /// Whether the program has closed the connection on which the request is under way.
    var isLost: Bool {
        guard case .sent(let exchange) = stage else { return false }
        return !exchange.connection.isOurs
    }

    /// Whether irmd tells peers of this process what it is now, and not of a user that it was before.
    var isOfThisUser: Bool {
        guard case .sent(let exchange) = stage else { return true }
        return exchange.isOfThisUser
    }

    /// Polls readable when there is something to answer. Nil: the request is not sent yet, so ask again after a while.
    package var descriptor: Int32? {
        guard case .sent(let exchange) = stage, exchange.connection.isOurs else { return nil }
        return exchange.connection.number
    }

    /// Sends a request that could not be sent before, if it can be sent now.
    mutating func proceed() throws(Failure) {
        if case .greeting = stage { try send(isDoubtful: true) }
    }

    /// The flow, without waiting; nil: not yet. `.flowDown`: the peer died meanwhile, ask again.
    ///
    /// `leaving` is called with the connection before somebody else gets it or it is closed.
    package mutating func answer(
        leaving: (_ connection: Int32) -> Void = { _ in }
    ) throws(Refusal) -> (Int32, QualityOfService)? {
        let outcome: ManagerCall.Outcome
        do throws(Failure) {
            try proceed()
            guard case .sent(let exchange) = stage, let verdict = try ManagerCall.answerNow(to: exchange) else {
                return nil
            }
            leaving(exchange.connection.number)
            FlowProcess.shared.session.finished(exchange)
            outcome = verdict
        } catch {
            if case .sent(let exchange) = stage { leaving(exchange.connection.number) }
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
