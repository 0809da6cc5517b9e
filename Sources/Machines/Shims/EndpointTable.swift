// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// The flows of a UDP layer, by the endpoint that their packets carry and by the port that they have here. All 31 bits of
/// an endpoint are chance: who has not seen it does not guess it, and who has seen others knows nothing of it. A late
/// packet of an old flow is not taken for one of a new flow. spec: udp-layer §2
struct EndpointTable: Sendable {
    /// The far end of a flow.
    struct Peer: Hashable, Sendable {
        let endpoint: EndpointID
        let address: DatagramAddress
    }

    /// For whom a packet is that came.
    enum Recipient: Sendable {
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

    private struct Endpoint: Sendable {
        var id = EndpointID.management
        var phase = Phase.free
        var port = FlowPort(-1)
        var peer = EndpointID.management
        var address = DatagramAddress(family: .ipv4, high: 0, low: 0, port: 0)
        /// Whose the flow is.
        var user = UserID.root
        /// The host at `address` has asked for it, and it counts in that host's share.
        var isArrival = false
        /// The host at `address` is one of this system.
        var isOurs = false
        /// What irmd calls it, if this host has asked for it.
        var flow: FlowID?
        /// Of a free place: the next one; 0 is none.
        var next: UInt16 = 0
    }

    private let chance: KeyedHash
    private var drawn: UInt64 = 0
    private var index: EndpointIndex
    /// The first is never used: 0 is none.
    private var places = [Endpoint()]
    /// Places by port; 0 is none.
    private var ports: [UInt16] = []
    private var firstFree: UInt16 = 0
    private var freePlaces = 0
    private var shares = Shares<UserID>(of: Limits.datagramFlows)
    /// Of the flows that other hosts have asked for: a host, or network, leaves something to the others.
    private var arrivals = Shares<DatagramAddress>(of: Limits.datagramFlows)

    init(seed: UInt64) {
        var source = RandomSource(seed: seed)
        chance = KeyedHash(first: seed, second: source.next())
        index = EndpointIndex(key: chance(.max))
    }

    var count: Int { places.count - 1 - freePlaces }

    /// To addresses of these, each as often as there are flows.
    var peers: [DatagramAddress] { places.filter { $0.phase == .established }.map(\.address) }

    /// The established flows with hosts of this system.
    var ours: [(EndpointID, Peer)] {
        places.filter { $0.phase == .established && $0.isOurs }.map {
            ($0.id, Peer(endpoint: $0.peer, address: $0.address))
        }
    }

    // The way of a packet.

    func find(_ id: EndpointID, from source: DatagramAddress) -> Recipient {
        let place = place(of: id)
        guard place > 0 else { return .unknown }
        guard places[place].address == source else { return .otherSource }
        guard places[place].phase == .established else { return .early }
        return .flow(places[place].port)
    }

    /// 0 is none.
    private func place(of id: EndpointID) -> Int { index.find(id) { places[Int($0)].id } }

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

    /// A flow whose peer is not known yet, or that the host at `source` has asked for; nil if there are too many, or if the
    /// user, or the network of the host, has its share.
    mutating func add(
        _ port: FlowPort, for user: UserID = .root, as flow: FlowID? = nil, askedBy source: DatagramAddress? = nil
    ) -> EndpointID? {
        if let source, !arrivals.hasRoom(for: source.network) { return nil }
        guard shares.add(for: user, isExempt: user == .root) else { return nil }
        guard let place = takePlace() else {
            shares.remove(for: user)
            return nil
        }
        if let source {
            arrivals.add(for: source.network)
            places[Int(place)].address = source
            places[Int(place)].isArrival = true
        }
        let id = draw()
        places[Int(place)].id = id
        places[Int(place)].phase = .requested
        places[Int(place)].port = port
        places[Int(place)].user = user
        places[Int(place)].flow = flow
        index.insert(place) { places[Int($0)].id }
        if Int(port.rawValue) >= ports.count {
            ports += Array(repeating: 0, count: Int(port.rawValue) + 1 - ports.count)
        }
        ports[Int(port.rawValue)] = place
        return id
    }

    /// One that nobody has. 65,535 of 2^31 are taken at most, so that a second attempt is rare.
    private mutating func draw() -> EndpointID {
        while true {
            drawn += 1
            let id = EndpointID(UInt32(truncatingIfNeeded: chance(drawn)) & 0x7FFF_FFFF)
            if id != .management, place(of: id) == 0 { return id }
        }
    }

    /// From now on only this address can answer.
    mutating func ask(_ address: DatagramAddress, for id: EndpointID) { places[known(id)].address = address }

    mutating func establish(_ id: EndpointID, with peer: Peer) {
        let place = known(id)
        places[place].peer = peer.endpoint
        places[place].address = peer.address
        places[place].phase = .established
    }

    /// A flow whose peer will be asked again gets another endpoint.
    mutating func renew(_ id: EndpointID) -> EndpointID {
        let renewed = draw()
        rename(id, to: renewed)
        return renewed
    }

    /// An endpoint that no flow has.
    mutating func rename(_ id: EndpointID, to other: EndpointID) {
        let place = known(id)
        precondition(!contains(other), "endpoint \(other) is in the table")
        index.remove(UInt16(place)) { places[Int($0)].id }
        places[place].id = other
        index.insert(UInt16(place)) { places[Int($0)].id }
    }

    /// The peer of the flow is a host of this system.
    mutating func recognise(_ id: EndpointID) { places[known(id)].isOurs = true }

    func isOurs(_ id: EndpointID) -> Bool { places[known(id)].isOurs }

    func flow(of id: EndpointID) -> FlowID? { places[known(id)].flow }

    func contains(_ id: EndpointID) -> Bool { place(of: id) > 0 }

    mutating func remove(_ id: EndpointID) {
        let place = known(id)
        index.remove(UInt16(place)) { places[Int($0)].id }
        ports[Int(places[place].port.rawValue)] = 0
        shares.remove(for: places[place].user)
        if places[place].isArrival { arrivals.remove(for: places[place].address.network) }
        places[place] = Endpoint()
        places[place].next = firstFree
        firstFree = UInt16(place)
        freePlaces += 1
    }

    /// The flow of a port, whatever its phase.
    func endpoint(of port: FlowPort) -> EndpointID? {
        guard port.rawValue >= 0, Int(port.rawValue) < ports.count, ports[Int(port.rawValue)] != 0 else { return nil }
        return places[Int(ports[Int(port.rawValue)])].id
    }

    /// A flow whose peer was asked at this address, and has not been established.
    func isAsked(_ id: EndpointID, of address: DatagramAddress) -> Bool {
        let place = place(of: id)
        return place > 0 && places[place].phase == .requested && places[place].address == address
    }

    /// Where its peer is asked; nil if nobody is yet.
    func address(of id: EndpointID) -> DatagramAddress? {
        let place = place(of: id)
        guard place > 0, places[place].address.port != 0 else { return nil }
        return places[place].address
    }

    /// Of an endpoint that `add` gave and `remove` has not taken.
    private func known(_ id: EndpointID) -> Int {
        let place = place(of: id)
        precondition(place > 0, "endpoint \(id) is not in the table")
        return place
    }

    private mutating func takePlace() -> UInt16? {
        if firstFree != 0 {
            let place = firstFree
            firstFree = places[Int(place)].next
            places[Int(place)].next = 0
            freePlaces -= 1
            return place
        }
        guard places.count <= Limits.datagramFlows else { return nil }
        places.append(Endpoint())
        return UInt16(places.count - 1)
    }
}
