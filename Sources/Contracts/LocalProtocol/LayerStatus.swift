// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What there is to be shown of an IPCP's layer. Texts are for people.
package struct LayerStatus: Hashable, Sendable, FieldCodable {
    /// Where it can be reached below, as the user wrote it; empty: nowhere.
    package var address: [UInt8] = []
    package var port: UInt16 = 0
    /// The DNS server of the layer, with its port; empty: none.
    package var server: [UInt8] = []
    package var flows: UInt32 = 0
    /// Other members that it has flows with.
    package var peers: [[UInt8]] = []
    package var counters: [Counter] = []

    package struct Counter: Hashable, Sendable, FieldCodable {
        package let name: [UInt8]
        package let value: UInt64

        package init(_ name: String, _ value: UInt64) {
            self.name = Array(name.utf8)
            self.value = value
        }

        package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
            name = try field(\.name, &bytes)
            value = try field(\.value, &bytes)
        }
    }

    package init() {}

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        address = try field(\.address, &bytes)
        port = try field(\.port, &bytes)
        server = try field(\.server, &bytes)
        flows = try field(\.flows, &bytes)
        peers = try field(\.peers, &bytes)
        counters = try field(\.counters, &bytes)
    }
}
