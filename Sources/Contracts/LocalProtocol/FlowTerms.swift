// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What a layer and both hosts say of a flow between two hosts, which the ends of the flow need to be reliable over it. Empty
/// where nothing is said: on flows inside a host.
package struct FlowTerms: Hashable, Sendable, FieldCodable {
    /// The maximum packet lifetime: no packet of the flow arrives later after it was sent. 0 = nothing is said.
    package var packetLifetime: TimeSpan
    /// The layer keeps its own rate below what congests its path, so that the ends need not.
    package var avoidsCongestion: Bool
    /// What both ends agreed on when the flow was allocated: items of `type u8, length u8, value`, which
    /// `FlowProtocol.FlowAgreement` reads and writes. Profile 1 of FRCP: an item of type 1 with the 24 bytes that the end
    /// that reads this has said of itself, and one of type 2 with those of its peer. Profile 0: an item of type 4 with one
    /// byte, 0. Raw flows: nothing. What an IPCP says of its layer has no items. spec: frcp-profile-1 §1
    package var items: [UInt8]

    package init(
        packetLifetime: TimeSpan = TimeSpan(nanoseconds: 0), avoidsCongestion: Bool = false, items: [UInt8] = []
    ) {
        self.packetLifetime = packetLifetime
        self.avoidsCongestion = avoidsCongestion
        self.items = items
    }

    /// The terms of a layer that says nothing.
    package static let empty = FlowTerms()

    @inline(__always)
    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(
            packetLifetime: try field(\.packetLifetime, &bytes),
            avoidsCongestion: try field(\.avoidsCongestion, &bytes),
            items: try field(\.items, &bytes))
    }
}
