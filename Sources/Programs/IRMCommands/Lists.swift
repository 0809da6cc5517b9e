// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import ToolSupport
import Vocabulary

/// What `list` prints. The frames and widths are those of the prototype, where that has the list. spec: irm-cli §2, §3
extension Execution {
    mutating func listIPCPs(_ filter: IPCPFilter, _ style: ListStyle) throws(ManagementError) {
        let all = try service.ipcps()
        let ipcps = all.filter(filter.admits)
        if style == .json {
            let names = try service.bindings().namesOfIPCPs
            report.output += JSON.array(ipcps.map { $0.json(names: names[$0.process] ?? []) }).text + "\n"
        } else if ipcps.isEmpty {
            report.output += all.isEmpty ? "No IPCPs in system.\n\n" : "No IPCPs match.\n\n"
        } else if style == .long {
            report.output += ipcps.table(try service.bindings()).text()
        } else {
            var table = FramedTable([("pid", 7), ("name", 20), ("type", 10), ("layer", 20)])
            for ipcp in ipcps {
                table.append([
                    "\(ipcp.process)", "\(ipcp.name)", ipcp.type.name, ipcp.layer?.description ?? "Not enrolled.",
                ])
            }
            report.output += table.text + "\n"
        }
    }

    mutating func listNames(_ pattern: Word?, _ style: ListStyle) throws(ManagementError) {
        let all = try service.names()
        let names = all.filter { pattern?.matches($0.settings.name.bytes) ?? true }
        if style == .json {
            report.output += JSON.array(names.map(\.json)).text + "\n"
        } else if names.isEmpty {
            report.output += all.isEmpty ? "No names in system.\n\n" : "No names match.\n\n"
        } else if style == .long {
            report.output += names.table(try service.bindings()).text()
        } else {
            var table = FramedTable([("name", 50), ("load-balance policy", 20)])
            for name in names { table.append(["\(name.settings.name)", name.settings.balancing.name]) }
            report.output += table.text
        }
    }

    mutating func listBindings(_ pattern: Word?, json: Bool) throws(ManagementError) {
        let all = try service.bindings()
        let bindings = all.filter { pattern?.matches($0.name.bytes) ?? true }
        if json {
            report.output += JSON.array(bindings.map(\.json)).text + "\n"
        } else if bindings.isEmpty {
            report.output += all.isEmpty ? "Nothing is bound.\n\n" : "No names match.\n\n"
        } else {
            report.output += bindings.table.text()
        }
    }

    mutating func listFlows(_ pattern: Word?, _ style: ListStyle) throws(ManagementError) {
        let all = try service.flows()
        let flows = all.filter { pattern?.matches($0.name.bytes) ?? true }
        if style == .json {
            report.output += JSON.array(flows.map(\.json)).text + "\n"
        } else if flows.isEmpty {
            report.output += all.isEmpty ? "No flows in system.\n\n" : "No flows match.\n\n"
        } else {
            report.output += style == .long ? flows.longTable.text() : flows.table.text()
        }
    }
}

extension IPCPEntry {
    /// `names`: those that it is bound to.
    func json(names: [ServiceName]) -> JSON {
        .members([
            "pid": .integer(Int64(process.rawValue)), "name": .string(name.bytes), "type": .text(type.name),
            "layer": layer.map { .string($0.bytes) } ?? .null, "bound_to": .array(names.map { .string($0.bytes) }),
        ])
    }
}

extension DescribedIPCP {
    var json: JSON {
        let own = entry.json(names: names)
        guard let layer, !layer.address.isEmpty, case .object(let members) = own else { return own }
        let network = JSON.members([
            "address": .string(layer.address), "port": .natural(UInt64(layer.port)),
            "dns": layer.server.isEmpty ? .null : .string(layer.server), "flows": .natural(UInt64(layer.flows)),
            "peers": .array(layer.peers.map { .string($0) }),
            "counters": .object(
                layer.counters.map { JSON.Member(name: printable($0.name), value: .natural($0.value)) }),
        ])
        return .object(members + [JSON.Member(name: "network", value: network)])
    }
}

extension NameEntry {
    var json: JSON {
        .members([
            "name": .string(settings.name.bytes), "load_balancing": .text(settings.balancing.name),
            "wait_ms": settings.wait == .unlimited ? .null : .natural(settings.wait.nanoseconds / 1_000_000),
            "acceptors": .natural(UInt64(acceptors)), "processes": .natural(UInt64(processes)),
            "programs": .natural(UInt64(programs)), "auto_start": .bool(autoStart),
            "layers": .array(layers.map { .string($0.bytes) }), "server": settings.server.json,
            "client": settings.client.json,
        ])
    }
}

extension SecurityPaths {
    /// Null stands for the default.
    var json: JSON {
        .members([
            "encryption": encryption.isEmpty ? .null : .string(encryption), "key": key.isEmpty ? .null : .string(key),
            "certificate": certificate.isEmpty ? .null : .string(certificate),
        ])
    }
}

extension FlowSummary {
    var json: JSON {
        .members([
            "flow": .natural(UInt64(flow.rawValue)), "state": .text(state.name), "name": .string(name.bytes),
            "age_s": .natural(age.nanoseconds / 1_000_000_000), "client": client.json, "server": server.json,
            "layer": layer.map { .string($0.bytes) } ?? .null, "qos": quality.json,
        ])
    }
}

extension FlowParty {
    fileprivate var json: JSON {
        .members([
            "pid": .integer(Int64(process.rawValue)), "program": .string(program),
            "host": host.map { .string($0) } ?? .null, "packets": .natural(sent.packets), "bytes": .natural(sent.bytes),
            "unread_packets": .natural(sent.unreadPackets), "unread_bytes": .natural(sent.unreadBytes),
        ])
    }
}

extension QualityOfService {
    var json: JSON {
        .members([
            "delay_ms": delayMilliseconds == .max ? .null : .natural(UInt64(delayMilliseconds)),
            "bandwidth": .natural(bandwidth), "availability": .natural(UInt64(availability)),
            "loss": .natural(UInt64(loss)), "ber": .natural(UInt64(bitErrorRate)), "in_order": .bool(inOrder),
            "max_gap_ms": maximumGapMilliseconds == .max ? .null : .natural(UInt64(maximumGapMilliseconds)),
            "timeout_ms": .natural(UInt64(timeoutMilliseconds)),
        ])
    }
}
