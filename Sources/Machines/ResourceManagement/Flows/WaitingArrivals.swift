// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Requests of other hosts that wait for servers. Nobody knows who asks, and there are no connections of which each has so
/// many; so no name, and no host, has more waiting than it leaves to the others.
struct WaitingArrivals: Sendable {
    private struct WaitingCall: Sendable {
        let name: ServiceName
        let network: DatagramAddress
    }

    private var waiting: [CallID: WaitingCall] = [:]
    private var byName = Shares<ServiceName>(of: Limits.waitingArrivals)
    private var byNetwork = Shares<DatagramAddress>(of: Limits.waitingArrivals)
    /// For what is no address.
    private static let unknown = DatagramAddress(family: .ipv4, high: 0, low: 0, port: 0)

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }
    /// In no order; for tests.
    var calls: [CallID] { Array(waiting.keys) }

    /// `host`: its address and port, as its layer writes them. False if there is no place.
    mutating func add(_ call: CallID, for name: ServiceName, of host: [UInt8]) -> Bool {
        let network = (try? DatagramAddress(endpoint: host, defaultPort: 0))?.network ?? WaitingArrivals.unknown
        // A host leaves something to others of the same name.
        guard byName.hasRoom(for: name), byNetwork.hasRoom(for: network, weight: 2) else { return false }
        byName.add(for: name)
        byNetwork.add(for: network)
        waiting[call] = WaitingCall(name: name, network: network)
        return true
    }

    mutating func remove(_ call: CallID) {
        guard let call = waiting.removeValue(forKey: call) else { return }
        byName.remove(for: call.name)
        byNetwork.remove(for: call.network)
    }
}
