// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// A blocking request to irmd: sends it, waits for its answer, maps the flow that it brings.
package enum ManagerCall {
    /// What came of a request on a connection that can be used again: the flow's descriptor and quality, or why not.
    typealias Outcome = Result<(Int32, QualityOfService), Refusal>

    /// A flow to `name`. spec: c-api §5.2
    package static func allocate(
        _ name: ServiceName, _ quality: QualityOfService, timeout: TimeSpan?
    ) throws(Refusal) -> (Int32, QualityOfService) {
        let patience = timeout ?? Limits.allocationTimeout
        return try call(.allocating, patience: patience) { request, left in
            .allocate(request, name, quality, timeout: timeout == nil ? nil : left)
        }
    }

    /// The next flow to a name that this process is bound to. spec: c-api §5.3
    package static func accept(timeout: TimeSpan?) throws(Refusal) -> (Int32, QualityOfService) {
        try call(.accepting, patience: timeout) { request, left in .accept(request, timeout: left) }
    }

    /// Membership of a broadcast layer. spec: c-api §5.4
    package static func join(_ layer: LayerName, timeout: TimeSpan?) throws(Refusal) -> (Int32, QualityOfService) {
        try call(.allocating, patience: timeout ?? Limits.allocationTimeout) { request, left in
            .join(request, layer, timeout: timeout == nil ? nil : left)
        }
    }

    /// `patience`: irmd's deadline; we wait a little longer for its verdict, so that it decides and not we. Nil: it has
    /// none.
    private static func call(
        _ kind: ManagerExchange.Kind, patience: TimeSpan?, _ message: (RequestID, _ left: TimeSpan?) -> ProcessMessage
    ) throws(Refusal) -> (Int32, QualityOfService) {
        let deadline = patience.map { Clock.now() + $0 }
        let limit = deadline.map { $0 + Limits.verdictGuard }
        cl_test_cancel()
        _ = RefusedCall.taken()
        // A thread that is cancelled between an offer and the word that it was taken would leave a flow to nobody: it
        // may end where it waits, and nowhere else.
        var cancelState: Int32 = 0
        pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &cancelState)
        defer { pthread_setcancelstate(cancelState, nil) }
        while true {
            let left = deadline.map { $0.since(Clock.now()) }
            let outcome: Outcome
            do throws(Failure) {
                outcome = try exchange(kind, until: limit, cancelState) { request in message(request, left) }
            } catch {
                outcome = .failure(Refusal(error))
            }
            // What was offered was a flow with a process that has died. irmd will know it in a moment.
            if case .failure(let refusal) = outcome, refusal.failure == .flowDown { continue }
            return try outcome.get()
        }
    }

    private static func exchange(
        _ kind: ManagerExchange.Kind, until limit: Instant?, _ cancelState: Int32,
        _ message: (RequestID) -> ProcessMessage
    ) throws(Failure) -> Outcome {
        let session = FlowProcess.shared.session
        var exchange = try session.send(kind, until: limit, cancelState: cancelState, message)
        let result: Outcome
        do {
            result = try answer(to: &exchange, deadline: limit, cancelState)
        } catch {
            // Interrupted, or irmd has gone or says nothing: the end of the connection takes the request back.
            exchange.connection.close()
            throw error
        }
        session.finished(exchange)
        return result
    }

    /// Throws if the connection is of no more use; a failure that irmd sent is a result.
    private static func answer(
        to exchange: inout ManagerExchange, deadline: Instant?, _ cancelState: Int32
    ) throws(Failure) -> Outcome {
        while true {
            let arrival = try arrival(on: &exchange, deadline: deadline, cancelState)
            if let verdict = try verdict(arrival, on: exchange) { return verdict }
        }
    }

    /// The same without waiting; nil: there is no answer yet.
    static func answerNow(to exchange: ManagerExchange) throws(Failure) -> Outcome? {
        while let arrival = try arrivalNow(on: exchange.connection) {
            if let verdict = try verdict(arrival, on: exchange) { return verdict }
        }
        return nil
    }

    /// What irmd's message says of the request; nil: nothing.
    private static func verdict(
        _ arrival: consuming MessageSocket.Arrival, on exchange: ManagerExchange
    ) throws(Failure) -> Outcome? {
        let (connection, request) = (exchange.connection, exchange.request)
        guard let message = try? ManagerMessage(decoding: arrival.bytes) else { throw .manager }
        switch message {
        case .offer(request, let offer):
            let descriptor: Int32
            do {
                descriptor = try FlowProcess.shared.take(offer, of: exchange.incarnation, &arrival)
            } catch {
                try reply(.refused(offer.flow, error), on: connection)
                return .failure(Refusal(error))
            }
            // A client gets its end after its server has taken the other, so one that has gone by now never had the flow.
            let isOver = offer.end == .second && FlowProcess.shared.isPeerGone(descriptor)
            do {
                try reply(.taken(offer.flow), on: connection)
            } catch {
                try? FlowProcess.shared.deallocate(descriptor)
                throw error
            }
            if isOver {
                try? FlowProcess.shared.deallocate(descriptor)
                return .failure(Refusal(.flowDown))
            }
            return .success((descriptor, offer.quality))
        case .failed(request, let failure, let reason): return .failure(Refusal(failure, irmd: reason))
        case .offer(_, let offer):
            // Of a request that this connection has given up. It cannot be ours any more.
            try reply(.refused(offer.flow, .interrupted), on: connection)
            return nil
        case .welcome(let welcome):
            // It was started again since the session began; the next call finds out.
            if FlowProcess.shared.session.isOther(welcome, than: exchange) { throw .manager }
            return nil
        case .versionRefused: throw .manager
        case .failed, .flowDown, .retireLink, .result, .describeFlow: return nil
        }
    }

    /// Never waits: irmd has room for what it has asked for. What it answers has just come over this connection, which was ours
    /// then.
    private static func reply(_ message: ProcessMessage, on connection: GuestDescriptor) throws(Failure) {
        do throws(Failure) {
            try MessageSocket.send(message.encoded(), on: connection.number, nonBlocking: true)
        } catch {
            throw .manager
        }
    }

    /// The next message. Tries for a while: an answer to a request that irmd can settle at once is there sooner than a
    /// processor that went idle would be awake.
    private static func arrival(
        on exchange: inout ManagerExchange, deadline: Instant?, _ cancelState: Int32
    ) throws(Failure) -> MessageSocket.Arrival {
        let connection = exchange.connection
        while true {
            var yielding = Yielding()
            for attempt in 0..<exchange.looks {
                // The look at what the descriptor is costs as much as the attempt. The request has just been sent on it.
                if let arrival = try arrivalNow(on: connection, looks: attempt % 8 == 7) { return arrival }
                if yielding.meetsOthers() { break }
            }
            exchange.hasSlept = true
            try awaitMessage(on: connection, deadline: deadline, cancelState)
            if let arrival = try arrivalNow(on: connection) { return arrival }
        }
    }

    /// Nil if there is none. `looks`: whether the connection still is ours; it was some microseconds ago.
    private static func arrivalNow(
        on connection: GuestDescriptor, looks: Bool = true
    ) throws(Failure) -> MessageSocket.Arrival? {
        if looks, !connection.isOurs { throw .manager }
        do throws(Failure) {
            let next = try MessageSocket.receive(on: connection.number, nonBlocking: true)
            guard let next else { throw .manager }
            return next
        } catch {
            if error == .wouldBlock { return nil }
            // Too few descriptors here for what came: the offer is lost, and irmd must be told by the end of the
            // connection.
            throw error == .tooManyDescriptors ? error : .manager
        }
    }

    /// A cancelled thread leaves no connection behind.
    private static let closing: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
        if let argument { cl_guest_close(UnsafePointer(argument.assumingMemoryBound(to: cl_guest.self))) }
    }

    /// A cancellation point, if the caller of the library may be cancelled. Takes no message.
    private static func awaitMessage(
        on connection: GuestDescriptor, deadline: Instant?, _ cancelState: Int32
    ) throws(Failure) {
        pthread_setcancelstate(cancelState, nil)
        defer { pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), nil) }
        let result = connection.withGuest { guest in
            awaitMessage(on: connection.number, deadline, UnsafeMutableRawPointer(mutating: guest))
        }
        switch result {
        case -EINTR: throw .interrupted
        case 0 where deadline != nil: throw .timedOut
        case 0...: return
        default: throw .manager
        }
    }

    /// 0: the time is over, or, without a deadline, there is a message; 1: there is one; or -errno.
    private static func awaitMessage(
        on number: Int32, _ deadline: Instant?, _ guest: UnsafeMutableRawPointer
    ) -> Int32 {
        guard let deadline else { return cl_await_message(number, closing, guest) }
        var result: Int32
        repeat {
            let left = deadline.since(Clock.now()).nanoseconds
            let milliseconds = Int32(clamping: left / 1_000_000 + 1)
            result = cl_poll_one(number, Int16(POLLIN), milliseconds, closing, guest)
        } while result == -ERESTART
        return result
    }
}
