// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// A set of flows for which a thread waits. A flow is in one set at most; awaited flows are in a set of the library.
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
/// Each message causes one event, unless it was read before its event was fetched. Events are counted, so no event is
/// lost. An empty message causes an event as well, and there is nothing to read: ``Flow/tryRead()`` returns nil.
///
/// Any thread may change a set, also while another thread waits for it. A set keeps its flows alive until they are taken
/// out. spec: c-api §7
public final class FlowSet: Sendable {
    /// An event of a flow in a set. The actions of a process cause no events in its own sets.
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
            /// The other end has gone. This event comes once.
            case deallocated = 16
            /// The other end was silent for the flow's peer timeout. This event comes once.
            case peerSilent = 32
            /// The message fits that was refused with `wouldBlock` or `timedOut`. Only sets that ask for it have this
            /// event (``FlowSet/tellsOfRoom``).
            case room = 64
        }

        /// The flow to which this happened.
        public let flow: Flow
        /// What happened.
        public let kind: Kind
        /// How often it happened; more than once only for ``Kind/packet``.
        public let count: Int
    }

    private let set: FlowRuntime.FlowSet
    private let flows = Guarded<[Int32: Flow]>([:])

    /// A set of these flows.
    ///
    /// - Throws: ``OuroborosError`` with `limitReached` if the process has 1,024 sets; otherwise like ``insert(_:)``.
    public init(_ flows: some Sequence<Flow> = []) throws(OuroborosError) {
        ProcessAttachment.begin()
        guard let set = FlowSets.create() else { throw OuroborosError(.limitReached) }
        self.set = set
        for flow in flows { try insert(flow) }
    }

    deinit { FlowSets.destroy(set) }

    /// Puts a flow into the set. Each message that waits causes an event.
    ///
    /// - Throws: ``OuroborosError`` with `notAllocated` if the flow is closed, `notPermitted` if the flow is in a set
    ///   already or has been awaited.
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

    /// Takes a flow out of the set. A flow of another set is ignored. A closed flow causes no more events, but the set
    /// keeps it alive until it is taken out.
    public func remove(_ flow: Flow) {
        FlowSets.remove(flow.descriptor, from: set)
        flows.withLock { $0[flow.descriptor] = nil }
    }

    /// Whether the flow is in the set; false for a closed flow.
    public func contains(_ flow: Flow) -> Bool { FlowSets.contains(flow.descriptor, in: set) }

    /// Whether the set has ``Event/Kind/room`` events; false for a new set.
    ///
    /// They are for a program that writes without waiting. If a write was refused with `wouldBlock` or `timedOut` because
    /// the message did not fit, one event comes when a message of that length fits; of several that did not fit, when the
    /// smallest fits. Then the next refusal counts. If the flow ends, ``Event/Kind/deallocated`` or
    /// ``Event/Kind/peerSilent`` comes instead. A refusal from before the flow was in the set counts, too.
    public var tellsOfRoom: Bool {
        get { FlowSets.tellsOfRoom(set) }
        set { FlowSets.tellOfRoom(newValue, set) }
    }

    /// Waits until something happens to a flow of the set, and returns the events.
    ///
    /// - Returns: One event for each flow and kind; empty if all events belong to a flow that another thread has taken
    ///   out meanwhile.
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

    /// A file descriptor that polls readable when the set has events, for the program's own `poll` or `epoll`. It
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
