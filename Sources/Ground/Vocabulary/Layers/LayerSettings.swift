// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What an option is set to.
package enum LayerValue: Hashable, Sendable {
    /// A number, or the place of a choice among its words.
    case number(UInt64)
    /// A path or the name of an interface.
    case text([UInt8])
    case address(DatagramAddress)

    package var number: UInt64? { if case .number(let number) = self { number } else { nil } }
    package var text: [UInt8]? { if case .text(let text) = self { text } else { nil } }
    package var address: DatagramAddress? { if case .address(let address) = self { address } else { nil } }
}

/// What was said of a layer, option by option; the rest is as the table has it.
package struct LayerSettings: Hashable, Sendable {
    private var values: [LayerOption: LayerValue] = [:]

    package init() {}

    /// Nil: nothing was said of it, or `none`.
    package subscript(option: LayerOption) -> LayerValue? {
        get { values[option] }
        set { values[option] = newValue }
    }
}

/// What is wrong with the settings of a layer.
package struct LayerFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// A phrase, as irmd gives them; or sentences, of what a user has written.
    package let description: String

    package init(_ description: String) { self.description = description }

    /// For people, when nothing stands before it.
    package var sentence: String {
        description.prefix(1).uppercased() + description.dropFirst() + (description.hasSuffix(".") ? "" : ".")
    }
}

extension LayerConfiguration {
    /// A layer of which this was said.
    package init(layer: LayerName, type: IPCPType, _ settings: LayerSettings) throws(LayerFault) {
        var hash: DirectoryHash?
        if let number = settings[.hash]?.number {
            hash = UInt32(exactly: number).flatMap(DirectoryHash.init)
            if hash == nil { throw LayerOption.hash.fault }
        }
        self.init(layer: layer, hash: type.hash(choosing: hash), parameters: try Parameters(type, settings))
        if let fault { throw fault }
    }

    /// What an option is set to; nil: to nothing, or layers of this type have none.
    package subscript(option: LayerOption) -> LayerValue? {
        switch option {
        case .hash: .number(UInt64(hash.rawValue))
        case .unicast(let option): parameters.unicast.map { $0[option] }
        case .ethernet(let option): parameters[option]
        case .datagram(let option): parameters.datagram?[option]
        }
    }

    /// What no layer of the type can be, if it has been said all the same. What is true of a host is not looked at.
    package var fault: LayerFault? {
        let type = parameters.type
        guard hash == type.hash(choosing: hash) else {
            return LayerFault("a layer of type \(type.name) cannot hash names by \(hash.name)")
        }
        for option in type.options {
            if let value = self[option], !option.admits(value) { return option.fault }
        }
        if let datagram = parameters.datagram, !datagram.key.isEmpty, datagram.server == nil {
            return LayerFault("a layer of type \(type.name) needs dns if it is given a key")
        }
        return nil
    }
}

extension LayerConfiguration.Parameters {
    /// - Throws: `LayerFault` if something is missing, or is of another type of layer. Numbers are not looked at.
    package init(_ type: IPCPType, _ settings: LayerSettings) throws(LayerFault) {
        switch type {
        case .local: self = .local
        case .broadcast: self = .broadcast
        case .unicast: self = .unicast(try UnicastParameters(settings))
        case .ethernetLLC: self = .ethernetLLC(device: try Self.device(type, settings))
        case .ethernetDIX:
            let etherType = try settings.narrow(.ethernet(.etherType), else: EthernetOption.defaultEtherType)
            self = .ethernetDIX(device: try Self.device(type, settings), etherType: etherType)
        case .udp4: self = .udp4(try DatagramParameters(settings, .ipv4, type))
        case .udp6: self = .udp6(try DatagramParameters(settings, .ipv6, type))
        }
    }

    private static func device(_ type: IPCPType, _ settings: LayerSettings) throws(LayerFault) -> [UInt8] {
        guard let device = settings[.ethernet(.device)]?.text else {
            throw LayerFault("a layer of type \(type.name) needs dev with the name of an interface")
        }
        return device
    }

    fileprivate subscript(option: EthernetOption) -> LayerValue? {
        switch (self, option) {
        case (.ethernetLLC(let device), .device), (.ethernetDIX(let device, _), .device): .text(device)
        case (.ethernetDIX(_, let etherType), .etherType): .number(UInt64(etherType))
        case (.ethernetLLC, .etherType), (.local, _), (.broadcast, _), (.unicast, _), (.udp4, _), (.udp6, _): nil
        }
    }

