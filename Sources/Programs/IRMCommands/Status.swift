// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import ToolSupport
import Vocabulary

/// `irm status`: everything that matters on one screen, and everything as JSON.
extension Execution {
    mutating func showStatus(json: Bool) throws(ManagementError) {
        let ipcps = try service.ipcps()
        let names = try service.bindings().namesOfIPCPs
        let status = SystemStatus(
            manager: try service.status(),
            ipcps: ipcps.map {
                DescribedIPCP(
                    entry: $0, layer: service.layer(of: $0)?.withInterfaceNames, names: names[$0.process] ?? [])
            },
            names: try service.names(), flows: try service.flows())
        report.output += json ? status.json.text + "\n" : status.text
    }
}

struct DescribedIPCP {
    let entry: IPCPEntry
    /// Nil: it says nothing.
    let layer: LayerStatus?
    /// Those that it is bound to.
    let names: [ServiceName]
}

struct SystemStatus {
    let manager: ManagerStatus
    let ipcps: [DescribedIPCP]
    let names: [NameEntry]
    let flows: [FlowSummary]

    /// Lines of one kind that a screen has room for; the lists have them all.
    private var linesPerKind: Int { 10 }

    var text: String {
        let failed = manager.allocationsFailed
        var text = """
            irmd \(manager.process) of user \(manager.user), up \(readable(manager.uptime)), in \
            \(printable(manager.runtimeDirectory))
            \(count(manager.processes, "process", "processes")), \(count(manager.ipcps, "IPCP", "IPCPs")), \
            \(count(manager.names, "name", "names")), \(count(manager.flows, "flow", "flows")); \
            \(count(manager.flowsAllocated, "flow", "flows")) allocated since start, \(failed) failed

            """
        text += section("LAYERS", "", layerTable, layers.count)
        text += section("IPCPS", "irm ipcp list", ipcpTable, ipcps.count)
        if !networks.isEmpty { text += section("NETWORK", "", networkTable, networks.count) }
        text += section("NAMES", "irm name list", nameTable, names.count)
        text += section("FLOWS", "irm flow list", Array(flows.prefix(linesPerKind)).table, flows.count)
        return text
    }

    var json: JSON {
        .members([
            "irmd": .members([
                "pid": .integer(Int64(manager.process.rawValue)), "uid": .natural(UInt64(manager.user.rawValue)),
                "uptime_s": .natural(manager.uptime.nanoseconds / 1_000_000_000),
                "runtime_directory": .string(manager.runtimeDirectory),
                "processes": .natural(UInt64(manager.processes)),
                "flows_allocated": .natural(manager.flowsAllocated),
                "allocations_failed": .natural(manager.allocationsFailed),
            ]),
            "layers": .array(
                layers.map { layer in
                    .members([
                        "name": .string(layer.name.bytes), "type": .text(layer.type.name),
                        "ipcps": .natural(UInt64(layer.ipcps)), "names": .natural(UInt64(layer.names)),
                    ])
                }),
            "ipcps": .array(ipcps.map(\.json)), "names": .array(names.map(\.json)),
            "flows": .array(flows.map(\.json)),
        ])
    }

    private func count(_ number: some BinaryInteger, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }

    private func section(_ title: String, _ command: String, _ table: PlainTable, _ count: Int) -> String {
        guard count > 0 else { return "\n\(title)\n  none\n" }
        let rest = count - linesPerKind
        let more = rest > 0 && !command.isEmpty ? "  … and \(rest) more: \"\(command)\"\n" : ""
        return "\n\(title)\n" + table.text(indentation: "  ") + more
    }

    private struct Layer {
        let name: LayerName
        let type: IPCPType
        let ipcps: Int
        let names: Int
    }

    /// In the order of their first IPCPs.
    private var layers: [Layer] {
        var layers: [Layer] = []
        for layer in ipcps.compactMap(\.entry.layer) where !layers.contains(where: { $0.name == layer }) {
            let members = ipcps.map(\.entry).filter { $0.layer == layer }
            layers.append(
                Layer(
                    name: layer, type: members.first?.type ?? .local, ipcps: members.count,
                    names: names.count { $0.layers.contains(layer) }))
        }
        return layers
    }

    private var layerTable: PlainTable {
        var table = PlainTable([("NAME", .left), ("TYPE", .left), ("IPCPS", .right), ("NAMES", .right)])
        for layer in layers { table.append(["\(layer.name)", layer.type.name, "\(layer.ipcps)", "\(layer.names)"]) }
        return table
    }

    private var ipcpTable: PlainTable {
        var table = PlainTable([
            ("PID", .right), ("NAME", .left), ("TYPE", .left), ("LAYER", .left), ("BOUND TO", .left),
        ])
        for ipcp in ipcps.prefix(linesPerKind) {
            table.append([
                "\(ipcp.entry.process)", "\(ipcp.entry.name)", ipcp.entry.type.name,
                ipcp.entry.layer?.description ?? "Not enrolled.",
                ipcp.names.isEmpty ? "-" : ipcp.names.map(\.description).joined(separator: ", "),
            ])
        }
        return table
    }

    /// The IPCPs that reach other hosts.
    private var networks: [DescribedIPCP] { ipcps.filter { $0.layer?.address.isEmpty == false } }

    private var networkTable: PlainTable {
        var table = PlainTable([
            ("IPCP", .left), ("ADDRESS", .left), ("PORT", .right), ("DNS", .left), ("FLOWS", .right),
            ("PEERS", .left), ("COUNTERS", .left),
        ])
        for ipcp in networks.prefix(linesPerKind) {
            guard let layer = ipcp.layer else { continue }
            let counters = layer.counters.filter { $0.value > 0 }
            table.append([
                "\(ipcp.entry.name)", printable(layer.address), "\(layer.port)",
                layer.server.isEmpty ? "-" : printable(layer.server), "\(layer.flows)",
                layer.peers.isEmpty ? "-" : layer.peers.map { printable($0) }.joined(separator: ", "),
                counters.isEmpty
                    ? "-" : counters.map { "\(printable($0.name)) \($0.value)" }.joined(separator: ", "),
            ])
        }
        return table
    }

    private var nameTable: PlainTable {
        var table = PlainTable([
            ("NAME", .left), ("ACCEPTORS", .right), ("PROCESSES", .right), ("PROGRAMS", .right), ("POLICY", .left),
            ("LAYERS", .left),
        ])
        for name in names.prefix(linesPerKind) {
            table.append([
                "\(name.settings.name)", "\(name.acceptors)", "\(name.processes)",
                "\(name.programs)\(name.autoStart ? " (auto)" : "")", name.settings.balancing.name,
                name.layers.isEmpty ? "-" : name.layers.map(\.description).joined(separator: ", "),
            ])
        }
        return table
    }
}
