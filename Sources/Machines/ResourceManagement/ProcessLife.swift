// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// Processes come, are replaced, and go.
extension ResourceManager {
    mutating func connect(_ id: ConnectionID, _ credentials: Credentials) {
        // A process of another pid namespace has no pid here, so nothing could be known of its life.
        guard !isStopping, credentials.process.rawValue > 0 else {
            outgoing.append(.drop(id))
            return
        }
        guard attachments.open(id, credentials) else {
            report(.peer(.tooManyConnections(credentials.user)))
            outgoing.append(.drop(id))
            return
        }
        // Whoever holds connections without a word holds descriptors of irmd's.
        attachments.connections[id]?.timer = timers.set(.greeting(id), at: now + Limits.greetingTimeout)
    }

    mutating func greet(_ hello: Hello, _ fact: SystemFact, on id: ConnectionID, of credentials: Credentials) {
        guard hello.version.major == ProtocolVersion.current.major else {
            report(.peer(.versionRefused(credentials.process, hello.version)))
            send(.versionRefused(.current), on: id)
            drop(id)
            return
        }
        // The connection was made by the program that this process ran before, and the present one may have more rights than
        // whoever holds that connection.
        let session = attachments.processes[credentials.process]?.session
        if hello.role != .management, let session, id < session { return drop(id) }
        endGreeting(id)
        let named = if case .program(let path) = fact { path } else { hello.program }
        let program = Array(named.prefix(Limits.programBytes))
        switch hello.role {
        case .management: attachments.connections[id]?.stage = .management
        case .call:
            if attachments.processes[credentials.process] == nil { attach(credentials, program, hello.features) }
            attachments.beginCall(book.openCall(.connection(id), of: credentials), on: id)
        case .session:
            let kept = replace(credentials.process, with: id)
            attach(credentials, program, hello.features)
            attachments.beginSession(id)
            for connection in kept {
                guard let call = attachments.connections[connection]?.call else { continue }
                attachments.beginCall(call, on: connection)
                book.adopt(call)
            }
        }
        let welcome = Welcome(
            features: .flowStatistics, manager: identity.process, incarnation: identity.incarnation)
        send(.welcome(welcome), on: id)
    }

    private mutating func endGreeting(_ id: ConnectionID) {
        guard let connection = attachments.connections[id], let timer = connection.timer else { return }
        timers.cancel(timer)
        connection.timer = nil
    }

    private mutating func attach(_ credentials: Credentials, _ program: [UInt8], _ features: Features) {
        let process = attachments.attach(credentials, program: program)
        let names = naming.attach(
            process.id, program: program, user: credentials.user, startedFor: children.programs[process.id]?.key)
        book.attach(process.id, program: process.programName, features: features, serving: names)
        report(.process(.added(process.id, program: program)))
        reportNames(names)
        watch(process.id)
    }

    private mutating func reportNames(_ names: OrderedSet<ServiceName>) {
        guard !names.isEmpty else { return }
        // A program can be bound to thousands; the first few tell a reader what it is.
        let shown = 16
        report(.process(.acceptsFlows))
        for name in names.prefix(shown) { report(.process(.acceptsFlowsFor(name))) }
        if names.count > shown { report(.process(.acceptsFurther(names.count - shown))) }
    }

    /// The pid attaches a second time: another program took its place with `exec`, perhaps another user's. What the old one
    /// had is gone, also calls without a session. Calls that came after the new session are the new program's, and kept.
    private mutating func replace(_ id: ProcessID, with session: ConnectionID) -> [ConnectionID] {
        guard let old = attachments.processes[id] else { return [] }
        report(.process(.replaced(id)))
        let kept = old.calls.filter { $0 > session }.sorted()
        let calls = kept.compactMap { attachments.connections[$0]?.call }
        for call in calls { cancel(call) }
        for connection in kept { attachments.disown(connection, of: id) }
        for call in calls { book.disown(call, of: id) }
        removeProcess(id)
        for call in calls { free(call) }
        return kept
    }

    /// A request that is not answered any more, on a call that goes on.
    private mutating func cancel(_ id: CallID) {
        switch book.calls[id]?.stage {
        case .allocating(let allocation), .authenticating(_, let allocation):
            fail(allocation.request, on: id, .manager, "the process attached again")
        case .accepting(let request, _): fail(request, on: id, .manager, "the process attached again")
        case .searching(let search): fail(search.allocation.request, on: id, .manager, "the process attached again")
        case .idle, .attached, nil: break
        }
        withdraw(id)
    }

    mutating func disconnect(_ id: ConnectionID) {
        guard let connection = attachments.connections[id] else { return }
        let process = connection.credentials.process
        switch connection.stage {
        case .greeting: endGreeting(id)
        case .management: break
        case .session:
            if attachments.processes[process]?.session == id { removeProcess(process) }
        case .call(let call):
            withdraw(call)
            closeCall(call)
        }
        attachments.close(id)
        // Without a session it was attached by this connection alone.
        if case .call = connection.stage, let attached = attachments.processes[process], attached.connections.isEmpty {
            removeProcess(process)
        }
    }

    /// Ends a connection from our side.
    mutating func drop(_ id: ConnectionID) {
        disconnect(id)
        outgoing.append(.drop(id))
    }

    /// The call is of no more use to anybody.
    mutating func closeCall(_ id: CallID) {
        guard let call = book.closeCall(id) else { return }
        if let alarm = call.alarm { timers.cancel(alarm.timer) }
        if let name = call.arrivalName { children.endArrival(at: call.process, for: name) }
    }

    /// The call is done with its request. Over a channel it was no more than that.
    mutating func free(_ id: CallID) {
        guard let call = book.calls[id] else { return }
        switch call.way {
        case .connection: call.stage = .idle
        case .channel: closeCall(id)
        }
    }

    /// Takes back what a call waits for, or has been offered and not taken.
    mutating func withdraw(_ id: CallID) {
        guard let call = book.calls[id] else { return }
        let stage = call.stage
        free(id)
        switch stage {
        case .idle, .searching, .authenticating: break
        case .allocating(let allocation): book.stopWaiting(allocation)
        case .accepting: book.stopAccepting(id, of: call.process)
        case .attached(let flow, let end): release(flow, end, .withdrawn)
        }
    }

    /// A process is dead.
    mutating func bury(_ id: ProcessID) {
        let served = naming.names(servedBy: id)
        let bound = naming.unbindAll(of: id)
        removeProcess(id)
        for name in bound where !served.contains(name) { settle(name) }
        _ = attachments.unwatch(id)
        outgoing.append(.unwatch(id))
    }

    /// The process is dead, or the program that was attached is gone from it.
    mutating func removeProcess(_ id: ProcessID) {
        guard let process = attachments.detach(id) else { return }
        endInspections(by: id)
        // First of all it is no acceptor any more, else what is taken back from it could be given to it again.
        let remains = book.detach(id)
        let served = naming.detach(id)
        settle(
            Estate(
                process: id, death: now, connections: process.connections[...], calls: remains.calls[...],
                flows: remains.flows[...], links: remains.links[...]))
        for name in served { settle(name) }
        report(.process(.removed(id)))
        unwatchIfUnbound(id)
    }

    // Watching.

    mutating func watch(_ process: ProcessID) {
        if attachments.watch(process) { outgoing.append(.watch(process)) }
    }

    mutating func unwatchIfUnbound(_ process: ProcessID) {
        guard attachments.processes[process] == nil, naming.names(boundTo: process).isEmpty else { return }
        if attachments.unwatch(process) { outgoing.append(.unwatch(process)) }
    }
}
