// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// A host: a layer, an irmd that answers when it likes, and processes that let go of their flows at any time.
private struct Host {
    enum Verdict: Hashable { case waiting, taken }

    /// A flow of this host, from the offer to the release of its port.
    struct Flow {
        let port: FlowPort
        var verdict = Verdict.waiting
        /// The authentication that came back.
        var answer: [UInt8] = []
    }

    var layer: DatagramLayer
    let address: DatagramAddress
    var flows: [FlowID: Flow] = [:]
    var ports: [FlowPort: FlowID] = [:]
    /// Requests that irmd still has to answer, and their authentication.
    var arrivals: [(id: RequestID, authentication: [UInt8])] = []
    /// What each flow of this host was asked with, for those that it accepted.
    var accepted: [FlowID: [UInt8]] = [:]
    var taken = 0
    var refused: [Failure: Int] = [:]
    var next: UInt32 = 1

    init(_ number: UInt64, seed: UInt64) {
        layer = DatagramLayer(.ipv4, seed: seed &* 2 &+ number)
        address = LayerRig.address(number)
    }

    /// A free port, the lowest: ports are used again at once.
    var freePort: FlowPort {
        var number: Int32 = 64
        while ports[FlowPort(number)] != nil { number += 1 }
        return FlowPort(number)
    }

    mutating func offer() -> (FlowID, FlowPort) {
        let flow = FlowID(next)
        next += 1
        let port = freePort
        flows[flow] = Flow(port: port)
        ports[port] = flow
        return (flow, port)
    }
}

/// Two hosts, and a network between them that loses, repeats, delays, reorders, damages and is cut.
private struct World {
    private struct Packet {
        let due: UInt64
        let bytes: [UInt8]
        let source: DatagramAddress
        let to: Int
    }

    var hosts: [Host]
    var numbers: RandomSource
    var now = Instant(nanoseconds: 1_000_000_000)
    private var network: [Packet] = []
    var isCut = false
    /// How much of a hundred goes wrong in each way.
    var trouble = 5
    var nextRequest: UInt64 = 1

    init(seed: UInt64) throws {
        numbers = RandomSource(seed: seed)
        hosts = [Host(1, seed: seed), Host(2, seed: seed)]
        for index in 0..<2 {
            let parameters = LayerConfiguration.Parameters.udp4(
                DatagramParameters(own: hosts[index].address))
            let layer = try #require(LayerName("layer"))
            tell(
                index,
                .request(.bootstrap(RequestID(0), LayerConfiguration(layer: layer, hash: .md5, parameters: parameters)))
            )
            tell(index, .lower(.opened))
        }
    }

    func chance(_ percent: Int, _ numbers: inout RandomSource) -> Bool {
        Int.random(in: 0..<100, using: &numbers) < percent
    }

    mutating func tell(_ index: Int, _ event: DatagramEvent) {
        var actions: [DatagramAction] = []
        hosts[index].layer.handle(event, now: now, into: &actions)
        for action in actions { perform(action, of: index) }
    }

    private mutating func perform(_ action: DatagramAction, of index: Int) {
        switch action {
        case .lower(.send(let bytes, let destination)): send(bytes, from: index, to: destination)
        case .release(let port):
            guard let flow = hosts[index].ports.removeValue(forKey: port) else {
                Issue.record("port \(port) is released twice")
                return
            }
            #expect(hosts[index].flows.removeValue(forKey: flow)?.verdict != .waiting, "flow \(flow) without verdict")
        case .discard(let port):
            let flow = hosts[index].ports.removeValue(forKey: port)
            #expect(flow.flatMap { hosts[index].flows[$0]?.verdict } == .waiting, "port \(port) is discarded late")
        case .reply(let reply): hear(reply, of: index)
        case .lower(.resolve(let id, _)):
            tell(
                index, .lower(.resolved(id, .address(hosts[1 - index].address.bytes, validity: TimeSpan(seconds: 60)))))
        case .report, .lower: break
        }
    }

