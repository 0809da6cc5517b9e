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
        /// What the thread sleeps in. Made anew, with another thread, when the program has closed it.
        var poll: GuestPoll
        /// How often there was a new thread. An older one ends when it has slept.
        var generation: UInt32 = 0
        /// The bells of the flows in the set.
        var bells: [Int32: Doorbell] = [:]
        /// The waiters for connections that become readable, by the number of the wait.
        var connections: [UInt64: Waiter] = [:]
        var lastConnection: UInt64 = 0
        var deadlines = Deadlines()
        /// Until when the thread sleeps if nothing happens.
        var sleepsUntil = Instant(nanoseconds: 0)

        init(_ poll: GuestPoll) { self.poll = poll }
    }

    private let state: Guarded<State>
    private let set: FlowRuntime.FlowSet

    private static let instance = Guarded<Reactor?>(nil)
    /// No wait has this number.
    private static let setToken: UInt64 = 0

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
        FlowSets.tellOfRoom(true, set)
        state = Guarded(State(try Reactor.poll(of: set)))
        try start(0)
    }

    private func start(_ generation: UInt32) throws(Failure) {
        try Thread.start { [self] in
            let queue = EventQueue()
            while turn(queue, generation) {}
        }
    }

    private static func poll(of set: FlowRuntime.FlowSet) throws(Failure) -> GuestPoll {
        let poll = try GuestPoll()
        do throws(Failure) {
            try hear(set, in: poll)
        } catch {
            poll.close()
            throw error
        }
        return poll
    }

    /// A poll that the program has left to us. After it has closed one everybody looks again: flows may have ended, and
    /// connections are gone.
    private func openPoll() throws(Failure) -> GuestPoll {
        let (poll, lost) = try state.withLock { state throws(Failure) -> (GuestPoll, [Waiter]) in
            if state.poll.isOurs {
                try hearSet(in: state.poll)
                return (state.poll, [])
            }
            let poll = try Reactor.poll(of: set)
            let next = state.generation + 1
            do throws(Failure) {
                try start(next)
            } catch {
                poll.close()
                throw error
            }
            state.poll.close()
            state.poll = poll
            state.generation = next
            defer { state.connections = [:] }
            return (poll, Array(state.connections.values))
        }
        for waiter in lost { waiter.finish(.ready) }
        return poll
    }

    /// The poll knows the set's descriptor by its number and by what is there. The program may have closed that one alone;
    /// then the poll still is ours, and hears of no flow.
    private func hearSet(in poll: GuestPoll) throws(Failure) {
        if let exposed = FlowSets.exposed(set), poll.change(exposed, Reactor.setToken, EPOLLIN.rawValue) == 0 { return }
        try Reactor.hear(set, in: poll)
    }

    private static func hear(_ set: FlowRuntime.FlowSet, in poll: GuestPoll) throws(Failure) {
        guard poll.add(try FlowSets.pollDescriptor(set), setToken) == 0 else { throw Failure(errno: cl_errno()) }
    }

    // Waits.

    /// From now on the bell rings when something happens to the flow. It rings soon if there are messages already.
    func attach(_ bell: Doorbell, to descriptor: Int32) throws(OuroborosError) {
        _ = try reporting { () throws(Failure) in try openPoll() }
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

    /// Finishes the waiter when the connection can be read, or has ended. Returns the number of the wait.
    func add(_ waiter: Waiter, readable connection: Int32) throws(Failure) -> UInt64 {
        let poll = try openPoll()
        let wait = state.withLock { state in
            state.lastConnection += 1
            state.connections[state.lastConnection] = waiter
            return state.lastConnection
        }
        guard poll.add(connection, wait, EPOLLIN.rawValue | EPOLLONESHOT.rawValue) == 0 else {
            let failure = Failure(errno: cl_errno())
            state.withLock { $0.connections[wait] = nil }
            throw failure
        }
        return wait
    }

    /// Before the connection is closed, or given to somebody else.
    func remove(_ wait: UInt64, readable connection: Int32) {
        let poll = state.withLock { state in
            state.connections[wait] = nil
            return state.poll
        }
        if poll.isOurs { poll.remove(connection) }
    }

    private func wake() { (try? openPoll())?.ring() }

    // The thread.

    /// False: there is another thread now.
    private func turn(_ queue: EventQueue, _ generation: UInt32) -> Bool {
        guard let poll = try? openPoll() else {
            // Too few descriptors, which passes.
            cl_sleep_nanoseconds(1_000_000_000)
            return true
        }
        let (current, deadline) = state.withLock { state in
            state.sleepsUntil = min(state.deadlines.next, Clock.now() + GuestPoll.longestSleep)
            return (state.generation, state.sleepsUntil)
        }
        guard current == generation else { return false }
        var events = PollEvents()
        // All signals are blocked here.
        try? events.wait(on: poll.number, until: deadline)
        guard state.withLock({ $0.generation }) == generation else { return false }
        events.forEach { event in
            switch event.data.u64 {
            case GuestPoll.bellToken: poll.silence()
            case Reactor.setToken: ringBells(queue)
            case let wait: state.withLock { $0.connections[wait] }?.finish(.ready)
            }
        }
        for waiter in state.withLock({ $0.deadlines.takeDue(Clock.now()) }) { waiter.finish(.expired) }
        return true
    }

    private func ringBells(_ queue: EventQueue) {
        // Until it throws `.timedOut`: that arms the descriptor again. Not without end: peers can go on ringing.
        for _ in 0..<64 {
            guard (try? FlowSets.wait(set, queue, timeout: .zero)) != nil else { return }
            while let (descriptor, event, _) = queue.takeAll() {
                guard let bell = state.withLock({ $0.bells[descriptor] }) else { continue }
                switch event {
                case .packet: bell.ring(.message)
                case .room: bell.ring(.room)
                default: bell.ring()
                }
            }
        }
    }
}
