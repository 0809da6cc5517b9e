// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// A request under way: on which connection, its number, and of which irmd.
struct ManagerExchange {
    let connection: Int32
    let request: RequestID
    let incarnation: UInt64
}

/// The connections of this process to irmd: the session, over which irmd notifies, and a small pool for blocking calls,
/// each of which takes one for itself. design: flow-memory §1
///
/// Guarded by a lock of its own, which is held while a connection is made: not longer than `patience`.
final class ManagerSession: @unchecked Sendable {
    /// How long irmd may take to answer a greeting.
    private static let patienceMilliseconds: Int32 = 5_000
    private static let idleConnections = 16

    private let mutex = Lock()
    /// -1: none.
    private var socket: Int32 = -1
    private var isWelcome = false {
        didSet { cl_store32_release(changes, cl_load32_relaxed(changes) &+ 1) }
    }
    /// Counts the beginnings and ends of sessions, for a look without the lock.
    private let changes: UnsafeMutablePointer<UInt32>
    /// Which irmd; flow ids mean nothing to another.
    private var incarnation: UInt64 = 0
    private var idle: [Int32] = []
    private var nextRequest: UInt64 = 0
    /// Messages for the session that its socket had no room for.
    private var undelivered: [[UInt8]] = []
    private var program: [UInt8] = []

    init() {
        changes = .allocate(capacity: 1)
        changes.initialize(to: 0)
    }

