// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

extension LayerConfiguration: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(layer)
        writer.write(hash.rawValue)
        writer.write(parameters.type.rawValue)
        switch parameters {
        case .local, .broadcast: break
        case .unicast(let unicast): writer.write(unicast)
        case .udp4(let datagram), .udp6(let datagram): writer.write(datagram)
        case .ethernetLLC(let device): writer.write(string: device)
        case .ethernetDIX(let device, let etherType):
            writer.write(string: device)
            writer.write(etherType)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let layer = try reader.read(LayerName.self)
        let hash: DirectoryHash = try reader.readChoice()
        let type: IPCPType = try reader.readChoice()
        let parameters: Parameters
        switch type {
        case .local: parameters = .local
        case .broadcast: parameters = .broadcast
        case .unicast: parameters = .unicast(try reader.read())
        case .udp4: parameters = .udp4(try reader.readDatagramParameters(.ipv4))
        case .udp6: parameters = .udp6(try reader.readDatagramParameters(.ipv6))
        case .ethernetLLC: parameters = .ethernetLLC(device: try reader.readString())
        case .ethernetDIX: parameters = .ethernetDIX(device: try reader.readString(), etherType: try reader.read())
        }
        self.init(layer: layer, hash: hash, parameters: parameters)
    }
}

extension ByteReader {
    fileprivate mutating func readDatagramParameters(
        _ family: DatagramAddress.Family
    ) throws(MalformedMessage) -> DatagramParameters {
        let parameters = DatagramParameters(
            own: try read(), server: try readOptional(), hosts: try readString(), key: try readString())
        guard parameters.isValid(for: family) else { throw .length }
        return parameters
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ parameters: DatagramParameters) {
        write(parameters.own)
        write(optional: parameters.server)
        write(string: parameters.hosts)
        write(string: parameters.key)
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

extension UnicastParameters: LocalCodable {
    package func write(to writer: inout ByteWriter) {
        writer.write(addressBytes)
        writer.write(endpointBytes)
        writer.write(timeToLive)
        writer.write(linkState)
        writer.write(recalculateSeconds)
        writer.write(updateSeconds)
        writer.write(timeoutSeconds)
        writer.write(searchFactor)
        writer.write(replicas)
        writer.write(expireSeconds)
        writer.write(refreshSeconds)
        writer.write(replicateSeconds)
        writer.write(congestion)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init()
        addressBytes = try reader.read()
        endpointBytes = try reader.read()
        timeToLive = try reader.read()
        linkState = try reader.read()
        recalculateSeconds = try reader.read()
        updateSeconds = try reader.read()
        timeoutSeconds = try reader.read()
        searchFactor = try reader.read()
        replicas = try reader.read()
        expireSeconds = try reader.read()
        refreshSeconds = try reader.read()
        replicateSeconds = try reader.read()
        congestion = try reader.read()
    }
}
