// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

extension BootstrapKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .type: .type(.optional)
        case .layer: KeywordForm("layer", "LAYER", .free, "The name of the new layer", .required)
        case .name: KeywordForm("name", "IPCP", .ipcp, "Its first member; with a type it is created", .required)
        case .hash: choice("HASH", LayerOptions.hashes.keys.sorted(), "Of the directory: SHA3_256 (default)", notUDP)
        case .ip: KeywordForm("ip", "ADDRESS", .free, "Own address; must be given", types: udp)
        case .dns:
            KeywordForm("dns", "SERVER", .free, "DNS server for names, ADDRESS[:PORT] or [ADDRESS]:PORT", types: udp)
        case .port: KeywordForm("port", "NUMBER", .free, "Port (3435)", types: udp)
        case .hosts: KeywordForm("hosts", "FILE", .file, "Addresses and names", types: udp)
        case .key: KeywordForm("key", "FILE", .file, "TSIG key for updates of the DNS server", types: udp)
        case .device:
            KeywordForm(
                "dev", "INTERFACE", .interface, "Interface; must be given", types: [.ethernetLLC, .ethernetDIX])
        case .ethertype: KeywordForm("ethertype", "NUMBER", .free, "Hexadecimal (A000)", types: [.ethernetDIX])
        case .autobind:
            KeywordForm(
                "autobind", nil, .free, KeywordForm.autobind.summary, types: [.unicast, .broadcast])
        case .addr: number("BYTES", "Size of addresses (4)")
        case .eid: number("BYTES", "Size of endpoint ids (8)")
        case .endpointBytes: number("BYTES", "The older name of eid")
        case .ttl: number("HOPS", "Greatest time to live (60)")
        case .addressAuthority: choice("POLICY", ["flat"], "How addresses are chosen: flat", [.unicast])
        case .directory: choice("POLICY", ["DHT"], "How names are found: DHT", [.unicast])
        case .searchFactor: number("NUMBER", "Requests at a time (3)")
        case .replicas: number("NUMBER", "Copies of an entry (8)")
        case .expire: number("SECONDS", "Life of an entry (86400)")
        case .refresh: number("SECONDS", "Refreshing of contacts (900)")
        case .replicate: number("SECONDS", "Copying of entries (900)")
        case .routing:
            choice("POLICY", ["link_state", "lfa", "ecmp"], "link_state (default), lfa or ecmp", [.unicast])
        case .timeout: number("SECONDS", "Until a silent link is dropped (60)")
        case .update: number("SECONDS", "Between two updates (15)")
        case .recalculate: number("SECONDS", "Between two calculations (4)")
        case .congestion: choice("POLICY", ["mb-ecn", "none"], "mb-ecn (default) or none", [.unicast])
        }
    }

    private var udp: [IPCPType] { [.udp4, .udp6] }
    private var notUDP: [IPCPType] { [.unicast, .local, .ethernetLLC, .ethernetDIX] }

    private func number(_ argument: String, _ summary: String) -> KeywordForm {
        KeywordForm(rawValue, argument, .free, summary, types: [.unicast])
    }

    private func choice(
        _ argument: String, _ words: [String], _ summary: String, _ types: [IPCPType]
    ) -> KeywordForm {
        KeywordForm(rawValue, argument, .words(words), summary, types: types)
    }
}
