// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing

@testable import Ouroboros

@Suite(.timeLimit(.minutes(5))) struct SetTests {
    @Test func aSetTellsOfMessagesAndOfTheEnd() throws {
        let flows = try (0..<3).map { _ in try makeFlow() }
        let set = try FlowSet(flows.map(\.server))
        try flows[1].client.write([1])
        try flows[1].client.write([2])
        let events = try set.wait()
        #expect(events.map(\.kind) == [.packet])
        #expect(events[0].flow === flows[1].server)
        #expect(events[0].count == 2)
        #expect(throws: OuroborosError(.timedOut)) { try set.wait(deadline: .now) }
        flows[2].client.close()
        #expect(try set.wait().map(\.kind) == [.deallocated])
    }

    @Test func aSetThatAsksTellsOfRoom() throws {
        let (client, server) = try makeFlow()
        let set = try FlowSet([client])
        #expect(!set.tellsOfRoom)
        set.tellsOfRoom = true
        #expect(set.tellsOfRoom)
        let message = [UInt8](repeating: 1, count: 1_000)
        let count = try fill(client, with: message)
        #expect(throws: OuroborosError(.timedOut)) { try set.wait(deadline: .now) }
        for _ in 0..<count { _ = try server.read() }
        let events = try set.wait()
        #expect(events.map(\.kind) == [.room])
        #expect(events[0].flow === client)
        #expect(throws: OuroborosError(.timedOut)) { try set.wait(deadline: .now) }
        set.tellsOfRoom = false
        for _ in 0..<(try fill(client, with: message)) { _ = try server.read() }
        #expect(throws: OuroborosError(.timedOut)) { try set.wait(deadline: .now) }
    }

    @Test func aFlowIsInOneSetAtMost() throws {
        let (client, server) = try makeFlow()
        let set = try FlowSet([server])
        let other = try FlowSet()
        #expect(throws: OuroborosError.self) { try other.insert(server) }
        #expect(throws: OuroborosError.self) { try set.insert(server) }
        #expect(set.contains(server) && !other.contains(server))
        try client.write([1])
        #expect(try set.wait().count == 1)
        set.remove(server)
        try other.insert(server)
        #expect(try other.wait().map(\.count) == [1])
        client.close()
        #expect(throws: OuroborosError(.notAllocated)) { try set.insert(client) }
    }

    @Test func theDescriptorOfASetPollsReadableAndIsArmedAgain() throws {
        let (client, server) = try makeFlow()
        let set = try FlowSet([server])
        let descriptor = try set.pollDescriptor
        #expect(try set.pollDescriptor == descriptor)
        for round in 0..<100 {
            while (try? set.wait(deadline: .now)) != nil {}
            #expect(cl_poll_one(descriptor, Int16(POLLIN), 0, nil, nil) == 0)
            try client.write([UInt8(round)])
            #expect(cl_poll_one(descriptor, Int16(POLLIN), 60_000, nil, nil) == 1)
            #expect(try set.wait(deadline: .now).map(\.count) == [1])
            #expect(try server.tryRead() == [UInt8(round)])
        }
    }

    @Test func aSetKeepsItsFlowsAndADroppedSetLetsThemGo() throws {
        let (client, server) = try makeFlow()
        var set: FlowSet? = try FlowSet([server])
        #expect(set?.contains(server) == true)
        set = nil
        let next = try FlowSet([server])
        try client.write([1])
        #expect(try next.wait().count == 1)
    }
}
