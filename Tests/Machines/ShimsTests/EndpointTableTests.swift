// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

@Suite struct EndpointTableTests {
    @Test("the keyed hash is SipHash-2-4")
    func golden() {
        // The key of the paper, and the first eight bytes of its message.
        let hash = KeyedHash(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908)
        #expect(hash(0x0706_0504_0302_0100) == 0x93f5_f579_9a93_2462)
    }

    @Test("all 31 bits of an endpoint are chance: neither place nor order nor a seed beside it shows")
    func chance() throws {
        var ones = [Int](repeating: 0, count: 32)
        var distances: Set<UInt32> = []
        for seed in 0..<16 as Range<UInt64> {
            var table = EndpointTable(seed: seed)
            var last: UInt32 = 0
            for port in 0..<1_000 as Range<Int32> {
                let added = table.add(FlowPort(port))
                let id = try #require(added).rawValue
                for bit in 0..<32 where id >> bit & 1 == 1 { ones[bit] += 1 }
                distances.insert(id ^ last)
                last = id
            }
        }
        #expect(ones[31] == 0)
        // Of 16,000 throws: 10 standard deviations.
        #expect(ones[0..<31].allSatisfy { abs($0 - 8_000) < 630 })
        #expect(distances.count > 15_990)
    }

    @Test("a host that asks for flow after flow leaves half of them to others, and gets its own back")
    func arrivals() throws {
        var table = EndpointTable(seed: 9)
        let greedy = DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0002, port: 3_435)
        let other = DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0003, port: 3_435)
        var ids: [EndpointID] = []
        for port in 0..<Int32(Limits.datagramFlows) {
            // Another port makes no other host.
            let source = greedy.with(port: UInt16(port % 1_000 + 1))
            guard let id = table.add(FlowPort(port), askedBy: source) else { break }
            table.establish(id, with: .init(endpoint: EndpointID(1), address: source))
            ids.append(id)
        }
        #expect(ids.count == (Limits.datagramFlows - Limits.datagramFlows / 16 + 1) / 2)
        let last = FlowPort(Int32(Limits.datagramFlows))
        let refused = table.add(last, askedBy: greedy)
        #expect(refused == nil)
        // What this host asks for itself, and another host.
        for source in [other, nil] {
            let added = table.add(last, askedBy: source)
            table.remove(try #require(added))
        }
        for id in ids { table.remove(id) }
        #expect(table.count == 0)
        let again = table.add(last, askedBy: greedy)
        #expect(again != nil)
    }

    @Test("65,536 guesses beside a flow's endpoint find nothing, nor does its place with other bits")
    func guesses() throws {
        var table = EndpointTable(seed: 9)
        let peer = LayerRig.peer
        var ids: Set<UInt32> = []
        for port in 0..<100 as Range<Int32> {
            let added = table.add(FlowPort(port))
            let id = try #require(added)
            table.establish(id, with: .init(endpoint: EndpointID(1), address: peer))
            ids.insert(id.rawValue)
        }
        let known = try #require(ids.first)
        for guess in 0..<65_536 as Range<UInt32> {
            for id in [known ^ guess, known ^ guess << 15, guess] where !ids.contains(id) {
                guard case .unknown = table.find(EndpointID(id), from: peer) else {
                    Issue.record("\(id) is found")
                    return
                }
            }
        }
        guard case .flow = table.find(EndpointID(known), from: peer) else {
            Issue.record("the flow is not found")
            return
        }
    }

    @Test("whatever comes and goes, each flow is found by its endpoint, and no other")
    func random() throws {
        for seed in 0..<20 as Range<UInt64> {
            var source = RandomSource(seed: seed)
            var table = EndpointTable(seed: seed)
            var model: [EndpointID: FlowPort] = [:]
            var gone: [EndpointID] = []
            for _ in 0..<3_000 {
                let port = FlowPort(Int32(source.next() % 400))
                if let old = table.endpoint(of: port) {
                    table.remove(old)
                    model[old] = nil
                    gone.append(old)
                } else {
                    let added = table.add(port, for: UserID(UInt32(source.next() % 3)))
                    let id = try #require(added)
                    table.establish(id, with: .init(endpoint: EndpointID(1), address: LayerRig.peer))
                    #expect(model.updateValue(port, forKey: id) == nil)
                }
            }
            #expect(table.count == model.count)
            for (id, port) in model {
                guard case .flow(port) = table.find(id, from: LayerRig.peer) else {
                    Issue.record("seed \(seed): \(id) is not found")
                    return
                }
            }
            for id in gone where model[id] == nil {
                guard case .unknown = table.find(id, from: LayerRig.peer) else {
                    Issue.record("seed \(seed): \(id) is found")
                    return
                }
            }
        }
    }
}
