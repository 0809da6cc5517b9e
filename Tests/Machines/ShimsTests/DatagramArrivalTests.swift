// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

@Suite struct DatagramArrivalTests {
    @Test("a request goes to irmd, and its acceptance to the requester")
    func acceptance() throws {
        var rig = try LayerRig()
        let arrived = rig.arrive(LayerRig.wish(3))
        let id = try #require(LayerRig.arrival(in: arrived))
        let address = Array(LayerRig.peer.description.utf8)
        #expect(arrived == [.reply(.arrived(id, hash: LayerRig.hash, .raw, authentication: [5], from: address))])
        let actions = rig.accept(id, 8, port: 64)
        let reply = try #require(LayerRig.reply(in: actions))
        #expect(reply.requester == EndpointID(3) && reply.response == 0 && reply.authentication == [9, 9])
        #expect(actions.last == .reply(.taken(FlowID(8), authentication: [], with: address)))
        guard
            case .deliver(FlowPort(64), trim: 4) = rig.layer.arriving(
                PacketHeader(networkOrder: reply.responder.rawValue), length: 4, from: LayerRig.peer, now: rig.now),
            case .prepend(PacketHeader(networkOrder: 3), to: LayerRig.peer) = rig.layer.departing(
                0, on: FlowPort(64), now: rig.now)
        else {
            Issue.record("packets do not go both ways")
            return
        }
    }

