// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// The layer, its hash, its type, and the options of the type in the order of the table.
extension LayerConfiguration: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(layer)
        writer.write(hash.rawValue)
        writer.write(parameters.type.rawValue)
        for option in parameters.type.options { writer.write(self[option], of: option) }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let layer = try reader.read(LayerName.self)
        let hash: DirectoryHash = try reader.readChoice()
        let type: IPCPType = try reader.readChoice()
        var settings = LayerSettings()
        for option in type.options { settings[option] = try reader.readValue(of: option) }
        do throws(LayerFault) {
            self.init(layer: layer, hash: hash, parameters: try Parameters(type, settings))
        } catch {
            throw .length
        }
        if let datagram = parameters.datagram, !datagram.isValid(for: datagram.own.family) { throw .length }
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ value: LayerValue?, of option: LayerOption) {
        switch option {
        case .hash: break  // stands before the type
        case .unicast(let option): write(value, in: option.field)
        case .ethernet(.device), .datagram(.hosts), .datagram(.key): write(string: value?.text ?? [])
        case .ethernet(.etherType): write(UInt16(truncatingIfNeeded: value?.number ?? 0))
        case .datagram(.address): if let address = value?.address { write(address) }
        case .datagram(.port): break  // a part of the address
        case .datagram(.server): write(optional: value?.address)
        }
    }

    private mutating func write(_ value: LayerValue?, in field: UnicastField?) {
        let number = value?.number ?? 0
        switch field {
        case .octet: write(UInt8(truncatingIfNeeded: number))
        case .word: write(UInt32(truncatingIfNeeded: number))
        case .long: write(number)
        case nil: break
        }
    }
}

extension ByteReader {
    /// What `ByteWriter.write(_:of:)` wrote.
    fileprivate mutating func readValue(of option: LayerOption) throws(MalformedMessage) -> LayerValue? {
        switch option {
        case .hash, .datagram(.port): nil
        case .unicast(let option): try readValue(in: option.field)
        case .ethernet(.device), .datagram(.hosts), .datagram(.key): .text(try readString())
        case .ethernet(.etherType): .number(UInt64(try read(UInt16.self)))
        case .datagram(.address): .address(try read())
        case .datagram(.server): try readOptional(DatagramAddress.self).map(LayerValue.address)
        }
    }

    private mutating func readValue(in field: UnicastField?) throws(MalformedMessage) -> LayerValue? {
        switch field {
        case .octet: .number(UInt64(try read(UInt8.self)))
        case .word: .number(UInt64(try read(UInt32.self)))
        case .long: .number(try read(UInt64.self))
        case nil: nil
        }
    }
}

extension FileRights: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(user)
        writer.write(group)
        writer.write(list: groups)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            user: try reader.read(), group: try reader.read(),
            groups: try reader.readList())
    }
}

extension DatagramAddress: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(string: bytes)
        writer.write(port)
        writer.write(scope)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        guard let address = DatagramAddress(try reader.readString(), port: try reader.read()) else { throw .length }
        self = address.with(scope: try reader.read())
    }
}
