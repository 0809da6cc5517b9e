// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// A request under way: on which connection, its number, and of which irmd.
struct ManagerExchange: Sendable {
    /// What a caller waits for. Answers to the one kind come at once where those to the other take long.
    enum Kind { case allocating, accepting }

    let connection: GuestDescriptor
    let request: RequestID
    let incarnation: UInt64
    /// How often to look for the answer before the caller sleeps.
    let looks: Int
    var hasSlept = false
    fileprivate let kind: Kind?
    fileprivate let identity: CallIdentity

    /// Whether the process still is of the user as whom it asks.
    var isOfThisUser: Bool { identity == CallIdentity() }
}

/// As whom a connection was made, which is what irmd tells peers of this process. A program may change its user later.
private struct CallIdentity: Equatable {
    let user = geteuid()
    let group = getegid()
}

/// The connections of this process to irmd: the session, over which irmd notifies, and a small pool for blocking calls,
/// each of which takes one for itself. The program may close them all at any time; then irmd takes the process for gone,
/// with its flows, and the next call begins anew. design: flow-memory §1
///
/// Guarded by a lock of its own, under which nobody waits: for irmd, only `ensure` does, and it holds no lock then.
final class ManagerSession: @unchecked Sendable {
    private enum Stage {
        case none
        /// irmd has not answered the greeting yet.
        case greeting(GuestDescriptor)
        case welcome(GuestDescriptor)

        var socket: GuestDescriptor? {
            switch self {
            case .none: nil
            case .greeting(let socket), .welcome(let socket): socket
            }
        }
    }

    private static let idleConnections = 16

    private let mutex = Lock()
    private var stage = Stage.none {
        didSet { cl_store32_release(changes, cl_load32_relaxed(changes) &+ 1) }
    }
    /// Counts the changes of the session, for a look without the lock.
    private let changes: UnsafeMutablePointer<UInt32>
    /// Of the irmd that has welcomed this process last; flow ids mean nothing to another.
    private var incarnation: UInt64 = 0
    private var idle: [(connection: GuestDescriptor, identity: CallIdentity)] = []
    private var nextRequest: UInt64 = 0
    private var patience = (allocating: LookingPatience(), accepting: LookingPatience())
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

    /// The connection that irmd has welcomed, if the program has left it to us.
    private var welcomed: GuestDescriptor? {
        guard case .welcome(let socket) = stage, socket.isOurs else { return nil }
        return socket
    }

    /// At load time: greets irmd if it is there, without waiting for anything.
    func begin(program: [UInt8]) {
        self.program = program
        guard case .none = stage, let socket = try? greet(.session) else { return }
        stage = .greeting(socket)
    }

    // The greeting.

    enum Progress {
        case welcome
        /// irmd has not answered yet.
        case greeting(GuestDescriptor)
        /// irmd has more connections to accept than it can take in.
        case crowded
    }

    /// A session that irmd has welcomed. Waits for irmd's greeting, and no longer than `GreetingWait` does; `.manager` also
    /// if there is no irmd, or none that we understand. `isDoubtful`: look first whether it has ended.
    func ensure(isDoubtful: Bool) throws(Failure) {
        var wait = GreetingWait(until: nil)
        try ensure(isDoubtful: isDoubtful, &wait)
    }

    private func ensure(isDoubtful: Bool, _ wait: inout GreetingWait) throws(Failure) {
        var isDoubtful = isDoubtful
        while true {
            let progress = try advance(isDoubtful: isDoubtful)
            isDoubtful = false
            if case .welcome = progress { return }
            // A signal is no reason to leave irmd, which may know this process by name already.
            try wait.next(progress)
        }
    }

