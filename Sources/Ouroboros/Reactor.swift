// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowRuntime
import Platform
import Vocabulary

/// The one thread behind everything that is awaited: it sleeps in a poll on the descriptor of one flow set, in which all
/// awaited flows are, on the connections of requests to irmd that are under way, and until the next deadline. Started with
/// the first wait; ends with the process. It wakes tasks and never reads or writes a message: that stays with the tasks.
final class Reactor: Sendable {
    private struct State {
        /// The bells of the flows in the set.
        var bells: [Int32: Doorbell] = [:]
        /// Who waits for a connection to become readable.
        var connections: [Int32: Waiter] = [:]
        var deadlines = Deadlines()
        /// Until when the thread sleeps if nothing happens.
        var sleepsUntil = Instant(nanoseconds: 0)
    }

    private let state = Guarded(State())
    private let poll: Int32
    private let wakeUp: Int32
    private let set: FlowRuntime.FlowSet

    private static let instance = Guarded<Reactor?>(nil)
    private static let setToken: UInt64 = 1 << 32
    private static let wakeUpToken: UInt64 = 2 << 32

    /// Starts it at the first call.
    static func running() throws(OuroborosError) -> Reactor {
        try instance.withLock { reactor throws(OuroborosError) in
            if let reactor { return reactor }
            let new = try reporting { () throws(Failure) in try Reactor() }
            reactor = new
            return new
        }
    }

    private init() throws(Failure) {
        guard let set = FlowSets.create() else { throw .tableFull }
        self.set = set
        let poll = Descriptor(owning: try Reactor.checked(epoll_create1(Int32(EPOLL_CLOEXEC))))
        let wakeUp = Descriptor(owning: try Reactor.checked(cl_eventfd()))
        try Reactor.watch(wakeUp.number, Reactor.wakeUpToken, EPOLLIN.rawValue, in: poll.number)
        let events = try FlowSets.pollDescriptor(set)
        try Reactor.watch(events, Reactor.setToken, EPOLLIN.rawValue, in: poll.number)
        self.poll = poll.release()
        self.wakeUp = wakeUp.release()
        try Thread.start { [self] in
            let queue = EventQueue()
            while true { turn(queue) }
        }
    }

    private static func checked(_ descriptor: Int32) throws(Failure) -> Int32 {
        guard descriptor >= 0 else { throw .tooManyDescriptors }
        return descriptor
    }

    private static func watch(
        _ descriptor: Int32, _ token: UInt64, _ interest: UInt32, in poll: Int32
    ) throws(Failure) {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw Failure(errno: cl_errno()) }
    }

    // Waits.

    /// From now on the bell rings when something happens to the flow. It rings soon if there are messages already.
    func attach(_ bell: Doorbell, to descriptor: Int32) throws(OuroborosError) {
        state.withLock { $0.bells[descriptor] = bell }
        do throws(Failure) {
            try FlowSets.add(descriptor, to: set)
        } catch {
            // Two tasks may begin to wait at once.
            guard !FlowSets.contains(descriptor, in: set) else { return }
            Reactor.detach(descriptor)
            guard error == .notPermitted else { throw OuroborosError(.flowDown) }
            throw OuroborosError(
                .notPermitted, reason: "A flow in a flow set cannot be awaited. Take it out of its set first.")
        }
    }

    /// The flow is about to be closed, which takes it out of the set.
    static func detach(_ descriptor: Int32) {
        instance.withLock { $0 }?.state.withLock { state in state.bells[descriptor] = nil }
    }

    /// How the wait ends, at the deadline at the latest.
    nonisolated(nonsending) func outcome(of waiter: Waiter, until deadline: Deadline) async -> Waiter.Outcome {
        guard deadline != .never else { return await waiter.outcome() }
        let isNext = state.withLock { state in
            state.deadlines.set(waiter, at: deadline.instant)
            return deadline.instant < state.sleepsUntil
        }
        if isNext { wake() }
        defer { state.withLock { $0.deadlines.remove(waiter) } }
        return await waiter.outcome()
    }

    /// Finishes the waiter when the connection can be read, or has ended.
    func add(_ waiter: Waiter, readable connection: Int32) throws(Failure) {
        state.withLock { $0.connections[connection] = waiter }
        let once = EPOLLIN.rawValue | EPOLLONESHOT.rawValue
        do throws(Failure) {
            try Reactor.watch(connection, UInt64(connection), once, in: poll)
        } catch {
            state.withLock { $0.connections[connection] = nil }
            throw error
        }
    }

    /// Before the connection is closed, or given to somebody else.
    func remove(readable connection: Int32) {
        _ = epoll_ctl(poll, EPOLL_CTL_DEL, connection, nil)
        state.withLock { $0.connections[connection] = nil }
    }

    private func wake() { EventCounter.raise(wakeUp) }

    // The thread.

    private func turn(_ queue: EventQueue) {
        let deadline = state.withLock { state in
            state.sleepsUntil = state.deadlines.next
            return state.sleepsUntil
        }
        var events = PollEvents()
        // All signals are blocked here.
        try? events.wait(on: poll, until: deadline == Deadline.never.instant ? nil : deadline)
        events.forEach { event in
            switch event.data.u64 {
            case Reactor.wakeUpToken: EventCounter.clear(wakeUp)
            case Reactor.setToken: ringBells(queue)
            case let token: state.withLock { $0.connections[Int32(truncatingIfNeeded: token)] }?.finish(.ready)
            }
        }
        for waiter in state.withLock({ $0.deadlines.takeDue(Clock.now()) }) { waiter.finish(.expired) }
    }

    private func ringBells(_ queue: EventQueue) {
        // Until it throws `.timedOut`: that arms the descriptor again.
        while (try? FlowSets.wait(set, queue, timeout: .zero)) != nil {
            while let (descriptor, _, _) = queue.takeAll() { state.withLock { $0.bells[descriptor] }?.ring() }
        }
    }
}