    private func locked<Result>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body()
    }

    /// At load time: greets irmd if it is there, without waiting for anything.
    func begin(program: [UInt8]) {
        self.program = program
        guard socket < 0, let connection = try? greet(.session) else { return }
        socket = connection.release()
    }

    /// A session that irmd has welcomed. `.manager` if there is no irmd, or none that we understand. `isDoubtful`: look
    /// first whether it has ended.
    func ensure(isDoubtful: Bool) throws(Failure) {
        try locked { () throws(Failure) in
            if isDoubtful, socket >= 0, isEnded(socket) { drop() }
            if socket < 0 { socket = try greet(.session).release() }
            guard !isWelcome else { return }
            do throws(Failure) {
                let welcome = try awaitWelcome(on: socket)
                incarnation = welcome.incarnation
                isWelcome = true
            } catch {
                // A signal is no reason to leave irmd, which may know this process by name already.
                if error != .interrupted { drop() }
                throw error
            }
        }
    }

    /// Of the irmd that has welcomed this process last.
    var currentIncarnation: UInt64 {
        mutex.lock()
        defer { mutex.unlock() }
        return incarnation
    }

    private func drop() {
        if socket >= 0 { cl_close(socket) }
        socket = -1
        isWelcome = false
        undelivered = []
        for connection in idle { cl_close(connection) }
        idle = []
    }

    /// In a forked child, whose only thread holds the lock since before the fork: the copies of the parent's connections
    /// are closed, which irmd does not notice.
    func forget() {
        mutex.unlock()
        drop()
        nextRequest = 0
    }

    func prepareFork() { mutex.lock() }
    func afterForkInParent() { mutex.unlock() }

    /// Closes what this process holds; irmd takes that for the end of its flows.
    func finish() { try? locked { () throws(Failure) in drop() } }

    // One way messages on the session.

    enum Posting {
        case sent
        /// There was no room: `flush` shall be called when there is.
        case waiting
        /// There is no irmd.
        case noManager
    }

    /// Sends without waiting. An irmd that started after the flow was allocated does not know it, which is as good as
    /// told.
    func post(_ message: ProcessMessage, incarnation: UInt64) -> Posting {
        let bytes = message.encoded()
        let posting = try? locked { () throws(Failure) -> Posting in
            guard socket >= 0, isWelcome else { return .noManager }
            guard incarnation == self.incarnation else { return .sent }
            undelivered.append(bytes)
            return flushLocked()
        }
        return posting ?? .noManager
    }

    private func flushLocked() -> Posting {
        var sent = 0
        defer { undelivered.removeFirst(sent) }
        for bytes in undelivered {
            do {
                try MessageSocket.send(bytes, on: socket, nonBlocking: true)
            } catch .wouldBlock {
                return .waiting
            } catch {
                // The connection has ended; who reads it cleans up.
                sent = undelivered.count
                return .noManager
            }
            sent += 1
        }
        return .sent
    }

    // What the service thread does. Under the lock: the session's number may be another descriptor's as soon as it is
    // closed, and a welcome belongs to who waits for it.

    /// How many sessions have begun and ended so far.
    var generation: UInt32 { cl_load32_acquire(changes) }

    /// Sends what could not be sent before, and gives the socket to `body`; -1 without a session.
    func follow(_ body: (_ socket: Int32, _ generation: UInt32, _ hasUndelivered: Bool) -> Void) {
        try? locked { () throws(Failure) in
            let hasUndelivered = flushLocked() == .waiting
            body(isWelcome ? socket : -1, generation, hasUndelivered)
        }
    }

    /// What irmd says on the session, without waiting; nil if it says nothing more, or has gone.
    func hear() -> (message: ManagerMessage, incarnation: UInt64)? {
        try? locked { () throws(Failure) in
            while isWelcome {
                do throws(Failure) {
                    guard let arrival = try MessageSocket.receive(on: socket, nonBlocking: true) else {
                        throw .manager
                    }
                    if let message = try? ManagerMessage(decoding: arrival.bytes) { return (message, incarnation) }
                } catch {
                    if error != .wouldBlock { drop() }
                    return nil
                }
            }
            return nil
        }
    }

    // Calls.

    /// Sends a request on a connection of its own. A connection whose irmd has gone is noticed here and replaced once.
    func send(
        _ message: (RequestID) -> ProcessMessage
    ) throws(Failure) -> ManagerExchange {
        for attempt in 0..<2 {
            // A call to an irmd that has gone fails at once, so the first one need not ask.
            try ensure(isDoubtful: attempt > 0)
            let exchange = try locked { () throws(Failure) -> ManagerExchange? in
                nextRequest += 1
                var connection = idle.popLast()
                if connection == nil { connection = try openCall() }
                guard let connection else { return nil }
                return ManagerExchange(
                    connection: connection, request: RequestID(nextRequest), incarnation: incarnation)
            }
            guard let exchange else { continue }
            let request = message(exchange.request).encoded()
            if (try? MessageSocket.send(request, on: exchange.connection)) != nil { return exchange }
            cl_close(exchange.connection)
            try locked { () throws(Failure) in
                for connection in idle { cl_close(connection) }
                idle = []
            }
        }
        throw .manager
    }

    /// Nil if another irmd answers than the one of the session, which is gone then.
    private func openCall() throws(Failure) -> Int32? {
        let connection = try greet(.call)
        guard try awaitWelcome(on: connection.number).incarnation == incarnation else {
            drop()
            return nil
        }
        return connection.release()
    }

    /// Back to the pool.
    func finished(_ connection: Int32) {
        try? locked { () throws(Failure) in
            if idle.count < ManagerSession.idleConnections {
                idle.append(connection)
            } else {
                cl_close(connection)
            }
        }
    }

    // Greetings.

    private func greet(_ role: ConnectionRole) throws(Failure) -> Descriptor {
        do throws(Failure) {
            let connection = try MessageSocket.connect(path: RuntimeDirectory.socketPath())
            let features: Features = isExpedited ? .expeditedBarrier : []
            let hello = ProcessMessage.hello(Hello(role: role, features: features, program: program))
            try MessageSocket.send(hello.encoded(), on: connection.number, nonBlocking: true)
            return connection
        } catch {
            throw error == .tooManyDescriptors || error == .tableFull ? error : .manager
        }
    }

    /// Registers for barriers; the kernel keeps that across fork.
    private lazy var isExpedited = cl_membarrier_register() == 0

    private func awaitWelcome(on socket: Int32) throws(Failure) -> Welcome {
        var ready: Int32
        repeat {
            ready = cl_poll_one(socket, Int16(POLLIN), ManagerSession.patienceMilliseconds, nil, nil)
        } while ready == -ERESTART
        if ready == -EINTR { throw .interrupted }
        guard
            ready > 0, let arrival = try? MessageSocket.receive(on: socket, nonBlocking: true),
            case .welcome(let welcome)? = try? ManagerMessage(decoding: arrival.bytes)
        else { throw .manager }
        return welcome
    }

    private func isEnded(_ socket: Int32) -> Bool {
        var one = pollfd(fd: socket, events: 0, revents: 0)
        return poll(&one, 1, 0) > 0
    }
}
