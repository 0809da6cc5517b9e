// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Shims
import Vocabulary
import Wire

/// A UDP layer whose peers, processes and clock are the fuzzer's. Nothing that they do may trap, and of flows it knows
/// those whose ports it has not let go of.
private struct Layer {
    private static let own: [UInt8] = [10, 0, 0, 1]
    private static let peers = [2, 3].map {
        DatagramAddress(family: .ipv4, high: 0, low: 0x0A00_0000 + $0, port: 3_435)
    }

    private var machine = DatagramLayer(.ipv4, seed: 1)
    private var now = Instant(nanoseconds: 1)
    private var ports: Set<FlowPort> = []
    private var arrivals: [RequestID] = []
    private var inquiries: [ResolutionID] = []
    /// Of our requests.
    private var endpoints = [EndpointID(1)]
    private var next: UInt32 = 1

    init() {
        guard let name = LayerName("layer"), let own = DatagramAddress(Layer.own, port: DatagramParameters.defaultPort)
        else { return }
        let configuration = LayerConfiguration(
            layer: name, hash: DatagramParameters.hash, parameters: .udp4(DatagramParameters(own: own)))
        tell(.request(.bootstrap(RequestID(0), configuration)))
        tell(.lower(.opened))
    }

    private mutating func tell(_ event: DatagramEvent) {
        var actions: [DatagramAction] = []
        machine.handle(event, now: now, into: &actions)
        for action in actions {
            switch action {
            case .release(let port), .discard(let port):
                precondition(ports.remove(port) != nil, "\(port) is let go of twice")
            case .reply(.arrived(let id, _, _, _, _)): arrivals.append(id)
            case .reply(.described(_, let status)):
                precondition(Int(status.flows) == ports.count, "\(status.flows) flows on \(ports.count) ports")
            case .lower(.resolve(let id, _)): inquiries.append(id)
            case .lower(.send(let bytes, _)):
                switch try? DatagramManagement(decoding: bytes) {
                case .request(let request): endpoints.append(request.requester)
                case .reply(let reply) where reply.response == 0: endpoints.append(reply.responder)
                case .reply, .gone, nil: continue
                }
            case .reply, .report, .lower: continue
            }
        }
    }

    mutating func step(_ input: inout Input) {
        let peer = Layer.peers[Int(input.byte() & 1)]
        switch input.byte() % 15 {
        case 0: arrive((0..<input.byte()).map { _ in input.byte() }, from: peer)
        case 1: arrive(request(&input), from: peer)
        case 2: arrive(reply(&input), from: peer)
        case 3: packet(&input, from: peer)
        case 4: offer(&input) { .allocate($0, $1, hash: $2, authentication: $3, patience: TimeSpan(seconds: $4)) }
        case 5:
            let id = pick(arrivals, &input) ?? RequestID(UInt64(input.byte()))
            offer(&input) { _, offer, _, authentication, patience in
                .accept(id, offer, authentication: authentication, isOurs: patience & 1 == 0)
            }
        case 6: tell(.request(.reject(pick(arrivals, &input) ?? RequestID(9), Failure(errno: Int32(input.byte()) + 1))))
        case 7: tell(.ended(FlowPort(Int32(input.byte() & 31))))
        case 8: tell(.request(.flowEnded(FlowID(UInt32(input.byte())))))
        case 9, 10:
            let id = pick(inquiries, &input) ?? ResolutionID(9)
            let address = Layer.peers[Int(input.byte() & 1)].bytes
            tell(.lower(.resolved(id, input.byte() & 3 == 0 ? .unknown : .address(address, validity: nil))))
        case 11: arrive(gone(&input), from: peer)
        case 12: tell(.request(.recognised(FlowID(UInt32(input.byte())))))
        case 13: tell(.request(.askAgain(FlowID(UInt32(input.byte())), authentication: [input.byte()])))
        default:
            now = now + TimeSpan(milliseconds: UInt64(input.byte()) * UInt64(input.byte()))
            tell(.timeout)
        }
        tell(.request(.describe(RequestID(1))))
    }

    private func pick<Element>(_ list: [Element], _ input: inout Input) -> Element? {
        list.isEmpty ? nil : list[Int(input.byte()) % list.count]
    }

    private mutating func arrive(_ bytes: [UInt8], from peer: DatagramAddress) {
        let header = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard
            case .control = machine.arriving(
                PacketHeader(networkOrder: header), length: bytes.count, from: peer, now: now)
        else { return }
        tell(.lower(.datagram(bytes, from: peer)))
    }

    private func request(_ input: inout Input) -> [UInt8] {
        var quality = QualityOfService.raw
        quality.inOrder = input.byte() & 15 == 0
        let hash = [UInt8](repeating: input.byte() & 3, count: 16)
        return DatagramManagement.request(
            .init(
                requester: EndpointID(UInt32(input.byte() & 7) + 1), hash: hash, quality: quality,
                authentication: [input.byte() & 3])
        ).encoded()
    }

    private func reply(_ input: inout Input) -> [UInt8] {
        let requester = endpoints[Int(input.byte()) % endpoints.count]
        let responses: [Int32] = [0, 0, -1_009, -1_007, 1, .min]
        return DatagramManagement.reply(
            .init(
                requester: requester, responder: EndpointID(UInt32(input.byte()) + 1),
                response: responses[Int(input.byte()) % responses.count], authentication: [])
        ).encoded()
    }

    private func gone(_ input: inout Input) -> [UInt8] {
        let recipient = endpoints[Int(input.byte()) % endpoints.count]
        return DatagramManagement.gone(
            .init(recipient: recipient, sender: EndpointID(UInt32(input.byte() & 7) + 1))
        ).encoded()
    }

    private mutating func packet(_ input: inout Input, from peer: DatagramAddress) {
        let endpoint = input.byte() & 1 == 0 ? endpoints[Int(input.byte()) % endpoints.count].rawValue : 1
        let length = Int(input.byte()) * 40
        if case .deliver(let port, trim: 4) = machine.arriving(
            PacketHeader(networkOrder: endpoint), length: length, from: peer, now: now)
        {
            precondition(ports.contains(port), "a packet for \(port), which has no flow")
        }
        let port = FlowPort(Int32(input.byte() & 31))
        if case .prepend(let header, _) = machine.departing(length, on: port, now: now) {
            precondition(ports.contains(port) && header.leading32 != 0, "a packet of \(port), which has no flow")
        }
    }

    private mutating func offer(
        _ input: inout Input, _ request: (RequestID, FlowOffer, [UInt8], [UInt8], UInt64) -> IPCPRequest
    ) {
        let port = FlowPort(Int32(input.byte() & 31))
        let flow = FlowOffer(
            flow: FlowID(next), end: .first, quality: .raw, peer: ProcessID(1), link: LinkID(1), slot: LinkSlot(1),
            linkEnd: .first, linkIsIncluded: false, isExpedited: false)
        next += 1
        // A port that has a flow is not offered again; the machine must not let go of it if it is.
        ports.insert(port)
        let hash = [UInt8](repeating: input.byte() & 3, count: input.byte() & 15 == 0 ? 3 : 16)
        let authentication = (0..<(input.byte() & 3)).map { _ in input.byte() }
        tell(.offered(port, request(RequestID(UInt64(next)), flow, hash, authentication, UInt64(input.byte() & 31))))
    }
}

/// The fuzzer's entry: events until there are no bytes left.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    var input = Input(bytes, count)
    var layer = Layer()
    while !input.isEmpty { layer.step(&input) }
    return 0
}
