// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The flows of a UDP layer, by the endpoint that their packets carry and by the port that they have here. An endpoint's
/// lower 16 bits are a place in the table, and never 0; the others are scrambled, and come again at that place only after
/// all others have been there: a late packet of an old flow is not taken for one of a new flow, and who has not seen an
/// endpoint does not guess it. spec: udp-layer §2
struct EndpointTable: Sendable {
    /// The far end of a flow.
    struct Peer: Hashable, Sendable {
        let endpoint: EndpointID
        let address: DatagramAddress
    }

    /// For whom a packet is that came.
    enum Finding: Sendable {
        case flow(FlowPort)
        case unknown
        /// Only the peer may send to a flow.
        case otherSource
        /// The flow is not there yet.
        case early
    }

    private enum Phase: UInt8, Sendable {
        case free
        /// Its peer is asked.
        case requested
        case established
    }

    private struct Place: Sendable {
        var id = EndpointID.management
        var phase = Phase.free
        var port = FlowPort(-1)
        var peer = EndpointID.management
        var address = DatagramAddress(family: .ipv4, high: 0, low: 0, port: 0)
        /// How many endpoints this place has had.
        var uses: UInt16 = 0
        /// Of a free place: the one that was freed after it; 0 is none.
        var next: UInt16 = 0
    }

    private let seed: UInt64
    /// The first is never used: 0 is no endpoint.
    private var places = [Place()]
    /// Places by port; 0 is none.
    private var ports: [UInt16] = []
    /// Free places, in the order in which they were freed.
    private var firstFree: UInt16 = 0
    private var lastFree: UInt16 = 0
    private var freePlaces = 0

    init(seed: UInt64) { self.seed = seed }

    var count: Int { places.count - 1 - freePlaces }

    /// To addresses of these, each as often as there are flows.
    var peers: [DatagramAddress] { places.filter { $0.phase == .established }.map(\.address) }

    // The way of a packet.

    func find(_ id: EndpointID, from source: DatagramAddress) -> Finding {
        let index = Int(id.rawValue & 0xFFFF)
        guard index < places.count, places[index].id == id, places[index].phase != .free else { return .unknown }
        guard places[index].address == source else { return .otherSource }
        guard places[index].phase == .established else { return .early }
        return .flow(places[index].port)
    }

    func peer(of port: FlowPort) -> Peer? {
        guard port.rawValue >= 0, Int(port.rawValue) < ports.count else { return nil }
        let place = Int(ports[Int(port.rawValue)])
        guard places[place].phase == .established else { return nil }
        return Peer(endpoint: places[place].peer, address: places[place].address)
    }

    // The life of a flow.

    /// No driver has such a port, or it has a flow already.
    func canTake(_ port: FlowPort) -> Bool {
        guard port.rawValue >= 0, Int(port.rawValue) < Limits.descriptors else { return false }
        return Int(port.rawValue) >= ports.count || ports[Int(port.rawValue)] == 0
    }

    /// A flow whose peer is not known yet; nil if there are too many.
    mutating func add(_ port: FlowPort) -> EndpointID? {
        guard let index = takePlace() else { return nil }
        var source = RandomSource(seed: seed ^ UInt64(index))
        let key = source.next()
        let id = EndpointID(scrambled(places[Int(index)].uses, key) << 16 | UInt32(index))
        places[Int(index)].uses &+= 1
        places[Int(index)].id = id
        places[Int(index)].phase = .requested
        places[Int(index)].port = port
        if Int(port.rawValue) >= ports.count {
            ports += Array(repeating: 0, count: Int(port.rawValue) + 1 - ports.count)
        }
        ports[Int(port.rawValue)] = index
        return id
    }

    /// From now on only this address can answer.
    mutating func ask(_ address: DatagramAddress, for id: EndpointID) { places[index(of: id)].address = address }

    mutating func establish(_ id: EndpointID, with peer: Peer) {
        let index = index(of: id)
        places[index].peer = peer.endpoint
        places[index].address = peer.address
        places[index].phase = .established
    }

    mutating func remove(_ id: EndpointID) {
        let index = index(of: id)
        ports[Int(places[index].port.rawValue)] = 0
        let uses = places[index].uses
        places[index] = Place()
        places[index].uses = uses
        if lastFree == 0 { firstFree = UInt16(index) } else { places[Int(lastFree)].next = UInt16(index) }
        lastFree = UInt16(index)
        freePlaces += 1
    }

    /// The flow of a port, whatever its phase.
    func endpoint(of port: FlowPort) -> EndpointID? {
        guard port.rawValue >= 0, Int(port.rawValue) < ports.count, ports[Int(port.rawValue)] != 0 else { return nil }
        return places[Int(ports[Int(port.rawValue)])].id
    }

    /// A flow whose peer was asked at this address, and has not been established.
    func isAsked(_ id: EndpointID, of address: DatagramAddress) -> Bool {
        let index = Int(id.rawValue & 0xFFFF)
        return index < places.count && places[index].id == id && places[index].phase == .requested
            && places[index].address == address
    }

    /// Where its peer is asked; nil if nobody is yet.
    func address(of id: EndpointID) -> DatagramAddress? {
        let index = Int(id.rawValue & 0xFFFF)
        guard index < places.count, places[index].id == id, places[index].address.port != 0 else { return nil }
        return places[index].address
    }

    /// Of an endpoint that `add` gave and `remove` has not taken.
    private func index(of id: EndpointID) -> Int {
        let index = Int(id.rawValue & 0xFFFF)
        precondition(places[index].id == id && id != .management, "endpoint \(id) is not in the table")
        return index
    }

    /// The table grows before places come again soon.
    private mutating func takePlace() -> UInt16? {
        if freePlaces > 0, freePlaces >= Limits.restingEndpoints || places.count > Limits.datagramFlows {
            let index = firstFree
            firstFree = places[Int(index)].next
            if firstFree == 0 { lastFree = 0 }
            places[Int(index)].next = 0
            freePlaces -= 1
            return index
        }
        guard places.count <= Limits.datagramFlows else { return nil }
        places.append(Place())
        return UInt16(places.count - 1)
    }

    /// Of 15 bits: each number once before any comes again, since every step can be undone.
    private func scrambled(_ uses: UInt16, _ key: UInt64) -> UInt32 {
        var value = UInt32(uses) ^ UInt32(truncatingIfNeeded: key)
        for shift in [UInt64(15), 30, 45] {
            value = value &* (UInt32(truncatingIfNeeded: key >> shift) | 1) & 0x7FFF
            value ^= value >> 8
        }
        return value & 0x7FFF
    }
}