    /// The next step of the greeting, without waiting.
    func advance(isDoubtful: Bool = false) throws(Failure) -> Progress {
        try locked { () throws(Failure) in
            if let socket = stage.socket, !socket.isOurs || isDoubtful && isEnded(socket) { drop() }
            do throws(Failure) {
                if case .none = stage { stage = .greeting(try greet(.session)) }
            } catch {
                if error == .wouldBlock { return .crowded }
                throw error
            }
            guard case .greeting(let socket) = stage else { return .welcome }
            do throws(Failure) {
                guard let welcome = try welcome(on: socket) else { return .greeting(socket) }
                incarnation = welcome.incarnation
                stage = .welcome(socket)
                return .welcome
            } catch {
                drop()
                throw error
            }
        }
    }

    /// What irmd answers to the greeting; nil: nothing yet.
    private func welcome(on socket: GuestDescriptor) throws(Failure) -> Welcome? {
        let arrival: MessageSocket.Arrival?
        do throws(Failure) {
            arrival = try MessageSocket.receive(on: socket.number, nonBlocking: true)
        } catch {
            if error == .wouldBlock { return nil }
            throw .manager
        }
        guard let arrival, case .welcome(let welcome)? = try? ManagerMessage(decoding: arrival.bytes) else {
            throw .manager
        }
        return welcome
    }

    /// `.wouldBlock` if irmd's backlog is full.
    private func greet(_ role: ConnectionRole) throws(Failure) -> GuestDescriptor {
        do throws(Failure) {
            let connection = try GuestDescriptor(
                settling: try ManagerSession.connect())
            let features: Features = isExpedited ? [.expeditedBarrier, .flowStatistics] : .flowStatistics
            let hello = ProcessMessage.hello(Hello(role: role, features: features, program: program))
            do throws(Failure) {
                try MessageSocket.send(hello.encoded(), on: connection.number, nonBlocking: true)
            } catch {
                connection.close()
                throw .manager
            }
            return connection
        } catch {
            throw error == .tooManyDescriptors || error == .tableFull || error == .wouldBlock ? error : .manager
        }
    }

    private static func connect() throws(Failure) -> Descriptor {
        do throws(RuntimeDirectory.Unreachable) {
            return try RuntimeDirectory.connect()
        } catch {
            throw error.failure
        }
    }

    /// Registers for barriers; the kernel keeps that across fork.
    private lazy var isExpedited = cl_membarrier_register() == 0

    private func isEnded(_ socket: GuestDescriptor) -> Bool {
        cl_is_ready(socket.number, 0)
    }

    /// Of the irmd that has welcomed this process last.
    var currentIncarnation: UInt64 {
        mutex.lock()
        defer { mutex.unlock() }
        return incarnation
    }

    private func drop() {
        stage.socket?.close()
        stage = .none
        undelivered = []
        closeIdle()
    }