    private mutating func hear(_ reply: IPCPReply, of index: Int) {
        switch reply {
        case .arrived(let id, _, _, let authentication, _):
            #expect(!hosts[index].arrivals.contains { $0.id == id })
            hosts[index].arrivals.append((id, authentication))
        case .unanswered(let flow):
            let again = authentication(flow, of: index)
            tell(index, .request(.askAgain(flow, authentication: again)))
        case .taken(let flow, let authentication, _):
            #expect(hosts[index].flows[flow]?.verdict == .waiting, "a second verdict for \(flow)")
            hosts[index].flows[flow]?.verdict = .taken
            hosts[index].flows[flow]?.answer = authentication
            hosts[index].taken += 1
            if hosts[index].accepted[flow] == nil { tell(index, .request(.recognised(flow))) }
        case .refused(let flow, let failure, _):
            #expect(hosts[index].flows[flow]?.verdict == .waiting, "a second verdict for \(flow)")
            #expect(!hosts[index].ports.values.contains(flow), "flow \(flow) is refused before its port is let go")
            hosts[index].flows[flow] = nil
            hosts[index].refused[failure, default: 0] += 1
        case .initialised, .succeeded, .failed, .bootstrapped, .mapped, .described: break
        }
    }

    mutating func send(_ bytes: [UInt8], from index: Int, to destination: DatagramAddress) {
        guard let to = hosts.firstIndex(where: { $0.address == destination }) else {
            Issue.record("a datagram to \(destination)")
            return
        }
        for _ in 0..<(chance(trouble, &numbers) ? 2 : 1) {
            guard !isCut, !chance(trouble, &numbers) else { continue }
            var bytes = bytes
            // UDP's checksum finds nearly all damage; what it does not must do no harm to what is kept of flows.
            if chance(trouble / 5, &numbers) {
                bytes[Int.random(in: bytes.indices, using: &numbers)] ^= 1 << UInt8.random(in: 0...7, using: &numbers)
            }
            let delay =
                chance(trouble, &numbers)
                ? UInt64.random(in: 0...3_000, using: &numbers) : UInt64.random(in: 1...20, using: &numbers)
            network.append(
                Packet(
                    due: now.nanoseconds + delay * 1_000_000, bytes: bytes, source: hosts[index].address, to: to))
        }
    }

    /// The next thing that happens by itself, up to a time.
    mutating func pass(milliseconds: UInt64) {
        let end = now + TimeSpan(milliseconds: milliseconds)
        while true {
            let packet = network.indices.min { network[$0].due < network[$1].due }
            let packetDue = packet.map { Instant(nanoseconds: network[$0].due) }
            let deadlines = hosts.map(\.layer.deadline)
            guard let due = (deadlines + [packetDue]).compactMap({ $0 }).min(), due <= end else { break }
            now = max(now, due)
            if let packet, packetDue == due {
                deliver(network.remove(at: packet))
            } else {
                for index in 0..<2 where deadlines[index] == due { tell(index, .timeout) }
            }
        }
        now = end
    }

    private mutating func deliver(_ packet: Packet) {
        let header = packet.bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let verdict = hosts[packet.to].layer.arriving(
            PacketHeader(networkOrder: header), length: packet.bytes.count, from: packet.source, now: now)
        switch verdict {
        case .control: tell(packet.to, .lower(.datagram(packet.bytes, from: packet.source)))
        case .deliver(let port, _):
            let flow = hosts[packet.to].ports[port].flatMap { hosts[packet.to].flows[$0] }
            #expect(flow?.verdict == .taken, "a packet for a flow that is not there")
        case .drop: break
        case .relay, .prepend, .hold: Issue.record("no verdict for what arrives: \(verdict)")
        }
    }

    // What irmd and processes do.

    mutating func allocate(_ index: Int) {
        let (flow, port) = hosts[index].offer()
        let patience = TimeSpan(milliseconds: UInt64.random(in: 100...20_000, using: &numbers))
        let authentication = authentication(flow, of: index)
        nextRequest += 1
        tell(
            index,
            .offered(
                port,
                .allocate(
                    RequestID(nextRequest), LayerRig.offer(flow.rawValue), hash: LayerRig.hash,
                    authentication: authentication, patience: patience)))
    }

    /// Names the flow to the other side: its answer brings it back.
    private func authentication(_ flow: FlowID, of index: Int) -> [UInt8] {
        [UInt8(index)] + (0..<4).map { UInt8(truncatingIfNeeded: flow.rawValue >> (8 * $0)) }
    }

