// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// The state of a flow as irmd sees it.
package enum FlowState: UInt8, Sendable {
    /// Offered to one end or both, not yet taken by both.
    case pending = 0
    case allocated = 1
    /// One end has let go.
    case deallocating = 2

    package var name: String {
        switch self {
        case .pending: "pending"
        case .allocated: "allocated"
        case .deallocating: "deallocating"
        }
    }
}

/// What went one way through a flow, as far as its ends have told the shared memory; figures of a process that lies are
/// wrong, nothing else is.
package struct FlowTraffic: Hashable, Sendable, LocalCodable {
    /// Written so far.
    package var packets: UInt64
    /// The same as it stands in the memory: with 8 bytes for each packet, each rounded up to a multiple of 64, and what
    /// was left free at the end of the ring.
    package var bytes: UInt64
    /// Written and not read yet.
    package var unreadPackets: UInt64
    package var unreadBytes: UInt64

    package init(packets: UInt64 = 0, bytes: UInt64 = 0, unreadPackets: UInt64 = 0, unreadBytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
        self.unreadPackets = unreadPackets
        self.unreadBytes = unreadBytes
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(packets)
        writer.write(bytes)
        writer.write(unreadPackets)
        writer.write(unreadBytes)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            packets: try reader.read(), bytes: try reader.read(), unreadPackets: try reader.read(),
            unreadBytes: try reader.read())
    }
}

/// One side of a flow in a list.
package struct FlowParty: Hashable, Sendable, LocalCodable {
    package var process: ProcessID
    /// Its program's base name.
    package var program: [UInt8]
    /// It is an IPCP, which carries the flow to another host. The address of that, as people write it, or empty.
    package var host: [UInt8]?
    /// What it wrote.
    package var sent: FlowTraffic

    package init(process: ProcessID, program: [UInt8], host: [UInt8]? = nil, sent: FlowTraffic = FlowTraffic()) {
        self.process = process
        self.program = program
        self.host = host
        self.sent = sent
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(process)
        writer.write(string: program)
        writer.write(optional: host) { writer, host in writer.write(string: host) }
        writer.write(sent)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        process = try reader.read()
        program = try reader.readString()
        host = try reader.readOptional { reader throws(MalformedMessage) in try reader.readString() }
        sent = try reader.read()
    }
}

package struct FlowEntry: Hashable, Sendable, LocalCodable {
    package var flow: FlowID
    package var state: FlowState
    package var name: ServiceName
    /// The side that allocated it, and the one that accepted it.
    package var client: FlowParty
    package var server: FlowParty
    /// Nil = direct: the name is in no local layer.
    package var layer: LayerName?
    package var quality: QualityOfService
    /// Since it was made.
    package var age: TimeSpan

    package init(
        flow: FlowID, state: FlowState, name: ServiceName, client: FlowParty, server: FlowParty, layer: LayerName?,
        quality: QualityOfService, age: TimeSpan
    ) {
        self.flow = flow
        self.state = state
        self.name = name
        self.client = client
        self.server = server
        self.layer = layer
        self.quality = quality
        self.age = age
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(flow)
        writer.write(state.rawValue)
        writer.write(name)
        writer.write(client)
        writer.write(server)
        writer.write(optional: layer)
        writer.write(quality)
        writer.write(age)
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(
            flow: try reader.read(), state: try reader.readChoice(), name: try reader.read(),
            client: try reader.read(), server: try reader.read(), layer: try reader.readOptional(),
            quality: try reader.read(), age: try reader.read())
    }
}