    private func closeIdle() {
        for (connection, _) in idle { connection.close() }
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
            guard let socket = welcomed else { return .noManager }
            guard incarnation == self.incarnation else { return .sent }
            undelivered.append(bytes)
            return flush(socket)
        }
        return posting ?? .noManager
    }

    private func flush(_ socket: GuestDescriptor) -> Posting {
        var sent = 0
        defer { undelivered.removeFirst(sent) }
        for bytes in undelivered {
            do {
                try MessageSocket.send(bytes, on: socket.number, nonBlocking: true)
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

    /// How often the session has changed so far.
    var generation: UInt32 { cl_load32_acquire(changes) }

    /// Sends what could not be sent before, and gives the socket to `body`; nil without a session.
    func follow(_ body: (_ socket: GuestDescriptor?, _ generation: UInt32, _ hasUndelivered: Bool) -> Void) {
        try? locked { () throws(Failure) in
            let socket = welcomed
            let hasUndelivered = socket.map { flush($0) == .waiting } ?? false
            body(socket, generation, hasUndelivered)
        }
    }

    /// What irmd says on the session, without waiting; nil if it says nothing more, or has gone.
    func hear() -> (message: ManagerMessage, incarnation: UInt64)? {
        try? locked { () throws(Failure) in
            while let socket = welcomed {
                do throws(Failure) {
                    guard let arrival = try MessageSocket.receive(on: socket.number, nonBlocking: true) else {
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
    /// Waits for irmd no longer than `GreetingWait` does, where it can be cancelled if `cancelState`, the caller's before he
    /// disabled cancellation, says so.
    func send(
        _ kind: ManagerExchange.Kind, until deadline: Instant?, cancelState: Int32,
        _ message: (RequestID) -> ProcessMessage
    ) throws(Failure) -> ManagerExchange {
        var wait = GreetingWait(until: deadline, cancelState: cancelState)
        // A call to an irmd that has gone fails at once, so the first one need not ask.
        try ensure(isDoubtful: false, &wait)
        if let exchange = try sendNow(kind, message) { return exchange }
        while true {
            try ensure(isDoubtful: true, &wait)
            if let exchange = try sendNow(kind, message) { return exchange }
            try wait.next(.crowded)
        }
    }

    /// The same without waiting, on a session that irmd has welcomed. Nil: irmd is crowded, or has gone, which `ensure`
    /// finds out.
    /// `kind`: nil if nobody waits for the answer.
    func sendNow(
        _ kind: ManagerExchange.Kind?, _ message: (RequestID) -> ProcessMessage
    ) throws(Failure) -> ManagerExchange? {
        while true {
            let exchange = try locked { () throws(Failure) -> (ManagerExchange, isFresh: Bool)? in
                nextRequest += 1
                let kept = takeIdle()
                let identity = kept?.identity ?? CallIdentity()
                var connection = kept?.connection
                if connection == nil { connection = try openCall() }
                guard let connection else { return nil }
                let exchange = ManagerExchange(
                    connection: connection, request: RequestID(nextRequest), incarnation: incarnation,
                    looks: withPatience(kind) { $0.begin() } ?? 0, kind: kind, identity: identity)
                return (exchange, kept == nil)
            }
            guard let (exchange, isFresh) = exchange else { return nil }
            let request = message(exchange.request).encoded()
            if (try? MessageSocket.send(request, on: exchange.connection.number, nonBlocking: true)) != nil {
                return exchange
            }
            exchange.connection.close()
            if isFresh { return nil }
        }
    }

    private func takeIdle() -> (connection: GuestDescriptor, identity: CallIdentity)? {
        while let kept = idle.popLast() {
            guard kept.connection.isOurs else { continue }
            if kept.identity == CallIdentity() { return kept }
            kept.connection.close()
        }
        return nil
    }

    /// irmd's answer to the greeting comes before its answer to the request. Nil: irmd is crowded.
    private func openCall() throws(Failure) -> GuestDescriptor? {
        do throws(Failure) {
            return try greet(.call)
        } catch {
            if error == .wouldBlock { return nil }
            throw error
        }
    }

    /// Another irmd than the one of the session has answered a greeting.
    func isOther(_ welcome: Welcome, than exchange: ManagerExchange) -> Bool {
        guard welcome.incarnation != exchange.incarnation else { return false }
        try? locked { () throws(Failure) in if incarnation == exchange.incarnation { drop() } }
        return true
    }

    private func withPatience<Result>(
        _ kind: ManagerExchange.Kind?, _ body: (inout LookingPatience) -> Result
    ) -> Result? {
        switch kind {
        case nil: nil
        case .allocating: body(&patience.allocating)
        case .accepting: body(&patience.accepting)
        }
    }

    /// Its connection goes back to the pool.
    func finished(_ exchange: ManagerExchange) {
        try? locked { () throws(Failure) in
            withPatience(exchange.kind) { $0.end(exchange.looks, hasSlept: exchange.hasSlept) }
            if idle.count < ManagerSession.idleConnections {
                idle.append((exchange.connection, exchange.identity))
            } else {
                exchange.connection.close()
            }
        }
    }
}
