// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import Testing
import Vocabulary

@testable import IRMCommands

/// The table of layer types, and what has to say the same in other languages.
@Suite struct LayerTableTests {
    private let layer: LayerName

    init() throws { layer = try #require(LayerName("l")) }

    @Test("no two types and no two options have a word in common")
    func words() {
        let types = IPCPType.allCases.flatMap { [$0.name] + $0.row.otherNames }
        #expect(Set(types).count == types.count)
        let options = LayerOption.allCases.map(\.row).flatMap { [$0.word] + $0.otherWords + $0.shortForms }
        #expect(Set(options).count == options.count)
        #expect(LayerOption.allCases.allSatisfy { !$0.types.isEmpty })
        #expect(IPCPType.allCases.map(\.daemon).first == "ipcpd-local")
    }

    @Test("every option is explained where it means something, and only there", arguments: IPCPType.allCases)
    func options(_ type: IPCPType) throws {
        let forms = BootstrapKeyword.allCases.map(\.form)
        for option in LayerOption.allCases {
            var options = LayerOptions()
            try options.set(option, Word(Self.example(option, type)))
            #expect(options.ignored(by: type).isEmpty == type.options.contains(option))
            let form = forms.first { $0.word == option.row.word }
            #expect(form?.types?.contains(type) == type.options.contains(option))
        }
    }

    @Test("every option that is set is in the configuration, and keeps its value", arguments: IPCPType.allCases)
    func values(_ type: IPCPType) throws {
        var settings = LayerSettings()
        for option in type.options {
            settings[option] = try option.value(of: Self.example(option, type)) { _ in nil }
        }
        let configuration = try LayerConfiguration(layer: layer, type: type, settings)
        for option in type.options {
            if case .address(let address)? = settings[option], option == .datagram(.address) {
                #expect(configuration[option] == .address(address.with(port: 65_535)))
            } else {
                #expect(configuration[option] == settings[option], "\(option)")
            }
        }
        #expect(configuration.parameters.type == type)
    }

    @Test("an option that is not set is what the table says", arguments: IPCPType.allCases)
    func defaults(_ type: IPCPType) throws {
        var settings = LayerSettings()
        for option in type.options where option.row.kind == .address || option.row.kind == .interface {
            #expect(throws: LayerFault.self) { try LayerConfiguration(layer: layer, type: type, settings) }
            settings[option] = try option.value(of: Self.example(option, type)) { _ in nil }
        }
        let configuration = try LayerConfiguration(layer: layer, type: type, settings)
        for option in type.options {
            if let usual = option.usual { #expect(configuration[option] == .number(usual)) }
        }
    }

    @Test("a number that is out of bounds is a fault, whoever has written it")
    func bounds() throws {
        for option in UnicastOption.allCases {
            let range: ClosedRange<UInt64>
            switch option.row.kind {
            case .choice(let words, _): range = 0...UInt64(words.count - 1)
            case .number(let bounds, _): range = bounds
            case .hexadecimal, .address, .server, .path, .interface: continue
            }
            for (number, isRight) in [
                (range.lowerBound, true), (range.upperBound, true), (range.upperBound + 1, false), (.max, false),
            ] {
                var settings = LayerSettings()
                settings[.unicast(option)] = .number(number)
                let configuration = try? LayerConfiguration(layer: layer, type: .unicast, settings)
                #expect((configuration != nil) == isRight, "\(option) \(number)")
            }
        }
        var parameters = UnicastParameters()
        parameters.replicas = 21
        let wrong = LayerConfiguration(layer: layer, hash: .usual, parameters: .unicast(parameters))
        #expect(wrong.fault?.sentence == "The option dht_k must be a number, from 1 to 20.")
    }

    @Test("a hash counts where there is a choice")
    func hashes() {
        func hash(_ type: IPCPType, _ chosen: DirectoryHash?) -> DirectoryHash { type.hash(choosing: chosen) }
        #expect(hash(.local, .sha3x512) == .sha3x512 && hash(.local, nil) == .sha3x256)
        #expect(hash(.udp4, .sha3x512) == .md5 && hash(.udp6, nil) == .md5)
        #expect(hash(.broadcast, .sha3x512) == .sha3x256 && !IPCPType.broadcast.hasDirectory)
        #expect(LayerConfiguration(layer: layer, hash: .md5, parameters: .local).fault != nil)
        #expect(DirectoryHash.allCases.map(\.name).filter { $0.hasPrefix("SHA3") }.count == DirectoryHash.choices.count)
    }

    @Test("what the header begins with is what the table says")
    func header() {
        for type in IPCPType.allCases {
            for option in type.options {
                guard let usual = option.usual, let number = Self.number(option, of: type) else { continue }
                #expect(number == usual, "\(option.row.word) of \(type.name)")
            }
        }
    }

    /// In the structures that programs begin with; nil: they have no room for it.
    private static func number(_ option: LayerOption, of type: IPCPType) -> UInt64? {
        let (local, llc, dix, unicast) = (
            local_default_conf, eth_llc_default_conf, eth_dix_default_conf, uni_default_conf
        )
        switch (option, type) {
        case (.hash, .local): return UInt64(local.layer_info.dir_hash_algo.rawValue)
        case (.hash, .unicast): return UInt64(unicast.layer_info.dir_hash_algo.rawValue)
        case (.hash, .ethernetLLC): return UInt64(llc.layer_info.dir_hash_algo.rawValue)
        case (.hash, .ethernetDIX): return UInt64(dix.layer_info.dir_hash_algo.rawValue)
        // There it does not count, and is another. spec: c-api §4
        case (.hash, .udp4), (.hash, .udp6), (.hash, .broadcast): return nil
        case (.unicast(let option), _): return number(option, unicast.unicast)
        case (.ethernet(.etherType), _): return UInt64(dix.eth.ethertype)
        case (.datagram(.port), .udp4): return UInt64(udp4_default_conf.udp4.port)
        case (.datagram(.port), _): return UInt64(udp6_default_conf.udp6.port)
        case (.ethernet(.device), _), (.datagram(.address), _), (.datagram(.server), _), (.datagram(.hosts), _),
            (.datagram(.key), _):
            return nil
        }
    }

    private static func number(_ option: UnicastOption, _ conf: uni_config) -> UInt64 {
        switch option {
        case .addressBytes: UInt64(conf.dt.addr_size)
        case .endpointBytes: UInt64(conf.dt.eid_size)
        case .timeToLive: UInt64(conf.dt.max_ttl)
        case .addressAuthority: UInt64(conf.addr_auth_type.rawValue)
        case .routing: UInt64(conf.dt.routing.ls.pol.rawValue)
        case .recalculate: UInt64(conf.dt.routing.ls.t_recalc)
        case .update: UInt64(conf.dt.routing.ls.t_update)
        case .timeout: UInt64(conf.dt.routing.ls.t_timeo)
        case .directory: UInt64(conf.dir.pol.rawValue)
        case .searchFactor: UInt64(conf.dir.dht.params.alpha)
        case .replicas: UInt64(conf.dir.dht.params.k)
        case .expire: UInt64(conf.dir.dht.params.t_expire)
        case .refresh: UInt64(conf.dir.dht.params.t_refresh)
        case .replicate: UInt64(conf.dir.dht.params.t_replicate)
        case .congestion: UInt64(conf.cong_avoid.rawValue)
        }
    }

    /// A value that is not the usual one, where there are several.
    private static func example(_ option: LayerOption, _ type: IPCPType) -> [UInt8] {
        let text =
            switch option.row.kind {
            case .choice(let words, _): words.indices.last { UInt64($0) != option.usual }.map { words[$0] } ?? words[0]
            case .number(let range, _): "\(range.upperBound)"
            case .hexadecimal(let range, _): String(range.upperBound, radix: 16)
            case .address: type == .udp6 ? "2001:db8::1" : "10.0.0.1"
            case .server: type == .udp6 ? "[2001:db8::53]:54" : "10.0.0.2:54"
            case .path: "/\(option.row.word)"
            case .interface: "lo"
            }
        return Array(text.utf8)
    }
}
