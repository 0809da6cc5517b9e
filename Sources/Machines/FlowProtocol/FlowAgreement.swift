// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What the two ends of a flow agreed on when it was allocated. irmd tells each end of a flow between hosts, as
/// `FlowTerms.items`: items of `type u8, length u8, value`.
///
/// | type | value |
/// |---|---|
/// | 1 | the properties of the end that reads this, 24 bytes: profile 1 |
/// | 2 | the properties of its peer, 24 bytes: profile 1 |
/// | 4 | the profile, one byte, if it is another than 1: 0 |
package enum FlowAgreement: Hashable, Sendable {
    /// The flow has no FRCP: it is raw, or stays inside the host. No items.
    case raw
    /// FRCP as the prototype has it, with the repairs of spec: frcp.
    case profile0
    /// spec: frcp-profile-1
    case profile1(own: EndProperties, peer: EndProperties)

    private static let ownType: UInt8 = 1
    private static let peerType: UInt8 = 2
    private static let profileType: UInt8 = 4

    /// - Returns: Nil if the items are not those of an agreement.
    package init?(items: [UInt8]) {
        guard let list = ItemList(reading: items) else { return nil }
        switch (list[Self.ownType], list[Self.peerType], list[Self.profileType]) {
        case (nil, nil, nil): self = .raw
        case (nil, nil, [0]?): self = .profile0
        case (let own?, let peer?, nil):
            guard let own = EndProperties(reading: own), let peer = EndProperties(reading: peer) else { return nil }
            self = .profile1(own: own, peer: peer)
        case (_, _, _): return nil
        }
    }

    package var items: [UInt8] {
        var list = ItemList()
        switch self {
        case .raw: break
        case .profile0: list.append(Self.profileType, [0])
        case .profile1(let own, let peer):
            list.append(Self.ownType, own.value)
            list.append(Self.peerType, peer.value)
        }
        return list.bytes
    }
}
