// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// The names of this irmd, what is bound to them, and which attached processes they stand for. One of irmd's four parts
/// (see `ResourceManager`): it knows no connection, no flow and no IPCP, and says nothing to anybody.
struct Naming: Sendable {
    private var records: [ServiceName: NameRecord] = [:]
    private var programs = Programs()
    private var members = Members()
    private var index: NameIndex
    private var namesOfPid: [ProcessID: OrderedSet<ServiceName>] = [:]
    /// By IPCP.
    private var registered: [ProcessID: Set<ServiceName>] = [:]
    private var shares = Shares<UserID>(of: Limits.names)
    /// Bindings of names, by the owners of the names.
    private var bindingShares = Shares<UserID>(of: Limits.allBindings)
    private var creations: UInt64 = 0
    /// In the order of creation; since then some may have come or gone.
    private var ordered: [ServiceName]?
    private var isOrderStale = false

    var count: Int { records.count }
    /// How many bindings all names have together.
    var bindings: Int { bindingShares.used }

    init(_ hashing: any NameHashing) { index = NameIndex(hashing) }

    subscript(name: ServiceName) -> NameRecord? { _read { yield records[name] } }

    /// The name of this hash, which is all that another host says of it.
    mutating func name(of hash: [UInt8], _ algorithm: DirectoryHash) -> ServiceName? {
        index.name(of: hash, algorithm, among: records.keys)
    }

    /// False if there are as many as there can be, or as the owner may have.
    mutating func create(_ settings: NameSettings, owner: UserID, isExempt: Bool) -> Bool {
        guard shares.add(for: owner, isExempt: isExempt) else { return false }
        creations += 1
        records[settings.name] = NameRecord(settings: settings, owner: owner, creation: creations)
        index.add(settings.name)
        isOrderStale = true
        return true
    }

    mutating func change(_ settings: NameSettings) { records[settings.name]?.settings = settings }

    /// What it was; nil if there was none.
    mutating func remove(_ name: ServiceName) -> NameRecord? {
        guard let record = records.removeValue(forKey: name) else { return nil }
        index.remove(name)
        shares.remove(for: record.owner)
        for process in record.processes { members.leave(process, name) }
        for program in record.programs { programs.unbind(program, from: name) }
        for process in record.pids { forget(name, of: process) }
        for _ in 0..<(record.pids.count + record.programs.count) { bindingShares.remove(for: record.owner) }
        for ipcp in record.registrations.keys { forgetRegistration(of: name, with: ipcp) }
        isOrderStale = true
        return record
    }

    /// Whether one more program or process can be bound to the name.
    func hasRoomForBinding(of name: ServiceName, isExempt: Bool) -> Bool {
        guard let record = records[name] else { return false }
        return max(record.pids.count, record.programs.count) < Limits.bindings
            && bindingShares.hasRoom(for: record.owner, isExempt: isExempt)
    }

    // Processes.

    /// False if it is bound already.
    mutating func bind(_ process: ProcessID, to name: ServiceName) -> Bool {
        guard let owner = records[name]?.owner, records[name]?.pids.insert(process).inserted == true else {
            return false
        }
        bindingShares.add(for: owner, isExempt: true)
        namesOfPid[process, default: []].append(name)
        if members[process] != nil { join(process, to: name) }
        return true
    }

    /// False if it was not bound.
    mutating func unbind(_ process: ProcessID, from name: ServiceName) -> Bool {
        guard removeBinding(of: process, to: name) else { return false }
        leaveIfUnbound(process, name)
        return true
    }

    private mutating func removeBinding(of process: ProcessID, to name: ServiceName) -> Bool {
        guard let owner = records[name]?.owner, records[name]?.pids.remove(process) != nil else { return false }
        bindingShares.remove(for: owner)
        forget(name, of: process)
        return true
    }

    /// The process is dead. Returns the names that it was bound to by its pid.
    mutating func unbindAll(of process: ProcessID) -> OrderedSet<ServiceName> {
        let bound = names(boundTo: process)
        for name in bound { _ = removeBinding(of: process, to: name) }
        return bound
    }

    /// A process has attached. Returns the names that it serves: those that it is bound to by its pid, by its program, or
    /// because irmd has started it.
    mutating func attach(
        _ process: ProcessID, program: [UInt8], user: UserID, startedFor start: ProgramKey?
    ) -> OrderedSet<ServiceName> {
        members.add(process, Members.Member(program: program, user: user, start: start))
        var bound = names(boundTo: process)
        bound.formUnion(programs.names(running: program, user: user))
        if let start { bound.formUnion(programs.names(of: start)) }
        for name in bound { join(process, to: name) }
        return bound
    }

