// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import LocalProtocol
import ManagementClient
import Vocabulary

// The functions of irm.h that list names, bindings and flows, and end a flow.

/// `irm_list_names_wide(3)`.
@c @implementation
public func irm_list_names_wide(_ names: UnsafeMutablePointer<UnsafeMutablePointer<name_list_info>?>!) -> Int {
    guard let names else { return Int(Call.invalid) }
    return Call.perform { client throws(ManagementError) in
        let entries = try client.names()
        var list = TextualList<name_list_info>()
        for entry in entries {
            list.add(texts: entry.texts) { texts, place in
                place.pointee = entry.row
                place.pointee.name = texts[0]
                place.pointee.s = name_list_files(enc: texts[1], key: texts[2], crt: texts[3])
                place.pointee.c = name_list_files(enc: texts[4], key: texts[5], crt: texts[6])
                // The layers, and NULL behind them.
                place.pointee.layers = UnsafePointer(texts + 7)
            }
        }
        return list.export(to: names)
    }
}

/// `irm_list_bindings(3)`.
@c @implementation
public func irm_list_bindings(_ bindings: UnsafeMutablePointer<UnsafeMutablePointer<bind_list_info>?>!) -> Int {
    guard let bindings else { return Int(Call.invalid) }
    return Call.perform { client throws(ManagementError) in
        let entries = try client.bindings()
        var list = TextualList<bind_list_info>()
        for entry in entries {
            list.add(texts: entry.texts) { texts, place in
                place.pointee = entry.row
                place.pointee.name = texts[0]
                place.pointee.prog = texts[1]
                // The arguments, and NULL behind them.
                place.pointee.argv = UnsafePointer(texts + 2)
            }
        }
        return list.export(to: bindings)
    }
}

/// `irm_list_flows(3)`.
@c @implementation
public func irm_list_flows(_ flows: UnsafeMutablePointer<UnsafeMutablePointer<flow_list_info>?>!) -> Int {
    guard let flows else { return Int(Call.invalid) }
    return Call.perform { client throws(ManagementError) in
        let entries = try client.flows()
        var list = TextualList<flow_list_info>()
        for entry in entries {
            let texts = [
                entry.name.bytes, entry.layer?.bytes ?? [], entry.client.program, entry.client.host ?? [],
                entry.server.program, entry.server.host ?? [],
            ]
            list.add(texts: texts) { texts, place in
                place.pointee.id = entry.flow.rawValue
                place.pointee.state = flow_state(UInt32(entry.state.rawValue))
                place.pointee.name = texts[0]
                place.pointee.layer = texts[1]
                place.pointee.age_ms = entry.age.nanoseconds / 1_000_000
                place.pointee.qs = entry.quality.c
                place.pointee.client = flow_list_side(entry.client, program: texts[2], host: texts[3])
                place.pointee.server = flow_list_side(entry.server, program: texts[4], host: texts[5])
            }
        }
        return list.export(to: flows)
    }
}

/// `irm_destroy_flow(3)`.
@c @implementation
public func irm_destroy_flow(_ id: UInt32) -> Int32 {
    Call.perform(specific: [.noEntry]) { client throws(ManagementError) in
        _ = try client.perform(.destroyFlow(FlowID(id)))
        return 0
    }
}

extension NameEntry {
    /// The name, its files, and its layers.
    fileprivate var texts: [[UInt8]] {
        let (server, client) = (settings.server, settings.client)
        return [
            settings.name.bytes, server.encryption, server.key, server.certificate, client.encryption, client.key,
            client.certificate,
        ] + layers.map(\.bytes)
    }

    /// Without the texts.
    fileprivate var row: name_list_info {
        var row = name_list_info()
        row.pol_lb = pol_balance(settings.balancing.rawValue)
        row.is_patient = settings.wait == .unlimited ? 1 : 0
        row.wait_ns = settings.wait == .unlimited ? 0 : settings.wait.nanoseconds
        row.acceptors = acceptors
        row.processes = processes
        row.programs = programs
        row.opts = autoStart ? BIND_AUTO : 0
        row.layerc = Int32(layers.count)
        return row
    }
}

extension BindingEntry {
    /// The name, what is bound, and arguments.
    fileprivate var texts: [[UInt8]] {
        switch bound {
        case .program(let path, _, let arguments): [name.bytes, path] + (arguments ?? [])
        case .process(_, let program): [name.bytes, program]
        case .ipcp(_, let ipcp): [name.bytes, ipcp.bytes]
        }
    }

    /// Without the texts.
    fileprivate var row: bind_list_info {
        var row = bind_list_info()
        row.uid = .max
        switch bound {
        case .program(_, let user, let arguments):
            row.type = BIND_PROGRAM
            row.uid = user.rawValue
            row.opts = arguments == nil ? 0 : BIND_AUTO
            row.argc = Int32(arguments?.count ?? 0)
        case .process(let process, _):
            row.type = BIND_PROCESS
            row.pid = process.rawValue
        case .ipcp(let process, _):
            row.type = BIND_IPCP
            row.pid = process.rawValue
        }
        return row
    }
}

extension flow_list_side {
    fileprivate init(_ party: FlowParty, program: UnsafePointer<CChar>?, host: UnsafePointer<CChar>?) {
        self.init(
            pid: party.process.rawValue, prog: program, is_remote: party.host == nil ? 0 : 1, host: host,
            packets: party.sent.packets, bytes: party.sent.bytes, unread_packets: party.sent.unreadPackets,
            unread_bytes: party.sent.unreadBytes)
    }
}

/// Rows with strings of any length, which become one piece of memory: first all rows, then for each the pointers to its
/// strings with NULL behind them, then the strings.
private struct TextualList<Row> {
    typealias Texts = UnsafeMutablePointer<UnsafePointer<CChar>?>
    private var rows: [(texts: [[UInt8]], fill: (Texts, UnsafeMutablePointer<Row>) -> Void)] = []

    mutating func add(texts: [[UInt8]], _ fill: @escaping (Texts, UnsafeMutablePointer<Row>) -> Void) {
        rows.append((texts, fill))
    }

    /// For `free(3)`; the count, or -ENOMEM.
    func export(to list: UnsafeMutablePointer<UnsafeMutablePointer<Row>?>) -> Int {
        list.pointee = nil
        guard !rows.isEmpty else { return 0 }
        let pointers = rows.reduce(0) { $0 + $1.texts.count + 1 }
        let bytes = rows.reduce(0) { $0 + $1.texts.reduce(0) { $0 + $1.count + 1 } }
        let firstPointer = rows.count * MemoryLayout<Row>.stride
        let firstText = firstPointer + pointers * MemoryLayout<UnsafePointer<CChar>?>.stride
        guard let memory = calloc(1, firstText + bytes) else { return -Int(Failure.outOfMemory.errno) }
        let elements = memory.bindMemory(to: Row.self, capacity: rows.count)
        var texts = (memory + firstPointer).bindMemory(to: UnsafePointer<CChar>?.self, capacity: pointers)
        var place = memory + firstText
        for (index, row) in rows.enumerated() {
            for (number, text) in row.texts.enumerated() {
                // A NUL, which no text has, would end it early; calloc has written the one behind it.
                place.copyMemory(from: text, byteCount: text.count)
                texts[number] = UnsafePointer(place.assumingMemoryBound(to: CChar.self))
                place += text.count + 1
            }
            row.fill(texts, elements + index)
            texts += row.texts.count + 1
        }
        list.pointee = elements
        return rows.count
    }
}