    fileprivate var unicast: UnicastParameters? { if case .unicast(let parameters) = self { parameters } else { nil } }

    package var datagram: DatagramParameters? {
        switch self {
        case .udp4(let parameters), .udp6(let parameters): parameters
        case .local, .broadcast, .unicast, .ethernetLLC, .ethernetDIX: nil
        }
    }
}

extension UnicastParameters {
    fileprivate init(_ settings: LayerSettings) throws(LayerFault) {
        self.init()
        for option in UnicastOption.allCases {
            let whole = LayerOption.unicast(option)
            switch option.field {
            case .octet(let path): self[keyPath: path] = try settings.narrow(whole, else: self[keyPath: path])
            case .word(let path): self[keyPath: path] = try settings.narrow(whole, else: self[keyPath: path])
            case .long(let path): self[keyPath: path] = try settings.narrow(whole, else: self[keyPath: path])
            case nil: if let value = settings[whole], !whole.admits(value) { throw whole.fault }
            }
        }
    }

    /// A policy that is the only one is the first.
    package subscript(option: UnicastOption) -> LayerValue {
        switch option.field {
        case .octet(let path): .number(UInt64(self[keyPath: path]))
        case .word(let path): .number(UInt64(self[keyPath: path]))
        case .long(let path): .number(self[keyPath: path])
        case nil: .number(0)
        }
    }
}

extension DatagramParameters {
    fileprivate init(
        _ settings: LayerSettings, _ family: DatagramAddress.Family, _ type: IPCPType
    ) throws(LayerFault) {
        guard let own = settings[.datagram(.address)]?.address, own.family == family else {
            throw LayerFault("a layer of type \(type.name) needs ip with an IPv\(family.rawValue) address")
        }
        self.init(own: own.with(port: try settings.narrow(.datagram(.port), else: own.port)))
        server = settings[.datagram(.server)]?.address
        guard server?.family ?? family == family else {
            throw LayerFault("a layer of type \(type.name) needs dns with an IPv\(family.rawValue) address")
        }
        hosts = settings[.datagram(.hosts)]?.text ?? []
        key = settings[.datagram(.key)]?.text ?? []
    }

    fileprivate subscript(option: DatagramOption) -> LayerValue? {
        switch option {
        case .address: .address(own)
        case .port: .number(UInt64(own.port))
        case .server: server.map(LayerValue.address)
        case .hosts: hosts.isEmpty ? nil : .text(hosts)
        case .key: key.isEmpty ? nil : .text(key)
        }
    }
}

extension LayerSettings {
    fileprivate func narrow<Number: FixedWidthInteger>(
        _ option: LayerOption, else usual: Number
    ) throws(LayerFault) -> Number {
        guard let number = self[option]?.number else { return usual }
        guard let narrow = Number(exactly: number) else { throw option.fault }
        return narrow
    }
}

extension LayerOption {
    /// What it is without being set; nil: it has to be set, or is nothing then.
    package var usual: UInt64? {
        switch self {
        case .hash: UInt64(DirectoryHash.usual.rawValue)
        case .unicast(let option): UnicastParameters()[option].number
        case .ethernet(.etherType): UInt64(EthernetOption.defaultEtherType)
        case .datagram(.port): UInt64(DatagramParameters.defaultPort)
        case .ethernet(.device), .datagram(.address), .datagram(.server), .datagram(.hosts), .datagram(.key): nil
        }
    }

    /// Addresses and paths have rules of their own: `DatagramAddress.Unfitness`, `DatagramParameters.isValid`.
    fileprivate func admits(_ value: LayerValue) -> Bool {
        switch (row.kind, value) {
        case (.choice(let words, _), .number(let number)): number < words.count
        case (.number(let range, _), .number(let number)), (.hexadecimal(let range, _), .number(let number)):
            range.contains(number)
        case (.interface, .text(let name)): name.count <= Limits.nameBytes
        case (.address, .address), (.server, .address), (.path, .text): true
        case (.choice, _), (.number, _), (.hexadecimal, _), (.address, _), (.server, _), (.path, _), (.interface, _):
            false
        }
    }

    fileprivate var fault: LayerFault { LayerFault("the option \(row.word) must be \(values)") }
}
