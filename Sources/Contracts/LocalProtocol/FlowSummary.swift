// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// The state of a flow as irmd sees it.
package enum FlowState: UInt8, Sendable, LocalCodable {
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
package struct FlowTraffic: Hashable, Sendable, FieldCodable {
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

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            packets: try field(\.packets, &bytes), bytes: try field(\.bytes, &bytes),
            unreadPackets: try field(\.unreadPackets, &bytes), unreadBytes: try field(\.unreadBytes, &bytes))
    }
}

/// One side of a flow in a list.
package struct FlowParty: Hashable, Sendable, FieldCodable {
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

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            process: try field(\.process, &bytes), program: try field(\.program, &bytes),
            host: try field(\.host, &bytes), sent: try field(\.sent, &bytes))
    }
}

package struct FlowSummary: Hashable, Sendable, FieldCodable {
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

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            flow: try field(\.flow, &bytes), state: try field(\.state, &bytes), name: try field(\.name, &bytes),
            client: try field(\.client, &bytes), server: try field(\.server, &bytes), layer: try field(\.layer, &bytes),
            quality: try field(\.quality, &bytes), age: try field(\.age, &bytes))
    }
}
