// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IRMCommands
import LocalProtocol
import ManagementClient
import Vocabulary

/// As much of irmd as the commands can see, and a record of what they asked.
final class FakeManager: ManagementService {
    var entries: [IPCPEntry] = []
    var known: [NameEntry] = []
    var running: [FlowSummary] = []
    var bound: [BindingEntry] = []
    /// What came of asking the processes of a flow.
    var answers: (client: FlowEndReport, server: FlowEndReport) = (.notHeld, .notHeld)
    /// What was asked, but for the lists.
    private(set) var requests: [ManagementRequest] = []
    /// Requests that fail, and why.
    var refused: (ManagementRequest) -> ManagementError? = { _ in nil }
    /// Requests that change nothing.
    var repeated: (ManagementRequest) -> Bool = { _ in false }
    private var lastProcess: Int32 = 1_000

    @discardableResult func add(_ name: String, _ type: IPCPType, layer: String? = nil) -> ProcessID {
        lastProcess += 1
        guard let name = IPCPName(name) else { return ProcessID(0) }
        entries.append(
            IPCPEntry(process: ProcessID(lastProcess), type: type, name: name, layer: layer.flatMap { LayerName($0) }))
        return ProcessID(lastProcess)
    }

    func perform(_ request: ManagementRequest) throws(ManagementError) -> ManagementResult {
        switch request {
        case .listIPCPs(let from): return .ipcps(Array(entries[Int(from)...]), total: UInt32(entries.count))
        case .listNames(let from): return .names(Array(known[Int(from)...]), total: UInt32(known.count))
        case .listFlows(let from): return .flows(Array(running[Int(from)...]), total: UInt32(running.count))
        case .listBindings(let from): return .bindings(Array(bound[Int(from)...]), total: UInt32(bound.count))
        case .status: return .status(status)
        default: requests.append(request)
        }
        if let error = refused(request) { throw error }
        if repeated(request) { return .unchanged }
        switch request {
        case .createIPCP(let name, let type): return .created(add("\(name)", type))
        case .destroyIPCP(let process): entries.removeAll { $0.process == process }
        case .bootstrapIPCP(let process, let configuration): setLayer(process, configuration.layer)
        case .enrollIPCP(let process, let destination): setLayer(process, LayerName(destination.bytes))
        case .createName(let settings):
            if known.contains(where: { $0.settings.name == settings.name }) { return .unchanged }
            addName(settings.name, wait: settings.wait)
        case .bindProcess(_, let name): addName(name)
        case .showFlow(let flow):
            guard let entry = running.first(where: { $0.flow == flow }) else {
                throw ManagementError(.noEntry, reason: "there is no flow \(flow)")
            }
            return .flow(entry, client: answers.client, server: answers.server)
        default: break
        }
        return .completed
    }

    private var status: ManagerStatus {
        ManagerStatus(
            process: ProcessID(77), user: UserID(0), uptime: TimeSpan(seconds: 130), processes: 2,
            ipcps: UInt32(entries.count), names: UInt32(known.count), flows: UInt32(running.count), flowsAllocated: 12,
            allocationsFailed: 1, runtimeDirectory: Array("/run/ouroboros".utf8))
    }

    private func setLayer(_ process: ProcessID, _ layer: LayerName?) {
        guard let index = entries.firstIndex(where: { $0.process == process }) else { return }
        entries[index].layer = layer
    }

    func addName(_ name: ServiceName, wait: TimeSpan = TimeSpan(nanoseconds: 0), layers: [LayerName] = []) {
        guard !known.contains(where: { $0.settings.name == name }) else { return }
        known.append(
            NameEntry(
                settings: NameSettings(name: name, balancing: .spillover, wait: wait), acceptors: 1, processes: 1,
                programs: 1, autoStart: false, layers: layers))
    }

    /// Runs a command line on it.
    func irm(_ line: String) -> Report {
        let words = line.split(separator: " ").map { Word(Array($0.utf8)) }
        return ManagementTool.run(words) { () throws(ManagementError) in self }
    }
}
