// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ToolSupport
import Vocabulary

// The tables of lists that the prototype does not have, and of `--long`.

extension [FlowSummary] {
    /// One line each: who, with whom, through what, for how long, and how much.
    var table: PlainTable {
        var table = PlainTable([
            ("FLOW", .right), ("NAME", .left), ("CLIENT", .left), ("SERVER", .left), ("LAYER", .left),
            ("STATE", .left), ("AGE", .left), ("SENT", .right), ("RECEIVED", .right),
        ])
        for flow in self {
            table.append(flow.columns + ["\(flow.client.sent.packets)", "\(flow.server.sent.packets)"])
        }
        return table
    }

    /// With bytes and with what waits to be read: first what the client sent, then what the server did.
    var longTable: PlainTable {
        var table = PlainTable([
            ("FLOW", .right), ("NAME", .left), ("CLIENT", .left), ("SERVER", .left), ("LAYER", .left),
            ("STATE", .left), ("AGE", .left), ("SENT", .right), ("BYTES", .right), ("UNREAD", .right),
            ("BYTES", .right), ("RECEIVED", .right), ("BYTES", .right), ("UNREAD", .right), ("BYTES", .right),
        ])
        for flow in self { table.append(flow.columns + flow.client.sent.columns + flow.server.sent.columns) }
        return table
    }
}

extension FlowSummary {
    fileprivate var columns: [String] {
        [
            "\(flow)", "\(name)", client.text, server.text, layer?.description ?? "direct", state.name, readable(age),
        ]
    }
}

extension FlowParty {
    /// A process, or the host that an IPCP leads to.
    var text: String {
        if let host { return host.isEmpty ? "another host" : "host \(printable(host))" }
        return program.isEmpty ? "\(process)" : "\(process) (\(printable(program)))"
    }
}

extension FlowTraffic {
    fileprivate var columns: [String] { ["\(packets)", "\(bytes)", "\(unreadPackets)", "\(unreadBytes)"] }
}

extension [BindingEntry] {
    /// The names that each IPCP is bound to.
    var namesOfIPCPs: [ProcessID: [ServiceName]] {
        var names: [ProcessID: [ServiceName]] = [:]
        for binding in self {
            if case .ipcp(let process, _) = binding.bound { names[process, default: []].append(binding.name) }
        }
        return names
    }

    var table: PlainTable {
        var table = PlainTable([
            ("NAME", .left), ("TYPE", .left), ("BOUND", .left), ("UID", .left), ("AUTO", .left), ("ARGUMENTS", .left),
        ])
        for binding in self {
            switch binding.bound {
            case .program(let path, let user, let arguments):
                table.append([
                    "\(binding.name)", "program", printable(path), "\(user)", arguments == nil ? "-" : "auto",
                    arguments.map { $0.isEmpty ? "-" : $0.map { printable($0) }.joined(separator: " ") } ?? "-",
                ])
            case .process(let process, let program):
                let text = program.isEmpty ? "\(process)" : "\(process) (\(printable(program)))"
                table.append(["\(binding.name)", "process", text, "-", "-", "-"])
            case .ipcp(let process, let name):
                table.append(["\(binding.name)", "ipcp", "\(process) (\(name))", "-", "-", "-"])
            }
        }
        return table
    }

    /// What is bound to each name, in a few words.
    fileprivate var wordsByName: [ServiceName: [String]] {
        var words: [ServiceName: [String]] = [:]
        for binding in self { words[binding.name, default: []].append(binding.bound.text) }
        return words
    }
}

extension BindingEntry {
    var json: JSON {
        let common = JSON.Member(name: "name", value: .string(name.bytes))
        let rest: [JSON.Member]
        switch bound {
        case .program(let path, let user, let arguments):
            rest = [
                JSON.Member(name: "type", value: .text("program")), JSON.Member(name: "program", value: .string(path)),
                JSON.Member(name: "uid", value: .natural(UInt64(user.rawValue))),
                JSON.Member(name: "auto", value: .bool(arguments != nil)),
                JSON.Member(name: "arguments", value: .array((arguments ?? []).map { .string($0) })),
            ]
        case .process(let process, let program):
            rest = [
                JSON.Member(name: "type", value: .text("process")),
                JSON.Member(name: "pid", value: .integer(Int64(process.rawValue))),
                JSON.Member(name: "program", value: program.isEmpty ? .null : .string(program)),
            ]
        case .ipcp(let process, let name):
            rest = [
                JSON.Member(name: "type", value: .text("ipcp")),
                JSON.Member(name: "pid", value: .integer(Int64(process.rawValue))),
                JSON.Member(name: "ipcp", value: .string(name.bytes)),
            ]
        }
        return .object([common] + rest)
    }
}

extension BindingEntry.Bound {
    fileprivate var text: String {
        switch self {
        case .program(let path, _, let arguments): printable(path) + (arguments == nil ? "" : " (auto)")
        case .process(let process, let program):
            program.isEmpty ? "process \(process)" : "process \(process) (\(printable(program)))"
        case .ipcp(_, let name): "IPCP \(name)"
        }
    }
}

extension [NameEntry] {
    func table(_ bindings: [BindingEntry]) -> PlainTable {
        let bound = bindings.wordsByName
        var table = PlainTable([
            ("NAME", .left), ("POLICY", .left), ("WAIT", .left), ("ACCEPTORS", .right), ("BOUND", .left),
            ("LAYERS", .left),
        ])
        for name in self {
            table.append([
                "\(name.settings.name)", name.settings.balancing.name, name.settings.wait.text, "\(name.acceptors)",
                list(bound[name.settings.name] ?? []), list(name.layers.map(\.description)),
            ])
        }
        return table
    }
}

extension [IPCPEntry] {
    func table(_ bindings: [BindingEntry]) -> PlainTable {
        let names = bindings.namesOfIPCPs
        var table = PlainTable([
            ("PID", .right), ("NAME", .left), ("TYPE", .left), ("LAYER", .left), ("BOUND TO", .left),
        ])
        for ipcp in self {
            table.append([
                "\(ipcp.process)", "\(ipcp.name)", ipcp.type.name, ipcp.layer?.description ?? "Not enrolled.",
                list((names[ipcp.process] ?? []).map(\.description)),
            ])
        }
        return table
    }
}

extension TimeSpan {
    /// How long a name waits for its server.
    fileprivate var text: String {
        if nanoseconds == 0 { return "-" }
        if self == .unlimited { return "client" }
        return nanoseconds % 1_000_000_000 == 0 ? readable(self) : "\(nanoseconds / 1_000_000) ms"
    }
}

private func list(_ words: [String]) -> String { words.isEmpty ? "-" : words.joined(separator: ", ") }
