// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// Which of several acceptors of a name gets the next flow. spec: irmd §5
public enum LoadBalancing: UInt32, Sendable {
    /// The acceptor that has waited longest.
    case roundRobin = 0
    /// The acceptor that came last, until it accepts no more.
    case spillover = 1
}

/// How long a flow to a name waits for a server if nobody serves the name.
public enum ServerWait: Hashable, Sendable {
    /// The allocation fails at once.
    case none
    /// At most for this duration, and never longer than its client waits.
    case upTo(Duration)
    /// As long as its client waits.
    case unlimited

    init(_ span: TimeSpan) {
        self = span.nanoseconds == 0 ? .none : span == .unlimited ? .unlimited : .upTo(span.duration)
    }

    var span: TimeSpan {
        switch self {
        case .none: TimeSpan(nanoseconds: 0)
        case .upTo(let duration): TimeSpan(duration)
        case .unlimited: .unlimited
        }
    }
}

/// A binding to a name.
public struct Binding: Hashable, Sendable {
    /// The kinds of bindings.
    public enum Bound: Hashable, Sendable {
        /// All processes of a program that belong to this user or to root. If the arguments are not nil, irmd starts the
        /// program with them when nobody accepts.
        case program(path: String, user: UInt32, arguments: [String]?)
        /// A process, with the last part of the path of its program if the program is known.
        case process(ProcessID, program: String?)
        /// An IPCP, by its name.
        case ipcp(ProcessID, name: String)
    }

    /// The name to which it is bound.
    public let name: String
    /// What is bound.
    public let bound: Bound

    init(_ entry: BindingEntry) {
        name = entry.name.description
        switch entry.bound {
        case .program(let path, let user, let arguments):
            bound = .program(
                path: printable(path), user: user.rawValue, arguments: arguments?.map { printable($0) })
        case .process(let process, let program):
            bound = .process(ProcessID(process), program: program.isEmpty ? nil : printable(program))
        case .ipcp(let process, let name): bound = .ipcp(ProcessID(process), name: name.description)
        }
    }
}

/// A name as irmd lists it.
public struct NameStatus: Hashable, Sendable {
    /// The name. Bytes that are not UTF-8 are shown escaped.
    public let name: String
    /// Which acceptor gets the next flow.
    public let balancing: LoadBalancing
    /// How long a flow to the name waits for a server.
    public let wait: ServerWait
    /// Accepts that wait for a flow to this name.
    public let acceptors: Int
    /// Processes bound to it.
    public let processes: Int
    /// Programs bound to it.
    public let programs: Int
    /// Whether a program is started for the name when nobody accepts.
    public let isStartedOnDemand: Bool
    /// The layers in which the name is registered; the first few if there are many.
    public let layers: [String]
}

// Names, and who accepts for them. spec: c-api §9
extension IRM {
    /// Creates a name. A name that exists already does not change.
    ///
    /// - Parameters:
    ///   - name: 1 to 255 bytes of UTF-8.
    ///   - balancing: Which of several acceptors gets the next flow.
    ///   - wait: How long flows to the name wait for a server.
    public func createName(
        _ name: String, balancing: LoadBalancing = .spillover, wait: ServerWait = .none
    ) throws(OuroborosError) {
        let settings = NameSettings(
            name: try ServiceName(asking: name),
            balancing: balancing == .roundRobin ? .roundRobin : .spillover, wait: wait.span)
        _ = try ask { client throws(ManagementError) in try client.create(settings) }
    }

    /// Changes the settings of a name. A setting that is nil does not change.
    ///
    /// - Throws: ``OuroborosError``, with `name` if the name does not exist.
    public func setName(
        _ name: String, balancing: LoadBalancing? = nil, wait: ServerWait? = nil
    ) throws(OuroborosError) {
        try perform(
            .setName(
                try ServiceName(asking: name),
                balancing: balancing.map { $0 == .roundRobin ? .roundRobin : .spillover }, wait: wait?.span))
    }

    /// All bindings, by name, in the order in which the names were created.
    public func bindings() throws(OuroborosError) -> [Binding] {
        try ask { client throws(ManagementError) in try client.bindings().map(Binding.init) }
    }

    /// Destroys a name, its bindings and registrations. Its flows continue.
    public func destroyName(_ name: String) throws(OuroborosError) {
        try perform(.destroyName(try ServiceName(asking: name)))
    }

    /// All names.
    public func names() throws(OuroborosError) -> [NameStatus] {
        try ask { client throws(ManagementError) in
            try client.names().map { entry in
                NameStatus(
                    name: entry.settings.name.description,
                    balancing: entry.settings.balancing == .roundRobin ? .roundRobin : .spillover,
                    wait: ServerWait(entry.settings.wait), acceptors: Int(entry.acceptors),
                    processes: Int(entry.processes),
                    programs: Int(entry.programs), isStartedOnDemand: entry.autoStart,
                    layers: entry.layers.map(\.description))
            }
        }
    }

    /// Makes a name known in the layer of an IPCP.
    ///
    /// - Throws: ``OuroborosError``, with `name` if the name does not exist, `ipcp` if there is no such IPCP.
    public func register(_ name: String, with ipcp: ProcessID) throws(OuroborosError) {
        try perform(.registerName(try ServiceName(asking: name), ipcp.inner))
    }

    /// Removes a name from the layer of an IPCP.
    public func unregister(_ name: String, from ipcp: ProcessID) throws(OuroborosError) {
        try perform(.unregisterName(try ServiceName(asking: name), ipcp.inner))
    }

    /// Lets a live process accept flows for a name, which is created if it does not exist. Members of the group
    /// `ouroboros` can bind only their own processes.
    public func bind(_ process: ProcessID, to name: String) throws(OuroborosError) {
        try perform(.bindProcess(process.inner, try ServiceName(asking: name)))
    }

    /// Removes the binding of a process; a name of nil stands for all names of the process.
    public func unbind(_ process: ProcessID, from name: String?) throws(OuroborosError) {
        try perform(.unbindProcess(process.inner, try optional(name)))
    }

    /// Lets all processes of a program that belong to this user or to root accept flows for a name, which is created if
    /// it does not exist.
    ///
    /// - Parameters:
    ///   - program: A path if it contains a `/`; otherwise it is searched for along `PATH`.
    ///   - name: The name to which flows are allocated.
    ///   - arguments: If they are not nil, irmd starts the program with them, as the calling user, when nobody accepts a
    ///     flow to the name.
    /// - Throws: ``OuroborosError``, with `noEntry` if there is no such program, `notPermitted` if it is not executable
    ///   or bound to the name already.
    public func bind(
        program: String, to name: String, startingWith arguments: [String]? = nil
    ) throws(OuroborosError) {
        let name = try ServiceName(asking: name)
        try ask { client throws(ManagementError) in
            let path = try ProgramPath.resolve(Array(program.utf8), relative: .refused)
            _ = try client.perform(
                .bindProgram(
                    program: path, name, autoStart: arguments != nil,
                    arguments: (arguments ?? []).map { Array($0.utf8) }, directory: ProgramPath.currentDirectory()))
        }
    }

    /// Removes the binding of a program. The program is its path, the last part of the path, or a symbolic link; a name
    /// of nil stands for all names of the program.
    public func unbind(program: String, from name: String?) throws(OuroborosError) {
        let name = try optional(name)
        try ask { client throws(ManagementError) in try client.unbind(program: Array(program.utf8), name) }
    }

    private func optional(_ name: String?) throws(OuroborosError) -> ServiceName? {
        guard let name else { return nil }
        return try ServiceName(asking: name)
    }
}