    mutating func answer(_ index: Int) {
        guard !hosts[index].arrivals.isEmpty else { return }
        let choice = Int.random(in: hosts[index].arrivals.indices, using: &numbers)
        let (id, authentication) = hosts[index].arrivals.remove(at: choice)
        guard !chance(10, &numbers) else { return tell(index, .request(.reject(id, .name))) }
        let (flow, port) = hosts[index].offer()
        hosts[index].accepted[flow] = authentication
        tell(
            index,
            .offered(port, .accept(id, LayerRig.offer(flow.rawValue), authentication: authentication, isOurs: true)))
    }

    mutating func end(_ index: Int) {
        guard let port = hosts[index].ports.keys.sorted().randomElement(using: &numbers) else { return }
        tell(index, .ended(port))
    }

    mutating func write(_ index: Int) {
        guard let port = hosts[index].ports.keys.sorted().randomElement(using: &numbers) else { return }
        guard case .prepend(let header, let to) = hosts[index].layer.departing(8, on: port, now: now) else { return }
        send((0..<header.count).map { header[$0] } + [1, 2, 3, 4, 5, 6, 7, 8], from: index, to: to)
    }

    mutating func step() {
        let index = Int.random(in: 0..<2, using: &numbers)
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0..<25: allocate(index)
        case 25..<50: answer(index)
        case 50..<70: end(index)
        case 70..<90: write(index)
        case 90: isCut.toggle()
        case 91, 92: isCut = false
        default: pass(milliseconds: UInt64.random(in: 0...200, using: &numbers))
        }
    }

    /// What must be true at any time.
    func check() {
        for host in hosts {
            let load = host.layer.load
            #expect(load.endpoints == host.flows.count && load.askers == 0)
            #expect(load.requests <= load.endpoints && load.arrivals <= Limits.arrivedRequests)
            for (flow, state) in host.flows where state.verdict == .taken && host.accepted[flow] == nil {
                // The answer to our own request, and to no other. Damage may have changed a byte of it.
                let expected = (0..<4).map { UInt8(truncatingIfNeeded: flow.rawValue >> (8 * $0)) }
                let differences = zip(state.answer.dropFirst(), expected).count { $0 != $1 }
                if differences > (trouble > 0 ? 2 : 0) { Issue.record("flow \(flow) has another's answer") }
            }
        }
    }
}

@Suite struct DatagramSimulationTests {
    @Test("thousands of flows come and go in a bad network, and nothing is left of them", arguments: 1...4)
    func badNetwork(seed: Int) throws {
        var world = try World(seed: UInt64(seed))
        for step in 0..<5_000 {
            world.step()
            if step % 50 == 0 { world.check() }
        }
        try settle(&world, "seed \(seed)")
        #expect(world.hosts[0].taken + world.hosts[1].taken > 500)
        #expect(world.hosts.allSatisfy { $0.refused[.timedOut, default: 0] > 0 && $0.refused[.name, default: 0] > 0 })
    }

    @Test("in a good network every request is answered, and no answer is another's", arguments: 1...4)
    func goodNetwork(seed: Int) throws {
        var world = try World(seed: UInt64(seed))
        world.trouble = 0
        for _ in 0..<3_000 {
            world.allocate(0)
            world.pass(milliseconds: 25)
            world.answer(1)
            world.pass(milliseconds: 25)
            world.check()
            if world.hosts[0].flows.count > 50 {
                for index in 0..<2 { world.end(index) }
            }
        }
        #expect(world.hosts[0].refused.keys.allSatisfy { $0 == .name || $0 == .timedOut || $0 == .flowDown })
        #expect(world.hosts[0].taken > 2_500)
        // What ends at one host ends at the other.
        for port in world.hosts[0].ports.keys.sorted() { world.tell(0, .ended(port)) }
        world.pass(milliseconds: 2_000)
        #expect(world.hosts[1].flows.isEmpty)
        try settle(&world, "seed \(seed)")
    }

    /// All processes let go, and time passes.
    private func settle(_ world: inout World, _ comment: Comment) throws {
        world.isCut = false
        for index in 0..<2 {
            for port in world.hosts[index].ports.keys.sorted() { world.tell(index, .ended(port)) }
            #expect(world.hosts[index].flows.isEmpty && world.hosts[index].ports.isEmpty, comment)
        }
        // What is still under way makes requests that nobody answers.
        world.pass(milliseconds: 4_000_000)
        for host in world.hosts {
            #expect(host.layer.load == .init(), comment)
            #expect(host.layer.deadline == nil, comment)
        }
    }
}
