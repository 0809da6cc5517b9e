// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// Flows that a thread waits for together. A flow is in one set at most; awaited flows are in one of the library's.
///
/// ```swift
/// let set = try FlowSet([first, second])
/// while true {
///     for event in try set.wait() where event.kind == .packet {
///         for _ in 0..<event.count { print(try event.flow.read()) }
///     }
/// }
/// ```
///
/// Each message makes one event, unless it was read before its event was fetched; they are counted, so that none is ever
/// lost. An empty message makes one, too, and leaves nothing to read: ``Flow/tryRead()`` returns nil for it.
///
/// Any thread may change a set, also while another waits for it. A set keeps its flows alive until they are taken out.
/// spec: c-api §7
public final class FlowSet: Sendable {
    /// What happened to a flow of a set. A process's own doings make no events for it.
    public struct Event: Sendable {
        /// The kinds of events.
        public enum Kind: UInt32, Sendable {
            /// Messages came.
            case packet = 1
            /// The flow was taken down.
            case down = 2
            /// The flow was taken up again.
            case up = 4
            /// A flow was allocated. Programs do not get it.
            case allocated = 8
            /// The other end has gone. Comes once.
            case deallocated = 16
            /// The other end fell silent for the flow's peer timeout. Comes once.
            case peerSilent = 32
        }

        /// Whose event it is.
        public let flow: Flow
        /// What happened.
        public let kind: Kind
        /// How often; more than once only for ``Kind/packet``.
        public let count: Int
    }

    private let set: FlowRuntime.FlowSet
    private let flows = Guarded<[Int32: Flow]>([:])

    /// A set of these flows.
    ///
    /// - Throws: ``OuroborosError`` with `limitReached` if the process has 1,024 sets; else like ``insert(_:)``.
    public init(_ flows: some Sequence<Flow> = []) throws(OuroborosError) {
        ProcessAttachment.begin()
        guard let set = FlowSets.create() else { throw OuroborosError(.limitReached) }
        self.set = set
        for flow in flows { try insert(flow) }
    }

    deinit { FlowSets.destroy(set) }

    /// Puts a flow into the set. Messages that wait in it make events.
    ///
    /// - Throws: ``OuroborosError`` with `notAllocated` if the flow is closed, `notPermitted` if it is in a set already or
    ///   has been awaited.
    public func insert(_ flow: Flow) throws(OuroborosError) {
        // Before it can have events.
        let isNew = flows.withLock { $0.updateValue(flow, forKey: flow.descriptor) == nil }
        do throws(Failure) {
            try FlowSets.add(flow.descriptor, to: set)
        } catch {
            if isNew { flows.withLock { $0[flow.descriptor] = nil } }
            guard error == .notPermitted else { throw OuroborosError(.notAllocated) }
            throw OuroborosError(.notPermitted, reason: "The flow is in a flow set already, or tasks await it.")
        }
    }

    /// Takes a flow out of the set, if it is in it. A flow that is closed makes no more events, but is kept alive until
    /// it is taken out.
    public func remove(_ flow: Flow) {
        FlowSets.remove(flow.descriptor, from: set)
        flows.withLock { $0[flow.descriptor] = nil }
    }

    /// Whether the flow is in the set; false for one that is closed.
    public func contains(_ flow: Flow) -> Bool { FlowSets.contains(flow.descriptor, in: set) }

    /// Waits until something happens to a flow of the set, and says what.
    ///
    /// - Returns: One event for each flow and kind; empty if the only events were those of a flow that another thread has
    ///   taken out meanwhile.
    /// - Throws: ``OuroborosError`` with `timedOut`, `interrupted`, or `tooManyDescriptors`.
    public func wait(deadline: Deadline = .never) throws(OuroborosError) -> [Event] {
        let queue = EventQueue()
        try reporting { () throws(Failure) in try FlowSets.wait(set, queue, timeout: deadline.left) }
        var events: [Event] = []
        flows.withLock { flows in
            while let (descriptor, kind, count) = queue.takeAll() {
                guard let flow = flows[descriptor], let kind = Event.Kind(rawValue: kind.rawValue) else { continue }
                events.append(Event(flow: flow, kind: kind, count: count))
            }
        }
        return events
    }

    /// A file descriptor that polls readable when the set has events, for a `poll` or `epoll` of the program's own. It
    /// belongs to the set. When it was readable, call ``wait(deadline:)`` with ``Deadline/now`` until it throws
    /// `timedOut`, which arms the descriptor again.
    ///
    /// - Throws: ``OuroborosError`` with `tooManyDescriptors`.
    public var pollDescriptor: Int32 {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowSets.pollDescriptor(set) }
        }
    }
}
