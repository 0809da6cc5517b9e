// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// `irm ipcp`. spec: irm-cli §2
extension Grammar {
    mutating func ipcpCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to do with IPCPs is missing.", .ipcp) }
        switch try verb(word, IPCPVerb.table, of: .ipcp) {
        case .create: return try createIPCP()
        case .destroy: return try destroyIPCP()
        case .bootstrap: return try bootstrap()
        case .enroll: return try enroll()
        case .connect: return try connect()
        case .disconnect: return try disconnect()
        case .list: return try listIPCPs()
        case .help: return .help(.ipcp)
        }
    }

    private mutating func createIPCP() throws(UsageError) -> Command {
        var name: IPCPName?
        var type: IPCPType?
        while let keyword = try next(CreateKeyword.table, of: .createIPCP) {
            switch keyword {
            case .name: name = try self.name(of: keyword, .createIPCP)
            case .type: type = try self.type(of: keyword, .createIPCP)
            }
        }
        return .createIPCP(
            try needed(name, "a name", .createIPCP), try needed(type, "a type", .createIPCP))
    }

    private mutating func destroyIPCP() throws(UsageError) -> Command {
        var name: IPCPName?
        while let keyword = try next(DestroyKeyword.table, of: .destroyIPCP) {
            name = try self.name(of: keyword, .destroyIPCP)
        }
        return .destroyIPCP(try needed(name, "a name", .destroyIPCP))
    }

    private mutating func bootstrap() throws(UsageError) -> Command {
        var ipcp: Word?
        var layer: LayerName?
        var type: IPCPType?
        var autobind = false
        var options = LayerOptions()
        while let word = words.next() {
            let keyword = try keyword(word, BootstrapKeyword.table, of: .bootstrap)
            switch keyword {
            case .name: ipcp = try value(of: keyword, .bootstrap)
            case .layer: layer = try name(of: keyword, .bootstrap)
            case .type: type = try self.type(of: keyword, .bootstrap)
            case .autobind: autobind = true
            case .option(let option):
                let value = try value(of: keyword, .bootstrap)
                do throws(LayerFault) {
                    try options.set(option, value)
                } catch {
                    throw UsageError(error.sentence, .bootstrap)
                }
            }
        }
        let bootstrap = Bootstrap(
            ipcp: try needed(ipcp, "the name of an IPCP", .bootstrap), type: type,
            layer: try needed(layer, "a layer", .bootstrap), options: options, autobind: autobind)
        if let type {
            let _: IPCPName = try Grammar.name(bootstrap.ipcp, .bootstrap)
            do throws(LayerFault) {
                _ = try options.configuration(of: bootstrap.layer, type)
            } catch {
                throw UsageError(error.sentence, .bootstrap)
            }
        }
        return .bootstrap(bootstrap)
    }

    private mutating func enroll() throws(UsageError) -> Command {
        var ipcp: IPCPName?
        var layer: LayerName?
        var destination: ServiceName?
        var type = IPCPType.unicast
        var autobind = false
        while let keyword = try next(EnrollKeyword.table, of: .enroll) {
            switch keyword {
            case .name: ipcp = try name(of: keyword, .enroll)
            case .layer: layer = try name(of: keyword, .enroll)
            case .dst: destination = try name(of: keyword, .enroll)
            case .type: type = try self.type(of: keyword, .enroll)
            case .autobind: autobind = true
            }
        }
        guard type.hasEnrolment else {
            throw UsageError("IPCPs of type \(type.name) do not enroll, they are bootstrapped.", .enroll)
        }
        return .enroll(
            Enroll(
                ipcp: try needed(ipcp, "the name of an IPCP", .enroll), type: type, layer: layer,
                destination: try needed(
                    destination ?? layer.flatMap { ServiceName($0.bytes) }, "a layer or a destination", .enroll),
                autobind: autobind))
    }

    private mutating func connect() throws(UsageError) -> Command {
        var parts = ConnectionParts()
        var quality = QualityOfService.raw
        while let keyword = try next(ConnectKeyword.table, of: .connect) {
            switch keyword {
            case .name: parts.ipcp = try name(of: keyword, .connect)
            case .dst: parts.destination = try name(of: keyword, .connect)
            case .component: parts.component = try value(of: keyword, .connect)
            case .qos:
                let cube = try value(of: keyword, .connect)
                let known = QualityOfService(named: cube.description)
                if known == nil { warnings.append("Unknown QoS cube, defaulting to raw.") }
                quality = known ?? .raw
            }
        }
        return .connect(try connection(parts, .connect), quality)
    }

    private mutating func disconnect() throws(UsageError) -> Command {
        var parts = ConnectionParts()
        while let keyword = try next(DisconnectKeyword.table, of: .disconnect) {
            switch keyword {
            case .name: parts.ipcp = try name(of: keyword, .disconnect)
            case .dst: parts.destination = try name(of: keyword, .disconnect)
            case .component: parts.component = try value(of: keyword, .disconnect)
            }
        }
        return .disconnect(try connection(parts, .disconnect))
    }

    private struct ConnectionParts {
        var ipcp: IPCPName?
        var destination: ServiceName?
        var component: Word = "*"
    }

    private func connection(_ parts: ConnectionParts, _ usage: Usage) throws(UsageError) -> Connection {
        let connection = Connection(
            ipcp: try needed(parts.ipcp, "the name of an IPCP", usage),
            destination: try needed(parts.destination, "a destination", usage), component: parts.component)
        guard !connection.components.isEmpty else {
            throw UsageError("Component \"\(parts.component)\" is unknown.", usage)
        }
        return connection
    }

    private mutating func listIPCPs() throws(UsageError) -> Command {
        var filter = IPCPFilter()
        var style = ListStyle.short
        while let keyword = try next(IPCPFilterKeyword.table, of: .listIPCPs) {
            switch keyword {
            case .name: filter.name = try value(of: keyword, .listIPCPs)
            case .layer: filter.layer = try value(of: keyword, .listIPCPs)
            case .type: filter.type = try type(of: keyword, .listIPCPs)
            case .json: style = .json
            case .long: style = style == .json ? .json : .long
            }
        }
        return .listIPCPs(filter, style)
    }
}
