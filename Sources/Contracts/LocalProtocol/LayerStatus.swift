// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What there is to be shown of an IPCP's layer. Texts are for people.
package struct LayerStatus: Hashable, Sendable, LocalCodable {
    /// Where it can be reached below, as the user wrote it; empty: nowhere.
    package var address: [UInt8] = []
    package var port: UInt16 = 0
    /// The DNS server of the layer, with its port; empty: none.
    package var server: [UInt8] = []
    package var flows: UInt32 = 0
    /// Other members that it has flows with.
    package var peers: [[UInt8]] = []
    package var counters: [Counter] = []

    package struct Counter: Hashable, Sendable, LocalCodable {
        package let name: [UInt8]
        package let value: UInt64

        package init(_ name: String, _ value: UInt64) {
            self.name = Array(name.utf8)
            self.value = value
        }

        package func write(to writer: inout ByteWriter) {
            writer.write(string: name)
            writer.write(value)
        }

        package init(reading reader: inout ByteReader) throws(MalformedMessage) {
            name = try reader.readString()
            value = try reader.read()
        }
    }

    package init() {}

    package func write(to writer: inout ByteWriter) {
        writer.write(string: address)
        writer.write(port)
        writer.write(string: server)
        writer.write(flows)
        writer.write(list: peers) { writer, peer in writer.write(string: peer) }
        writer.write(list: counters)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        address = try reader.readString()
        port = try reader.read()
        server = try reader.readString()
        flows = try reader.read()
        peers = try reader.readList { reader throws(MalformedMessage) in try reader.readString() }
        counters = try reader.readList()
    }
}
