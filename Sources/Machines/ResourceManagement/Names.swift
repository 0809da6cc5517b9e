// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// A name, and all that is bound to it.
struct NameRecord: Sendable {
    var settings: NameSettings
    /// Who created it, or bound something to it first.
    let owner: UserID
    /// Ascends in the order of creation.
    let creation: UInt64
    /// Attached processes that are bound to it, in whatever way.
    var processes: Set<ProcessID> = []
    /// Processes that are bound by their pid, attached or not.
    var pids: Set<ProcessID> = []
    var programs = OrderedSet<ProgramKey>()
    /// Those of `programs` that are started when nobody accepts; most recently bound last.
    var autoStarts: [ProgramKey] = []
    /// By IPCP.
    var registrations: [ProcessID: Registration] = [:]

    struct Registration: Hashable, Sendable {
        let type: IPCPType
        let layer: LayerName
        let hash: [UInt8]
    }

    /// The local layer that its flows belong to: that of the lowest pid. spec: irmd §7
    var localLayer: (ipcp: ProcessID, registration: Registration)? {
        var lowest: (ipcp: ProcessID, registration: Registration)?
        for (ipcp, registration) in registrations
        where registration.type == .local && ipcp < lowest?.ipcp ?? ProcessID(.max) {
            lowest = (ipcp, registration)
        }
        return lowest
    }
}

/// The names of this irmd.
struct Names: Sendable {
    private var records: [ServiceName: NameRecord] = [:]
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
    /// In no order.
    var all: Dictionary<ServiceName, NameRecord>.Keys { records.keys }

    subscript(name: ServiceName) -> NameRecord? {
        _read { yield records[name] }
        _modify { yield &records[name] }
    }

    /// False if there are as many as there can be, or as the owner may have.
    mutating func create(_ settings: NameSettings, owner: UserID, isExempt: Bool) -> Bool {
        guard shares.add(for: owner, isExempt: isExempt) else { return false }
        creations += 1
        records[settings.name] = NameRecord(settings: settings, owner: owner, creation: creations)
        isOrderStale = true
        return true
    }

    mutating func remove(_ name: ServiceName) -> NameRecord? {
        guard let record = records.removeValue(forKey: name) else { return nil }
        shares.remove(for: record.owner)
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

    /// False if it is bound already.
    mutating func bind(_ process: ProcessID, to name: ServiceName) -> Bool {
        guard let owner = records[name]?.owner, records[name]?.pids.insert(process).inserted == true else {
            return false
        }
        bindingShares.add(for: owner, isExempt: true)
        namesOfPid[process, default: []].append(name)
        return true
    }

    /// False if it was not bound.
    mutating func unbind(_ process: ProcessID, from name: ServiceName) -> Bool {
        guard let owner = records[name]?.owner, records[name]?.pids.remove(process) != nil else { return false }
        bindingShares.remove(for: owner)
        forget(name, of: process)
        return true
    }

    /// `isStarted`: when nobody accepts.
    mutating func bind(_ program: ProgramKey, to name: ServiceName, isStarted: Bool) {
        guard let owner = records[name]?.owner, records[name]?.programs.append(program).inserted == true else { return }
        bindingShares.add(for: owner, isExempt: true)
        if isStarted { records[name]?.autoStarts.append(program) }
    }

    mutating func unbind(_ program: ProgramKey, from name: ServiceName) {
        guard let owner = records[name]?.owner, records[name]?.programs.remove(program) != nil else { return }
        bindingShares.remove(for: owner)
        records[name]?.autoStarts.removeAll { $0 == program }
    }

    private mutating func forget(_ name: ServiceName, of process: ProcessID) {
        namesOfPid[process]?.remove(name)
        if namesOfPid[process]?.isEmpty == true { namesOfPid[process] = nil }
    }

    /// The names that a process is bound to by its pid.
    func names(of process: ProcessID) -> OrderedSet<ServiceName> { namesOfPid[process] ?? [] }

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
