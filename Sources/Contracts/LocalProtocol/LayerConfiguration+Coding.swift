// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

extension LayerConfiguration: FieldCodable {
    /// The layer, its hash, its type, and the options of the type in the order of the table.
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        let layer = try field(\.layer, &bytes)
        let hash = try field(\.hash, &bytes)
        let type = try field(\.parameters.type, &bytes)
        var settings = LayerSettings()
        for option in type.options { settings[option] = try field.value(of: option, &bytes) }
        do throws(LayerFault) {
            self.init(layer: layer, hash: hash, parameters: try Parameters(type, settings))
        } catch {
            throw .length
        }
        // A type that has one hash is not said to have another.
        guard self.hash == hash else { throw .length }
        if let datagram = parameters.datagram, !datagram.isValid(for: datagram.own.family) { throw .length }
    }
}

extension FieldCoder<LayerConfiguration> {
    fileprivate func value(
        of option: LayerOption, _ bytes: inout Bytes
    ) throws(MalformedMessage) -> LayerValue? {
        switch option {
        case .hash: nil  // stands before the type
        case .unicast(let policy):
            switch policy.field {
            case .octet: .number(UInt64(try self({ $0.number(of: option) as UInt8 }, &bytes)))
            case .word: .number(UInt64(try self({ $0.number(of: option) as UInt32 }, &bytes)))
            case .long: .number(try self({ $0.number(of: option) }, &bytes))
            case nil: nil
            }
        case .ethernet(.device), .datagram(.hosts), .datagram(.key):
            .text(try self({ $0[option]?.text ?? [] }, &bytes))
        case .ethernet(.etherType): .number(UInt64(try self({ $0.number(of: option) as UInt16 }, &bytes)))
        case .datagram(.address): .address(try self(\.own, &bytes))
        case .datagram(.port): nil  // a part of the address
        case .datagram(.server): try self({ $0[option]?.address }, &bytes).map(LayerValue.address)
        }
    }
}

extension LayerConfiguration {
    /// Asked only of layers that have the option.
    fileprivate var own: DatagramAddress {
        parameters.datagram?.own ?? DatagramAddress(family: .ipv4, high: 0, low: 0, port: 0)
    }

    fileprivate func number<Number: FixedWidthInteger>(of option: LayerOption) -> Number {
        Number(truncatingIfNeeded: self[option]?.number ?? 0)
    }
}

extension FileRights: FieldCodable {
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            user: try field(\.user, &bytes), group: try field(\.group, &bytes), groups: try field(\.groups, &bytes))
    }
}

extension DatagramAddress: FieldCodable {
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        let digits = try field(\.bytes, &bytes)
        let port = try field(\.port, &bytes)
        let scope = try field(\.scope, &bytes)
        guard let address = DatagramAddress(digits, port: port) else { throw .length }
        self = address.with(scope: scope)
    }
}
