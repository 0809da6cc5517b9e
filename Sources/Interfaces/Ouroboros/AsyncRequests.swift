// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Platform
import Vocabulary

// Allocations that are awaited. The request is on its way to irmd while the task is suspended; a cancelled task takes it
// back, and nobody has a flow then.

extension Flow {
    /// Allocates a flow to a name, and waits until its server has accepted it, without a thread.
    ///
    /// - Throws: `CancellationError`, or ``OuroborosError`` like `open(to:quality:deadline:)`.
    public nonisolated(nonsending) static func open(
        to name: String, quality: QualityOfService = .raw, deadline: Deadline? = nil
    ) async throws -> Flow {
        let name = try ServiceName(checking: name)
        return try await answer { () throws(Failure) in
            try PendingCall.allocate(name, quality.request, timeout: deadline?.left)
        }
    }

    /// Joins a broadcast layer, without a thread.
    ///
    /// - Throws: `CancellationError`, or ``OuroborosError`` like `join(layer:deadline:)`.
    public nonisolated(nonsending) static func join(layer: String, deadline: Deadline? = nil) async throws -> Flow {
        let layer = try LayerName(checking: layer)
        return try await answer { () throws(Failure) in try PendingCall.join(layer, timeout: deadline?.left) }
    }

    /// What a request to irmd brings. Ends with `notAllocated` when the bell rings that has rung `rings` times.
    nonisolated(nonsending) static func answer(
        unless bell: Doorbell? = nil, since rings: UInt64 = 0, to request: () throws(Failure) -> PendingCall
    ) async throws -> Flow {
        ProcessAttachment.begin()
        let reactor = try Reactor.running()
        while true {
            try Task.checkCancellation()
            var call = try reporting(request)
            do throws(Refusal) {
                if let flow = try await reactor.answer(to: &call, unless: bell, since: rings) { return flow }
            } catch {
                // What was offered was a flow with a process that has died. irmd will know it in a moment.
                guard error.failure == .flowDown else { throw OuroborosError(error) }
                continue
            }
            call.cancel()
            try Task.checkCancellation()
            throw OuroborosError(bell.map { $0.rings != rings } == true ? .notAllocated : .manager)
        }
    }
}

extension Reactor {
    /// Nil: the task was cancelled, the bell has rung, or irmd has not kept to the request's deadline.
    fileprivate nonisolated(nonsending) func answer(
        to call: inout PendingCall, unless bell: Doorbell?, since rings: UInt64
    ) async throws(Refusal) -> Flow? {
        while true {
            if let (descriptor, quality) = try call.answer() { return Flow(adopting: descriptor, quality) }
            let waiter = Waiter()
            let connection = call.descriptor
            let wait: UInt64?
            do throws(Failure) {
                wait = try connection.map { (number) throws(Failure) in try add(waiter, readable: number) }
            } catch {
                call.cancel()
                throw Refusal(error)
            }
            bell?.add(waiter, since: rings)
            // Without a connection irmd is not ready for the request, and nothing tells when it is.
            let soon = Clock.now() + greetingPause
            let limit = wait == nil ? min(soon, call.guardDeadline) : call.guardDeadline
            let outcome = await outcome(of: waiter, until: Deadline(instant: limit))
            bell?.remove(waiter)
            if let wait, let connection { remove(wait, readable: connection) }
            let isOver = outcome == .expired && limit == call.guardDeadline
            guard outcome != .cancelled, !isOver, bell.map({ $0.rings == rings }) != false else { return nil }
        }
    }

    private var greetingPause: TimeSpan { TimeSpan(nanoseconds: 2_000_000) }
}
