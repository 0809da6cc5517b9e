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
        guard quotas.addConnection(of: credentials.user) else {
            report(.peer(.tooManyConnections(credentials.user)))
            outgoing.append(.drop(id))
            return
        }
        connections[id] = Connection(credentials)
        arm(id, at: now + Limits.greetingTimeout)
    }

    mutating func greet(_ hello: Hello, _ finding: Finding, on id: ConnectionID, of credentials: Credentials) {
        guard hello.version.major == ProtocolVersion.current.major else {
            report(.peer(.versionRefused(credentials.process, hello.version)))
            send(.versionRefused(.current), on: id)
            drop(id)
            return
        }
        // Of what the process was before it became another program, which may have more rights than whoever holds this.
        if hello.role != .management, let session = processes[credentials.process]?.session, id < session {
            return drop(id)
        }
        disarm(id)
        let named = if case .program(let path) = finding { path } else { hello.program }
        let program = Array(named.prefix(Limits.programBytes))
        switch hello.role {
        case .management:
            connections[id]?.stage = .management
        case .call:
            if processes[credentials.process] == nil { attach(credentials, program, hello.features) }
            processes[credentials.process]?.calls.insert(id)
            connections[id]?.stage = .call(.idle)
        case .session:
            let kept = replace(credentials.process, with: id)
            attach(credentials, program, hello.features)
            processes[credentials.process]?.calls = kept
            processes[credentials.process]?.session = id
            connections[id]?.stage = .session
        }
        send(
            .welcome(Welcome(features: [], manager: identity.process, incarnation: identity.incarnation)), on: id)
    }

    private mutating func attach(_ credentials: Credentials, _ program: [UInt8], _ features: Features) {
        let id = credentials.process
        processes[id] = AttachedProcess(id: id, credentials: credentials, program: program, features: features)
        let names = naming.attach(
            id, program: program, user: credentials.user, startedFor: children.programs[id]?.key)
        report(.process(.added(id, program: program)))
        reportNames(names)
        watch(id)
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
    private mutating func replace(_ id: ProcessID, with session: ConnectionID) -> Set<ConnectionID> {
        guard let old = processes[id] else { return [] }
        report(.process(.replaced(id)))
        let kept = old.calls.filter { $0 > session }
        for call in kept.sorted() { cancel(call) }
        processes[id]?.calls.subtract(kept)
        removeProcess(id)
        for call in kept { connections[call]?.stage = .call(.idle) }
        return kept
    }

    /// A request that is not answered any more, on a connection that goes on.
    private mutating func cancel(_ id: ConnectionID) {
        switch connections[id]?.call {
        case .allocating(let allocation): fail(allocation.request, on: id, .manager, "the process attached again")
        case .accepting(let request, _): fail(request, on: id, .manager, "the process attached again")
        case .searching(let search): fail(search.allocation.request, on: id, .manager, "the process attached again")
        case .idle, .attached, nil: break
        }
        withdraw(id)
    }

    mutating func disconnect(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        let process = connection.credentials.process
        switch connection.stage {
        case .greeting, .management: break
        case .session:
            if processes[process]?.session == id { removeProcess(process) }
        case .call:
            withdraw(id)
            processes[process]?.calls.remove(id)
            // Without a session it was attached by this connection alone.
            if let attached = processes[process], attached.session == nil, attached.calls.isEmpty {
                removeProcess(process)
            }
        }
        forget(id)
        quotas.removeConnection(of: connection.credentials.user)
    }

    /// Takes the connection out of the books, with its alarm.
    @discardableResult
    mutating func forget(_ id: ConnectionID) -> Connection? {
        disarm(id)
        waitingArrivals.remove(id)
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        if let name = connection.arrivalName { children.endArrival(at: connection.credentials.process, for: name) }
        return connection
    }

    /// Ends a connection from our side.
    mutating func drop(_ id: ConnectionID) {
        disconnect(id)
        outgoing.append(.drop(id))
    }

    /// Takes back what a call connection waits for, or has been offered and not taken.
    mutating func withdraw(_ id: ConnectionID) {
        guard let connection = connections[id], let call = connection.call else { return }
        free(id)
        switch call {
        case .idle, .searching: break
        case .allocating(let allocation): waiting.remove(allocation)
        case .accepting: acceptors.remove(id, of: connection.credentials.process)
        case .attached(let flow, let end): release(flow, end, .withdrawn)
        }
    }

    /// A process is dead.
    mutating func bury(_ id: ProcessID) {
        watched.remove(id)
        let served = naming.names(servedBy: id)
        let bound = naming.unbindAll(of: id)
        removeProcess(id)
        for name in bound where !served.contains(name) { settle(name) }
        outgoing.append(.unwatch(id))
    }

    /// The process is dead, or the program that was attached is gone from it.
    mutating func removeProcess(_ id: ProcessID) {
        guard let process = processes[id] else { return }
        // First of all it is no acceptor any more, else what is taken back from it could be given to it again.
        processes[id] = nil
        acceptors.removeAll(of: id)
        let served = naming.detach(id)
        settle(
            Estate(
                process: id, death: now, calls: ((process.session.map { [$0] } ?? []) + process.calls.sorted())[...],
                flows: process.flows.sorted()[...], links: links.close(of: id)[...]))
        for name in served { settle(name) }
        report(.process(.removed(id)))
        unwatchIfUnbound(id)
    }

    // Watching.

    mutating func watch(_ process: ProcessID) {
        if watched.insert(process).inserted { outgoing.append(.watch(process)) }
    }

    mutating func unwatchIfUnbound(_ process: ProcessID) {
        guard processes[process] == nil, naming.names(boundTo: process).isEmpty else { return }
        if watched.remove(process) != nil { outgoing.append(.unwatch(process)) }
    }
}
