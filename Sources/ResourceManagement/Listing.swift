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
                writer.write(entry)
                guard writer.bytes.count <= room else { break }
                page.append(entry)
            }
            index += 1
        }
        return page
    }

    mutating func listIPCPs(from: UInt32, for requester: Requester) {
        let all = ipcps.values.sorted { ($0.type.rawValue, $0.process) < ($1.type.rawValue, $1.process) }
        let entries = page(from: from, of: all.count) { index in
            IPCPEntry(
                process: all[index].process, type: all[index].type, name: all[index].name,
                layer: all[index].layer?.name)
        }
        succeed(requester, .ipcps(entries, total: UInt32(clamping: all.count)))
    }

    mutating func listNames(from: UInt32, for requester: Requester) {
        let all = names.inOrder(isFirstPage: from == 0)
        let entries = page(from: from, of: all.count) { entry(for: all[$0]) }
        succeed(requester, .names(entries, total: UInt32(clamping: all.count)))
    }

    private func entry(for name: ServiceName) -> NameEntry? {
        guard let record = names[name] else { return nil }
        // So that an entry always fits a message.
        let shownLayers = 4
        let layers = record.registrations.sorted { ($0.value.type.rawValue, $0.key) < ($1.value.type.rawValue, $1.key) }
        return NameEntry(
            settings: record.settings, acceptors: UInt32(clamping: acceptors.count(of: record.processes)),
            processes: UInt32(clamping: record.processes.union(record.pids).count),
            programs: UInt32(clamping: record.programs.count), autoStart: !record.autoStarts.isEmpty,
            layers: layers.prefix(shownLayers).map(\.value.layer))
    }

    mutating func listFlows(from: UInt32, for requester: Requester) {
        // Sorted for the first page only: the others go on in that order, without those that are gone since.
        if from == 0 || listedFlows.isEmpty { listedFlows = flows.keys.sorted() }
        let all = listedFlows
        let entries = page(from: from, of: all.count) { entry(for: all[$0]) }
        let listed = entries.compactMap { entry in
            flows[entry.flow].map { ListedFlow(entry: entry, link: $0.place.link, slot: $0.place.slot) }
        }
        outgoing.append(
            .sendFlows(listed, total: UInt32(clamping: all.count), requester.request, requester.connection))
    }

    private func entry(for id: FlowID) -> FlowEntry? {
        guard let flow = flows[id] else { return nil }
        return FlowEntry(
            flow: id, state: flow.state, name: flow.name, client: flow.client.process,
            clientProgram: flow.client.program, server: flow.server.process, serverProgram: flow.server.program,
            layer: flow.layer?.name, quality: flow.quality, packetsFromClient: 0, packetsFromServer: 0)
    }

    mutating func sendStatus(for requester: Requester) {
        let status = ManagerStatus(
            process: identity.process, user: identity.user, uptime: now.since(identity.started),
            processes: UInt32(clamping: processes.count - ipcps.keys.count { processes[$0] != nil }),
            ipcps: UInt32(clamping: ipcps.count), names: UInt32(clamping: names.count),
            flows: UInt32(clamping: flows.count), flowsAllocated: flowsAllocated,
            allocationsFailed: allocationsFailed, runtimeDirectory: identity.runtimeDirectory)
        succeed(requester, .status(status))
    }
}