    @Test("a repetition is ignored while irmd thinks, and answered with the same bytes afterwards")
    func repetitions() throws {
        var rig = try LayerRig()
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))))
        #expect(rig.arrive(LayerRig.wish(3)).isEmpty)
        #expect(rig.counter("dropped: repeated request") == 1)
        let send = rig.accept(id, 8, port: 64)[0]
        #expect(rig.arrive(LayerRig.wish(3)) == [send])
        // Also after the flow is gone: the same answer, until nobody can ask any more.
        #expect(rig.handle(.ended(FlowPort(64))) == [.release(FlowPort(64))])
        _ = rig.pass(milliseconds: 29_000)
        #expect(rig.arrive(LayerRig.wish(3)) == [send])
        _ = rig.pass(milliseconds: 2_000)
        #expect(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))) != nil)
    }

    @Test("another source or other bytes are another request; the one before it waits no longer")
    func supersession() throws {
        var rig = try LayerRig()
        let first = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))))
        let elsewhere = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3), from: LayerRig.address(9))))
        let second = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3, authentication: [6]))))
        #expect(Set([first, elsewhere, second]).count == 3)
        let late = rig.accept(first, 8, port: 64)
        #expect(LayerRig.refusal(in: late, after: 64) == .timedOut)
        #expect(LayerRig.reply(in: rig.accept(second, 9, port: 64))?.response == 0)
        #expect(LayerRig.reply(in: rig.accept(elsewhere, 10, port: 65))?.response == 0)
        // An endpoint that is used again at once, as the prototype does.
        #expect(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3, authentication: [7]))) != nil)
    }

    @Test("a rejection is 47 bytes with a negative number, and comes again for a repetition")
    func rejection() throws {
        var rig = try LayerRig()
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))))
        let actions = rig.ask(.reject(id, .name))
        #expect(LayerRig.reply(in: actions)?.response == -1_007)
        guard case .lower(.send(let bytes, LayerRig.peer))? = actions.first else {
            Issue.record("nothing is sent")
            return
        }
        #expect(bytes.count == 47)
        #expect(rig.arrive(LayerRig.wish(3)) == actions)
        #expect(rig.ask(.reject(id, .name)).isEmpty)
        #expect(rig.layer.load.endpoints == 0)
    }

    @Test("irmd has 1,024 requests at most, and each for a time")
    func bounds() throws {
        var rig = try LayerRig()
        var number: UInt32 = 0
        // Sources and names enough that none is held back by its share.
        for host in 2...1_100 as ClosedRange<UInt64> {
            number += 1
            _ = rig.arrive(LayerRig.wish(number, hash: UInt8(host % 200)), from: LayerRig.address(host))
        }
        #expect(rig.layer.load.arrivals > 800 && rig.layer.load.arrivals <= Limits.arrivedRequests)
        _ = rig.pass(milliseconds: 60_000)
        #expect(rig.layer.load == .init() && rig.layer.deadline == nil)
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(1))))
        #expect(LayerRig.reply(in: rig.accept(id, 1, port: 64))?.response == 0)
    }

    /// Of the requests that irmd may have, less the part that is for root.
    private func share(_ parts: Int) -> Int { Limits.arrivedRequests / 16 * 15 / parts }

    @Test("requests to a name that nobody accepts leave room for other names")
    func nameShare() throws {
        var rig = try LayerRig()
        for number in 1...1_100 as ClosedRange<UInt32> {
            _ = rig.arrive(LayerRig.wish(number, hash: 1), from: LayerRig.address(UInt64(number) + 1))
        }
        #expect(rig.layer.load.arrivals == share(2))
        #expect(rig.counter("dropped: too many requests") == UInt64(1_100 - share(2)))
        for name in 2...9 as ClosedRange<UInt8> {
            #expect(
                LayerRig.arrival(
                    in: rig.arrive(LayerRig.wish(5_000, hash: name), from: LayerRig.address(5_000 + UInt64(name))))
                    != nil)
        }
    }

    @Test("requests of one source, from all its ports and for all names, leave room for other sources")
    func sourceShare() throws {
        var rig = try LayerRig()
        var first: RequestID?
        for number in 1...1_100 as ClosedRange<UInt32> {
            let source = LayerRig.address(2, port: UInt16(number))
            let id = LayerRig.arrival(in: rig.arrive(LayerRig.wish(number, hash: UInt8(number % 250)), from: source))
            first = first ?? id
        }
        #expect(rig.layer.load.arrivals == share(3))
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(1), from: LayerRig.address(3))))
        #expect(LayerRig.reply(in: rig.accept(id, 1, port: 64))?.response == 0)
        // As soon as one of its own is answered there is place for another.
        _ = rig.ask(.reject(try #require(first), .name))
        #expect(LayerRig.arrival(in: rig.arrive(LayerRig.wish(9_999), from: LayerRig.address(2))) != nil)
    }

    @Test("a network of IPv6 is one source for other networks, and its hosts are many for each other")
    func networks() {
        var arrivals = ArrivedRequests()
        var number: UInt32 = 0
        func add(_ high: UInt64, _ low: UInt64) -> Bool {
            number += 1
            let source = DatagramAddress(family: .ipv6, high: high, low: low, port: 1)
            let key = ArrivedRequests.Key(source: source, requester: EndpointID(number))
            let hash = [UInt8(number % 251)]
            return arrivals.add(key, hash, Fingerprint(of: []), now: Instant(nanoseconds: 0)) != nil
        }
        while add(7, 1) {}
        #expect(arrivals.pending == share(3))
        #expect(add(7, 2))
        for host in 3...2_000 as ClosedRange<UInt64> { _ = add(7, host) }
        #expect(arrivals.pending == share(2))
        #expect(add(8, 1))
        // On one link all have the same upper half.
        for host in 1...5 as ClosedRange<UInt64> { #expect(add(0xfe80 << 48, host)) }
    }

    @Test("an answer to a stranger is one datagram, of 2,048 bytes at most and 3.6 times the request")
    func amplification() throws {
        for (request, answer, isSent) in [(1, 130, true), (1, 184, false), (700, 2_001, true), (700, 2_002, false)] {
            var rig = try LayerRig()
            let wish = LayerRig.wish(3, authentication: [UInt8](repeating: 5, count: request))
            let id = try #require(LayerRig.arrival(in: rig.arrive(wish)))
            let authentication = [UInt8](repeating: 9, count: answer)
            let actions = rig.handle(
                .offered(FlowPort(64), .accept(id, LayerRig.offer(8), authentication: authentication)))
            let sent = actions.compactMap { if case .lower(.send(let bytes, _)) = $0 { bytes.count } else { nil } }
            #expect(sent.count == 1 && (sent[0] == 47) != isSent)
            #expect((LayerRig.refusal(in: actions) == .messageTooLong) != isSent)
            // Never again but when asked, and then the same.
            #expect(rig.pass(milliseconds: 20_000).isEmpty)
        }
    }

    @Test("refusals that strangers cause do not drive out answers that accept")
    func refusals() throws {
        var rig = try LayerRig()
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))))
        let send = rig.accept(id, 8, port: 64)[0]
        for number in 10...(UInt32(Limits.answeredRequests) + 100) {
            let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(number), from: LayerRig.address(9))))
            _ = rig.ask(.reject(id, .name))
        }
        #expect(rig.arrive(LayerRig.wish(3)) == [send])
    }

    @Test("a user leaves places in the table to others; root has no share")
    func flowShare() {
        var table = EndpointTable(seed: 5)
        var port: Int32 = 0
        func fill(_ user: UserID) -> Int {
            var count = 0
            while table.add(FlowPort(port), for: user) != nil {
                port += 1
                count += 1
            }
            return count
        }
        let half = fill(UserID(1))
        #expect(half == 30_720)
        #expect(fill(UserID(2)) == 15_360)
        #expect(fill(UserID(3)) == 7_680)
        if let id = table.endpoint(of: FlowPort(0)) { table.remove(id) }
        #expect(table.add(FlowPort(0), for: UserID(1)) == nil)
        #expect(table.add(FlowPort(0), for: UserID(4)) != nil)
        #expect(fill(.root) == Limits.datagramFlows - 30_720 - 15_360 - 7_680)
    }

    @Test("of answers only the newest are remembered")
    func answers() throws {
        var rig = try LayerRig()
        let count = UInt32(Limits.answeredRequests) + 5_000
        for number in 1...count {
            let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(number))))
            _ = rig.ask(.reject(id, .name))
        }
        #expect(rig.layer.load.answers == Limits.answeredRequests)
        #expect(LayerRig.reply(in: rig.arrive(LayerRig.wish(count)))?.response == -1_007)
        #expect(LayerRig.arrival(in: rig.arrive(LayerRig.wish(1))) != nil)
    }

    @Test("answers are forgotten many at once, so that a layer where nothing happens sleeps")
    func forgetting() throws {
        var rig = try LayerRig()
        for number in 1...200 as ClosedRange<UInt32> {
            let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(number))))
            _ = rig.ask(.reject(id, .name))
            _ = rig.pass(milliseconds: 5)
        }
        var wakeUps = 0
        while rig.layer.load.answers > 0 {
            rig.now = max(rig.now, try #require(rig.layer.deadline))
            _ = rig.handle(.timeout)
            wakeUps += 1
        }
        #expect(wakeUps <= 4)
    }

    @Test("what the driver could not map is refused to both sides")
    func unmapped() throws {
        var rig = try LayerRig()
        let id = try #require(LayerRig.arrival(in: rig.arrive(LayerRig.wish(3))))
        let actions = rig.ask(.accept(id, LayerRig.offer(4), authentication: []))
        #expect(LayerRig.reply(in: actions)?.response == -12 && LayerRig.refusal(in: actions) == .outOfMemory)
        let request = IPCPRequest.allocate(
            RequestID(7), LayerRig.offer(5), hash: LayerRig.hash, authentication: [], patience: TimeSpan(seconds: 1))
        #expect(LayerRig.refusal(in: rig.ask(request)) == .outOfMemory)
        #expect(rig.layer.load.endpoints == 0)
    }

    @Test("a port that has a flow is not given away, and one that is none is refused")
    func ports() throws {
        var rig = try LayerRig()
        _ = try rig.establish(5, port: 64)
        for port in [64, -1, 65_536, .max, .min] as [Int32] {
            #expect(rig.allocate(6, port: port) == [rig.refused(6, port)])
            let id = try #require(
                LayerRig.arrival(in: rig.arrive(LayerRig.wish(UInt32(bitPattern: port) | 1, authentication: [9]))))
            #expect(rig.accept(id, 7, port: port).last == rig.refused(7, port))
            #expect(rig.handle(.ended(FlowPort(port == 64 ? 63 : port))).isEmpty)
        }
        guard case .prepend = rig.layer.departing(1, on: FlowPort(64), now: rig.now) else {
            Issue.record("the flow is gone")
            return
        }
    }

    @Test("the table is full at 65,535 flows; places come again with other endpoints")
    func table() throws {
        var table = EndpointTable(seed: 5)
        var seen: Set<EndpointID> = []
        for port in 0..<Limits.datagramFlows {
            let added = table.add(FlowPort(Int32(port)))
            let id = try #require(added)
            #expect(id.rawValue < 0x8000_0000 && id != .management && seen.insert(id).inserted)
        }
        let surplus = table.add(FlowPort(65_535))
        #expect(surplus == nil)
        let old = try #require(table.endpoint(of: FlowPort(7)))
        table.remove(old)
        guard case .unknown = table.find(old, from: LayerRig.peer) else {
            Issue.record("an endpoint that is gone is found")
            return
        }
        let again = table.add(FlowPort(7))
        #expect(again != nil && again != old)
        #expect(table.count == Limits.datagramFlows)
    }
}

extension LayerRig {
    fileprivate func refused(_ flow: UInt32, _ port: Int32) -> DatagramAction {
        .reply(
            .refused(FlowID(flow), .badDescriptor, reason: Array("another flow uses port \(port) already".utf8)))
    }
}