    /// irmd has started the process for a program. Returns the names that it serves since now, if it has attached.
    mutating func started(_ process: ProcessID, for key: ProgramKey) -> [ServiceName] {
        guard let member = members[process], member.start == nil else { return [] }
        members.setStart(key, of: process)
        let new = programs.names(of: key).filter { !member.names.contains($0) }
        for name in new { join(process, to: name) }
        return Array(new)
    }

    /// The process is attached no more. Returns the names that it served.
    mutating func detach(_ process: ProcessID) -> OrderedSet<ServiceName> {
        guard let member = members.remove(process) else { return [] }
        for name in member.names { records[name]?.processes.remove(process) }
        return member.names
    }

    /// The names that an attached process serves.
    func names(servedBy process: ProcessID) -> OrderedSet<ServiceName> { members[process]?.names ?? [] }

    /// The names that a process is bound to by its pid, attached or not.
    func names(boundTo process: ProcessID) -> OrderedSet<ServiceName> { namesOfPid[process] ?? [] }

    private mutating func join(_ process: ProcessID, to name: ServiceName) {
        members.join(process, name)
        records[name]?.processes.insert(process)
    }

    /// A binding of the name is gone.
    private mutating func leaveIfUnbound(_ process: ProcessID, _ name: ServiceName) {
        guard let record = records[name], record.processes.contains(process), !record.pids.contains(process),
            let member = members[process], !record.programs.contains(where: member.isServed)
        else { return }
        members.leave(process, name)
        records[name]?.processes.remove(process)
    }

    // Programs.

    /// With a recipe it is started when nobody accepts. False if it is bound already.
    mutating func bind(_ program: ProgramKey, to name: ServiceName, _ recipe: StartRecipe?) -> Bool {
        guard let owner = records[name]?.owner, programs.bind(program, to: name, recipe) else { return false }
        records[name]?.programs.append(program)
        bindingShares.add(for: owner, isExempt: true)
        if recipe != nil { records[name]?.autoStarts.append(program) }
        for process in members.served(by: program) { join(process, to: name) }
        return true
    }

    mutating func unbind(_ program: ProgramKey, from name: ServiceName) {
        guard let owner = records[name]?.owner, records[name]?.programs.remove(program) != nil else { return }
        programs.unbind(program, from: name)
        bindingShares.remove(for: owner)
        records[name]?.autoStarts.removeAll { $0 == program }
        for process in members.served(by: program) { leaveIfUnbound(process, name) }
    }

    /// The bindings that a path or a base name stands for.
    func programs(for file: [UInt8]) -> OrderedSet<ProgramKey> { programs.keys(for: file) }
    func names(of program: ProgramKey) -> OrderedSet<ServiceName> { programs.names(of: program) }
    func recipe(of program: ProgramKey, for name: ServiceName) -> StartRecipe? {
        programs.recipe(of: program, for: name)
    }

    private mutating func forget(_ name: ServiceName, of process: ProcessID) {
        namesOfPid[process]?.remove(name)
        if namesOfPid[process]?.isEmpty == true { namesOfPid[process] = nil }
    }

    // Layers.

    mutating func register(_ name: ServiceName, _ registration: NameRecord.Registration, with ipcp: ProcessID) {
        guard records[name] != nil else { return }
        records[name]?.registrations[ipcp] = registration
        registered[ipcp, default: []].insert(name)
    }

    mutating func unregister(_ name: ServiceName, with ipcp: ProcessID) {
        records[name]?.registrations[ipcp] = nil
        forgetRegistration(of: name, with: ipcp)
    }

    private mutating func forgetRegistration(of name: ServiceName, with ipcp: ProcessID) {
        registered[ipcp]?.remove(name)
        if registered[ipcp]?.isEmpty == true { registered[ipcp] = nil }
    }

    /// An IPCP is gone, and with it the names that were registered there.
    mutating func removeRegistrations(with ipcp: ProcessID) {
        for name in registered.removeValue(forKey: ipcp) ?? [] { records[name]?.registrations[ipcp] = nil }
    }

    /// All names in the order of creation. `isFirstPage`: with those that have come since somebody asked last; the pages of
    /// one list are of one order, and none but the first sorts all names.
    mutating func inOrder(isFirstPage: Bool) -> [ServiceName] {
        if let ordered, !(isFirstPage && isOrderStale) { return ordered }
        isOrderStale = false
        let names = records.values.sorted { $0.creation < $1.creation }.map(\.settings.name)
        ordered = names
        return names
    }
}
