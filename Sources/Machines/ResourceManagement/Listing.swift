// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import LocalProtocol
import Vocabulary

/// Lists, page by page, and the status.
extension ResourceManager {
    /// The longest page from `from` on that fits a message: entries can be long, so it is filled by bytes.
    private func page<Entry: LocalCodable>(
        from: UInt32, of count: Int, _ entry: (Int) -> Entry?
    ) -> [Entry] {
        // What stands around the entries in a message is much less.
        let room = Limits.localMessageBytes - 64
        var page: [Entry] = []
        var writer = ByteWriter()
        var index = Int(from)
        while index < count, page.count < Limits.listPage {
            if let entry = entry(index) {
                entry.write(to: &writer)
                guard writer.bytes.count <= room else { break }
                page.append(entry)
            }
            index += 1
        }
        return page
    }

    mutating func listIPCPs(from: UInt32, for requester: Requester) {
        let all = children.ipcpsInOrder
        let entries = page(from: from, of: all.count) { index in
            IPCPEntry(
                process: all[index].process, type: all[index].type, name: all[index].name,
                layer: all[index].layer?.name)
        }
        succeed(requester, .ipcps(entries, total: UInt32(clamping: all.count)))
    }

    mutating func listNames(from: UInt32, for requester: Requester) {
        let all = naming.inOrder(isFirstPage: from == 0)
        let entries = page(from: from, of: all.count) { entry(for: all[$0]) }
        succeed(requester, .names(entries, total: UInt32(clamping: all.count)))
    }

    private func entry(for name: ServiceName) -> NameEntry? {
        guard let record = naming[name] else { return nil }
        // So that an entry always fits a message.
        let shownLayers = 4
        let layers = record.registrations.sorted { ($0.value.type.rawValue, $0.key) < ($1.value.type.rawValue, $1.key) }
        return NameEntry(
            settings: record.settings, acceptors: UInt32(clamping: book.acceptors.count(of: record.processes)),
            processes: UInt32(clamping: record.processes.union(record.pids).count),
            programs: UInt32(clamping: record.programs.count), autoStart: !record.autoStarts.isEmpty,
            layers: layers.prefix(shownLayers).map(\.value.layer))
    }

    mutating func listFlows(from: UInt32, for requester: Requester) {
        // Sorted for the first page only: the others go on in that order, without those that are gone since.
        if from == 0 || listedFlows.isEmpty { listedFlows = book.flows.keys.sorted() }
        let all = listedFlows
        let entries = page(from: from, of: all.count) { summary(of: all[$0]) }
        let listed = entries.compactMap { entry in
            book.flows[entry.flow].map { ListedFlow(entry: entry, link: $0.place.link, slot: $0.place.slot) }
        }
        outgoing.append(
            .sendFlows(listed, total: UInt32(clamping: all.count), requester.request, requester.connection))
    }

    /// Without its packets, which the driver counts.
    func summary(of id: FlowID) -> FlowSummary? {
        guard let flow = book.flows[id] else { return nil }
        func party(_ end: End) -> FlowParty {
            FlowParty(
                process: flow[end].process, program: flow[end].program,
                host: flow.remote?.end == end ? flow.host : nil)
        }
        return FlowSummary(
            flow: id, state: flow.state, name: flow.name, client: party(.first), server: party(.second),
            layer: flow.layer?.name, quality: flow.quality, age: now.since(flow.begun))
    }

    /// By name in the order of creation: programs as they were bound, then processes.
    mutating func listBindings(from: UInt32, for requester: Requester) {
        var total = 0
        var listed: [(name: ServiceName, bound: Binding)] = []
        for name in naming.inOrder(isFirstPage: from == 0) {
            guard let record = naming[name] else { continue }
            let count = record.programs.count + record.pids.count
            if total + count > Int(from), listed.count < Limits.listPage {
                let bound = record.programs.map(Binding.program) + record.pids.sorted().map(Binding.process)
                for binding in bound.dropFirst(max(Int(from) - total, 0)).prefix(Limits.listPage - listed.count) {
                    listed.append((name, binding))
                }
            }
            total += count
        }
        let entries = page(from: 0, of: listed.count) { entry(for: listed[$0].bound, to: listed[$0].name) }
        succeed(requester, .bindings(entries, total: UInt32(clamping: total)))
    }

    private enum Binding {
        case program(ProgramKey)
        case process(ProcessID)
    }

    private func entry(for binding: Binding, to name: ServiceName) -> BindingEntry {
        switch binding {
        case .program(let key):
            let arguments = naming.recipe(of: key, for: name)?.arguments
            return BindingEntry(name: name, bound: .program(key.path, key.user, arguments: arguments))
        case .process(let process):
            if let ipcp = children[process] { return BindingEntry(name: name, bound: .ipcp(process, ipcp.name)) }
            return BindingEntry(
                name: name, bound: .process(process, program: attachments.processes[process]?.programName ?? []))
        }
    }

    mutating func sendStatus(for requester: Requester) {
        let status = ManagerStatus(
            process: identity.process, user: identity.user, uptime: now.since(identity.started),
            processes: UInt32(
                clamping: attachments.processes.count - children.ipcps.keys.count { attachments.processes[$0] != nil }),
            ipcps: UInt32(clamping: children.ipcps.count), names: UInt32(clamping: naming.count),
            flows: UInt32(clamping: book.flows.count), flowsAllocated: flowsAllocated,
            allocationsFailed: allocationsFailed, runtimeDirectory: identity.runtimeDirectory)
        succeed(requester, .status(status))
    }
}
