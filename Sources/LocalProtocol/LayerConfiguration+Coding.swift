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
        case .udp4(let address, let dns, let port), .udp6(let address, let dns, let port):
            writer.write(string: address)
            writer.write(string: dns)
            writer.write(port)
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
        case .udp4:
            parameters = .udp4(
                address: try reader.readAddress(bytes: 4), dns: try reader.readAddress(bytes: 4),
                port: try reader.read())
        case .udp6:
            parameters = .udp6(
                address: try reader.readAddress(bytes: 16), dns: try reader.readAddress(bytes: 16),
                port: try reader.read())
        case .ethernetLLC: parameters = .ethernetLLC(device: try reader.readString())
        case .ethernetDIX: parameters = .ethernetDIX(device: try reader.readString(), etherType: try reader.read())
        }
        self.init(layer: layer, hash: hash, parameters: parameters)
    }
}

extension ByteReader {
    fileprivate mutating func readAddress(bytes: Int) throws(MalformedMessage) -> [UInt8] {
        let address = try readString()
        guard address.count == bytes else { throw .length }
        return address
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
