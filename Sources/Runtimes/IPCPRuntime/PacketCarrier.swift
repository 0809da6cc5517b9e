// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Platform
import Vocabulary

/// What carries packets between the members of a layer: a socket, or flows of other layers. It has one or more outlets, which
/// fill independently. It never waits.
package protocol PacketCarrier: AnyObject {
    associatedtype Peer: Hashable & Sendable

    /// Through which outlet packets to the peer go, below `PacketMover`'s number of outlets.
    func outlet(to peer: Peer) -> Int
    /// Puts a packet into the outlet's batch. The payload stays as it is until `flush` returns.
    func append(_ header: PacketHeader, _ payload: UnsafeRawBufferPointer, to peer: Peer)
    /// Sends the outlet's batch, and empties it whatever comes of it.
    func flush(_ outlet: Int) -> PacketFlush
    /// Hands packets that came, up to a batch, to `body`; true if there may be more. Their bytes stay until the next call, so
    /// that `body` can append them, to be flushed before that.
    func receive(_ body: (UnsafeRawBufferPointer, Peer) -> Void) -> Bool
    /// Packets that were lost since the last call.
    func takeTroubles() -> PacketTroubles
    /// Packets that came while there was no room for them, from the beginning; may wrap.
    var overruns: UInt32 { get }
}
