// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing
import Vocabulary

/// The Python package has the options of layers, with the defaults and the bounds of the table.
@Suite struct PythonTests {
    private let classes: [String: String]
    private let conversion: String

    init() throws {
        let source = try Repository.text("bindings/python/src/ouroboros/configuration.py")
        classes = source.components(separatedBy: "\nclass ").dropFirst().reduce(into: [:]) { found, text in
            found[String(text.prefix { $0.isLetter || $0.isNumber })] = text
        }
        conversion = try Repository.text("bindings/python/src/ouroboros/_layers.py")
    }

    @Test("every type of layer and every hash has a member in Python")
    func enumerations() throws {
        let types = try #require(classes["IpcpType"])
        for type in IPCPType.allCases {
            let name = type.name.uppercased().replacingOccurrences(of: "-", with: "_")
            #expect(types.contains("    \(name) = lib.IPCP_\(name)\n"))
        }
        let hashes = try #require(classes["DirectoryHashAlgo"])
        for hash in DirectoryHash.choices { #expect(hashes.contains("    \(hash) = lib.DIR_HASH_\(hash)\n")) }
    }

    @Test("every option of a layer is in Python, with its default and its bounds", arguments: LayerOption.allCases)
    func options(_ option: LayerOption) throws {
        for place in Self.places(of: option) {
            let text = try #require(classes[place.type])
            let lines = text.components(separatedBy: "\n").filter { $0.hasPrefix("    \(place.field): ") }
            let field = lines.first { $0.contains(" = ") }
            #expect(field?.hasSuffix(" = \(place.usual)") == true, "\(place): \(field ?? "no such field")")
            #expect(conversion.contains(".\(place.field)") || conversion.contains("\"\(place.field)\""))
            guard let bounds = Self.bounds(of: option) else { continue }
            #expect(lines.first?.contains(bounds) == true, "\(place): \(bounds)")
        }
    }

    private struct Place {
        let type: String
        let field: String
        let usual: String

        init(_ type: String, _ field: String, _ usual: String) {
            self.type = type
            self.field = field
            self.usual = usual
        }
    }

    /// Where it is in Python; nowhere, if the structures of C have no room for it.
    private static func places(of option: LayerOption) -> [Place] {
        let usual = option.usual.map { "\($0)" } ?? ""
        switch option {
        case .hash: return [Place("IpcpConfig", "dir_hash_algo", "DirectoryHashAlgo.SHA3_256")]
        case .unicast(let option): return [place(of: option, usual)]
        case .ethernet(.device): return [Place("EthConfig", "dev", "\"\"")]
        case .ethernet(.etherType):
            return [Place("EthConfig", "ethertype", "0x" + String(option.usual ?? 0, radix: 16, uppercase: true))]
        case .datagram(.address):
            return [Place("Udp4Config", "ip_addr", "\"0.0.0.0\""), Place("Udp6Config", "ip_addr", "\"::\"")]
        case .datagram(.server):
            return [Place("Udp4Config", "dns_addr", "\"0.0.0.0\""), Place("Udp6Config", "dns_addr", "\"::\"")]
        // Udp6Config refers to Udp4Config for what it means.
        case .datagram(.port): return [Place("Udp4Config", "port", usual)]
        case .datagram(.hosts), .datagram(.key): return []
        }
    }

    private static func place(of option: UnicastOption, _ usual: String) -> Place {
        switch option {
        case .addressBytes: Place("DtConfig", "addr_size", usual)
        case .endpointBytes: Place("DtConfig", "eid_size", usual)
        case .timeToLive: Place("DtConfig", "max_ttl", usual)
        case .addressAuthority: Place("UnicastConfig", "addr_auth", "AddressAuthPolicy.FLAT_RANDOM")
        case .routing: Place("LinkStateConfig", "pol", "LinkStatePolicy.SIMPLE")
        case .recalculate: Place("LinkStateConfig", "t_recalc", usual)
        case .update: Place("LinkStateConfig", "t_update", usual)
        case .timeout: Place("LinkStateConfig", "t_timeo", usual)
        case .directory: Place("DirConfig", "pol", "DirectoryPolicy.DHT")
        case .searchFactor: Place("DhtConfig", "alpha", usual)
        case .replicas: Place("DhtConfig", "k", usual)
        case .expire: Place("DhtConfig", "t_expire", usual)
        case .refresh: Place("DhtConfig", "t_refresh", usual)
        case .replicate: Place("DhtConfig", "t_replicate", usual)
        case .congestion: Place("UnicastConfig", "cong_avoid", "CongestionAvoidPolicy.MB_ECN")
        }
    }

    /// As the documentation of the package writes it; nil: it need not say it.
    private static func bounds(of option: LayerOption) -> String? {
        func grouped(_ number: UInt64) -> String {
            number < 1_000 ? "\(number)" : "\(number / 1_000)," + String("\(1_000 + number % 1_000)".dropFirst())
        }
        switch option.row.kind {
        case .number(let range, _) where range.count == 1: return "; \(range.lowerBound)."
        case .number(let range, _) where range.upperBound < UInt64(Int64.max):
            return "from \(grouped(range.lowerBound)) to \(grouped(range.upperBound))"
        case .number(let range, _): return "at least \(range.lowerBound)"
        case .hexadecimal(let range, _):
            func hexadecimal(_ number: UInt64) -> String {
                "0x" + String(String(0x10000 + number, radix: 16, uppercase: true).dropFirst())
            }
            return "from \(hexadecimal(range.lowerBound)) to \(hexadecimal(range.upperBound))"
        case .choice, .address, .server, .path, .interface: return nil
        }
    }
}
