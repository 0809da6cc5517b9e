// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// A process that is attached to irmd. A class, as `Connection` is and for the same reason.
final class AttachedProcess {
    let credentials: Credentials
    /// Its program's path as the kernel says, or what it says itself if irmd cannot see it or it is a script.
    let program: [UInt8]
    /// For lists: never so long that an entry does not fit a message.
    let programName: [UInt8]
    /// Without one, the process is attached by its call connections alone.
    fileprivate(set) var session: ConnectionID?
    /// Its call connections.
    fileprivate(set) var calls: Set<ConnectionID> = []

    fileprivate init(_ credentials: Credentials, program: [UInt8]) {
        self.credentials = credentials
        self.program = program
        self.programName = Array(fileName(program).prefix(Limits.programNameBytes))
    }

    var id: ProcessID { credentials.process }
    /// All its connections, the session first.
    var connections: [ConnectionID] { (session.map { [$0] } ?? []) + calls.sorted() }
}

/// The processes that are attached, and all connections to irmd. One of irmd's four parts (see `ResourceManager`): it knows
/// no name, no flow and no child, and says nothing to anybody.
struct Attachments {
    private(set) var connections: [ConnectionID: Connection] = [:]
    private(set) var processes: [ProcessID: AttachedProcess] = [:]
    /// Processes whose death we want to know of.
    private(set) var watched: Set<ProcessID> = []
    private var shares: ConnectionShares

    /// `connections`: how many irmd can have. `manager`: bounded, besides root, only by what there is in all.
    init(connections: Int, manager: UserID) {
        shares = ConnectionShares(of: connections, manager: manager)
    }

    // Connections.

    /// False if the user has as many as allowed.
    mutating func open(_ id: ConnectionID, _ credentials: Credentials) -> Bool {
        guard shares.add(for: credentials.user) else { return false }
        connections[id] = Connection(credentials)
        return true
    }

    @discardableResult
    mutating func close(_ id: ConnectionID) -> Connection? {
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        shares.remove(for: connection.credentials.user)
        switch connection.stage {
        case .greeting, .management, .session: break
        case .call: processes[connection.credentials.process]?.calls.remove(id)
        }
        return connection
    }

    /// The connection is of a process that is dead, or of what it was before `exec`, and will be dropped.
    func isLeft(_ id: ConnectionID, _ connection: Connection) -> Bool {
        switch connection.stage {
        case .greeting, .management: false
        case .session: processes[connection.credentials.process]?.session != id
        case .call: processes[connection.credentials.process]?.calls.contains(id) != true
        }
    }

    // Processes.

    mutating func attach(_ credentials: Credentials, program: [UInt8]) -> AttachedProcess {
        let process = AttachedProcess(credentials, program: program)
        processes[process.id] = process
        return process
    }

    mutating func detach(_ process: ProcessID) -> AttachedProcess? { processes.removeValue(forKey: process) }

    /// The connection is the session of its process.
    func beginSession(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        connection.stage = .session
        processes[connection.credentials.process]?.session = id
    }

    /// The connection is for calls of its process, or of what that is now.
    func beginCall(_ call: CallID, on id: ConnectionID) {
        guard let connection = connections[id] else { return }
        connection.stage = .call(call)
        processes[connection.credentials.process]?.calls.insert(id)
    }

    /// The process is about to be another, and keeps this call connection.
    func disown(_ call: ConnectionID, of process: ProcessID) { processes[process]?.calls.remove(call) }

    // Watching.

    /// False if it is watched already.
    mutating func watch(_ process: ProcessID) -> Bool { watched.insert(process).inserted }

    /// False if it was not watched.
    mutating func unwatch(_ process: ProcessID) -> Bool { watched.remove(process) != nil }
}

/// The last component of a path.
func fileName(_ path: [UInt8]) -> [UInt8] {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return Array(path[(slash + 1)...])
}
