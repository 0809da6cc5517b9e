// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Platform
import Vocabulary

/// Accepts flows for the names to which this process, or its program, is bound.
///
/// ```swift
/// let listener = try FlowListener(bindingTo: "echo")
/// while true {
///     let flow = try listener.accept()
///     try flow.write(try flow.read())
/// }
/// ```
///
/// A server need not know its names: `irm bind process` or `irm bind program` gives them to the server, and ``init()``
/// accepts flows for all of them. A process that binds itself with ``init(bindingTo:)`` needs the right to manage the
/// system: it runs as irmd's user, as root, or as a member of the group `ouroboros`.
///
/// Bindings belong to the process: several listeners, in any threads and tasks, share the flows of all its names.
public final class FlowListener: Sendable {
    private struct State {
        var isClosed = false
        /// The name that `close` takes back.
        var name: String?
    }

    private let state: Guarded<State>
    /// Rings when the listener is closed.
    private let bell = Doorbell()

    /// Accepts flows for the names to which others bind this process, before or after this call.
    public init() {
        ProcessAttachment.begin()
        state = Guarded(State())
    }

    /// Binds this process to a name as long as the listener is open; irmd makes the name if it does not exist.
    ///
    /// - Throws: ``OuroborosError`` with `manager` if there is no irmd, `name` if this cannot be a name, `notPermitted`
    ///   if this user may not manage the system, or if the process is bound to the name already.
    public init(bindingTo name: String) throws(OuroborosError) {
        ProcessAttachment.begin()
        try IRM().bind(.current, to: name)
        state = Guarded(State(name: name))
    }

    deinit { close() }

    /// Accepts no more flows, and removes the binding that ``init(bindingTo:)`` made. Tasks that wait for a flow throw
    /// ``OuroborosError/Code/notAllocated``, and loops over ``flows`` end; a thread that waits is not woken. The call
    /// waits 0.1 s at most: if irmd does not answer, the binding is removed later.
    public func close() {
        let name = state.withLock { state in
            defer { state.name = nil }
            state.isClosed = true
            return state.name
        }
        bell.ring()
        guard let name else { return }
        // If irmd is not there any more, neither is the binding. If it does not answer, it learns later.
        try? Thread.start(patience: FlowListener.patience) { try? IRM().unbind(.current, from: name) }
    }

    /// How long `close` waits for irmd.
    private static let patience = TimeSpan(milliseconds: 100)

    private func checkOpen() throws(OuroborosError) {
        guard !state.withLock({ $0.isClosed }) else { throw OuroborosError(.notAllocated) }
    }

    /// Waits for the next flow. spec: c-api §5.3
    ///
    /// - Throws: ``OuroborosError`` with `timedOut`, `manager` if irmd is not there or went away, `notAllocated` if the
    ///   listener is closed, `encryption`, `authentication`, `interrupted`; or `badDescriptor`, `tooManyDescriptors` or
    ///   `outOfMemory` if there is no room for the flow, whose client is refused then.
    public func accept(deadline: Deadline = .never) throws(OuroborosError) -> Flow {
        try checkOpen()
        return try Flow.opened { () throws(Refusal) in try ManagerCall.accept(timeout: deadline.limit) }
    }

    /// Waits for the next flow, without a thread. A flow that comes while the task is cancelled is not lost: irmd gives
    /// it to the next acceptor.
    ///
    /// - Throws: `CancellationError`, or the same.
    public nonisolated(nonsending) func accept(deadline: Deadline = .never) async throws -> Flow {
        let rings = bell.rings
        try checkOpen()
        return try await Flow.answer(unless: bell, since: rings) { () throws(Failure) in
            try PendingCall.accept(timeout: deadline.limit)
        }
    }

    /// All flows that arrive, until the listener is closed.
    ///
    /// ```swift
    /// try await withThrowingDiscardingTaskGroup { group in
    ///     for try await flow in listener.flows {
    ///         group.addTask { try await serve(flow) }
    ///     }
    /// }
    /// ```
    ///
    /// While nobody asks for the next flow, clients wait in irmd. The sequence throws `CancellationError` when its task
    /// is cancelled, and ``OuroborosError`` with `manager` when irmd goes away.
    public var flows: Flows { Flows(listener: self) }

    /// See ``FlowListener/flows``.
    public struct Flows: AsyncSequence, Sendable {
        fileprivate let listener: FlowListener

        /// Begins with the next flow.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: listener) }

        /// Accepts one flow after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let listener: FlowListener

            /// The next flow; nil: the listener is closed.
            public nonisolated(nonsending) func next() async throws -> Flow? {
                do {
                    return try await listener.accept()
                } catch OuroborosError.Code.notAllocated {
                    return nil
                }
            }
        }
    }
}

extension Deadline {
    /// Nil without limit, as accepts have it.
    fileprivate var limit: TimeSpan? { self == .never ? nil : left }
}
