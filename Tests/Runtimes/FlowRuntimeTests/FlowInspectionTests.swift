// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowMemory
import Foundation
import Testing
import Vocabulary

@testable import FlowRuntime

/// What the ends of flows of all kinds tell of themselves, to the program and to irmd.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FlowInspectionTests {
    let broker = TestBroker.shared

    private static let reliable = {
        var quality = Vocabulary.QualityOfService.data
        quality.bitErrorRate = 1
        return quality
    }()

    private func asked(_ descriptor: Int32) throws -> FlowStatistics? {
        let entry = try FlowTable.entry(descriptor)
        return broker.describe(entry.pointee.flow, entry.pointee.side)
    }

    @Test("the words that the counters stand in do not reach into those of other locks")
    func layout() {
        #expect(MemoryLayout<FlowEnd.Receiving>.size <= 128)
        #expect(MemoryLayout<FlowEnd.Sending>.size <= 128)
        #expect(MemoryLayout<FlowSettings>.size <= 64)
    }

    @Test("messages and bytes of a flow inside the host are counted at both ends")
    func inside() throws {
        let (client, server) = try broker.flow(Vocabulary.QualityOfService(timeoutMilliseconds: 0))
        defer { try? FlowControl.deallocate(client) }
        for count in [1, 100, 5_000] {
            let message = [UInt8](repeating: 7, count: count)
            #expect(try FlowTransmit.write(client, message, count: count) == count)
        }
        try FlowTransmit.reserve(client, count: 50).copyBytes(from: [1, 2, 3])
        #expect(try FlowTransmit.commit(client, count: 3) == 3)
        let written = try FlowInspection.statistics(client)
        #expect(written.kind == .inside && written.ending == .none && written.time > 0)
        #expect(written.messagesWritten == 4 && written.bytesWritten == 5_104)
        #expect(written.unacknowledgedPackets == 4 && written.messagesRead == 0)
        #expect(written.payload == UInt64(Limits.messageBytes))
        #expect(written.packetsSent == 0 && written.window == 0 && written.timeout == 0)
        #expect(try FlowInspection.statistics(server).unreadMessages == 4)
        #expect(try FlowReceive.read(server, 10) == [7])
        // In two pieces, of which only the whole counts.
        #expect(try FlowReceive.read(server, 60).count == 60)
        #expect(try FlowInspection.statistics(server).bytesRead == 1)
        #expect(try FlowReceive.read(server, 60).count == 40)
        #expect(try FlowReceive.readMessage(server, timeout: nil).count == 5_000)
        _ = try FlowReceive.peek(server)
        try FlowReceive.release(server)
        let read = try FlowInspection.statistics(server)
        #expect(read.messagesRead == 4 && read.bytesRead == 5_104 && read.unreadMessages == 0)
        var answer = try #require(try asked(server))
        answer.time = read.time
        #expect(answer == read)
        try FlowControl.deallocate(server)
        #expect(try FlowInspection.statistics(client).ending == .closed)
        #expect(throws: Failure.notAllocated) { try FlowInspection.statistics(server) }
    }

    @Test("a message that does not fit is read, as far as counting goes")
    func discarded() throws {
        let (client, server) = try broker.flow(Vocabulary.QualityOfService(timeoutMilliseconds: 0))
        defer {
            try? FlowControl.deallocate(client)
            try? FlowControl.deallocate(server)
        }
        try FlowControl.setFlags(server, FlowFlags.readWrite | FlowFlags.readWhole)
        _ = try FlowTransmit.write(client, [UInt8](repeating: 1, count: 10), count: 10)
        #expect(throws: Failure.messageTooLong) { try FlowReceive.read(server, 5) }
        let read = try FlowInspection.statistics(server)
        #expect(read.messagesRead == 1 && read.bytesRead == 10)
    }

    @Test("a raw flow counts messages without their checksums, and is down when the IPCP lets go")
    func raw() throws {
        let flow = try Pair(broker, Vocabulary.QualityOfService(bitErrorRate: 0, timeoutMilliseconds: 0))
        defer { flow.close() }
        try flow.write([UInt8](repeating: 1, count: 100))
        let statistics = try FlowInspection.statistics(flow.user)
        #expect(statistics.kind == .raw && statistics.ending == .none)
        #expect(statistics.messagesWritten == 1 && statistics.bytesWritten == 100)
        #expect(statistics.unacknowledgedPackets == 1 && statistics.payload == 65_000 - 4)
        try flow.close(flow.provider)
        #expect(try FlowInspection.statistics(flow.user).ending == .down)
    }

    @Test("a peer that writes impossible words is the reason why the flow is down")
    func violated() throws {
        let (client, server) = try broker.flow(Vocabulary.QualityOfService(timeoutMilliseconds: 0))
        defer {
            try? FlowControl.deallocate(client)
            try? FlowControl.deallocate(server)
        }
        cl_store64_release(try FlowTable.entry(server).pointee.arriving.tail, 12_345)
        #expect(throws: Failure.flowDown) { try FlowReceive.read(server, 10) }
        #expect(try FlowInspection.statistics(server).ending == .violated)
    }

    @Test("a reliable flow over a bad route tells what was lost, repeated and doubled")
    func badRoute() throws {
        var faults = Route.Faults()
        faults.loss = 50
        faults.duplication = 50
        let route = try Route(broker, Self.reliable, faults: faults)
        defer { route.close() }
        let sizes = (0..<500).map { 1 + $0 * 31 % 3_000 }
        Thread.detachNewThread { [user = route.first.user] in
            for size in sizes {
                _ = try? FlowTransmit.write(user, [UInt8](repeating: 3, count: size), count: size)
            }
        }
        for size in sizes {
            #expect(try FlowReceive.readMessage(route.second.user, timeout: TimeSpan(seconds: 60)).count == size)
        }
        let bytes = UInt64(sizes.reduce(0, +))
        let reader = try FlowInspection.statistics(route.second.user)
        #expect(reader.kind == .profile1 && reader.ending == .none)
        #expect(reader.messagesRead == 500 && reader.bytesRead == bytes)
        #expect(reader.unreadMessages == 0 && reader.unreadBytes == 0)
        #expect(reader.duplicates > 0 && reader.controlPacketsSent > 0)
        // Until the last acknowledgement has come.
        var writer = try FlowInspection.statistics(route.first.user)
        while writer.unacknowledgedPackets > 0 {
            usleep(1_000)
            writer = try FlowInspection.statistics(route.first.user)
        }
        #expect(writer.messagesWritten == 500 && writer.bytesWritten == bytes)
        #expect(writer.lost > 0 && writer.repeated > 0 && writer.spurious > 0)
        #expect(writer.packetsSent == reader.packetsReceived + writer.repeated)
        #expect(writer.roundTrip > 0 && writer.leastRoundTrip > 0 && writer.leastRoundTrip <= writer.timeout)
        #expect(writer.timeout >= 50_000_000)
        #expect(writer.window > 0 && writer.rate > 0 && writer.flight == 0 && writer.unacknowledgedBytes == 0)
        #expect(writer.creditPackets > 0 && writer.creditBytes > 0 && writer.payload > 1_000)
        let answer = try #require(try asked(route.first.user))
        #expect(answer.messagesWritten == 500 && answer.repeated == writer.repeated)
    }

    @Test("a lossy flow tells what it awaited in vain; bytes that were not read are unread")
    func lossy() throws {
        var quality = Self.reliable
        quality.loss = 1
        var faults = Route.Faults()
        faults.loss = 200
        let route = try Route(broker, quality, faults: faults)
        defer { route.close() }
        for index in 0..<300 { try route.first.write([UInt8](repeating: UInt8(index % 256), count: 10)) }
        var reader = try FlowInspection.statistics(route.second.user)
        while reader.missing == 0 || reader.packetsReceived + reader.missing < 250 {
            usleep(1_000)
            reader = try FlowInspection.statistics(route.second.user)
        }
        #expect(reader.unreadMessages > 0 && reader.unreadBytes == 10 * reader.unreadMessages)
        #expect(reader.messagesRead == 0 && reader.bytesRead == 0)
    }

    @Test("an end says why it has ended: let go, aborted, and not delivered")
    func endings() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        try route.first.write([1])
        try route.first.close(route.first.user)
        #expect(try route.second.read() == [1])
        #expect(throws: Failure.flowDown) { try route.second.read() }
        #expect(try FlowInspection.statistics(route.second.user).ending == .closed)
        // An end that does not linger, with something that cannot arrive.
        let other = try Route(broker, Self.reliable)
        defer { other.close() }
        other.change { $0.isCut = true }
        try other.first.write([1])
        try FlowControl.setRetransmissionFlags(other.first.user, 0)
        let entry = try FlowTable.entry(other.first.user)
        let (flow, side) = (entry.pointee.flow, entry.pointee.side)
        try other.first.close(other.first.user)
        // The program has let go; irmd can still ask.
        let lingering = try #require(broker.describe(flow, side))
        #expect(lingering.ending == .undelivered && lingering.unacknowledgedPackets == 1)
        other.change { $0.isCut = false }
        #expect(throws: Failure.flowDown) { while true { _ = try other.second.read() } }
        #expect(try FlowInspection.statistics(other.second.user).ending == .aborted)
    }

    @Test("irmd asks for a flow that is not there, and is told so")
    func unknown() throws {
        let (client, server) = try broker.flow()
        defer {
            try? FlowControl.deallocate(client)
            try? FlowControl.deallocate(server)
        }
        #expect(broker.describe(FlowID(99_999_999), .first) == nil)
        #expect(throws: Failure.badDescriptor) { try FlowInspection.statistics(-1) }
        #expect(throws: Failure.badDescriptor) { try FlowInspection.statistics(65_536) }
        #expect(throws: Failure.notAllocated) { try FlowInspection.statistics(60_000) }
    }
}
