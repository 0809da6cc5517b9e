// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import Foundation
import Testing
import Vocabulary

@testable import FlowRuntime

/// Both ends of a reliable flow between hosts, with a route between them that loses and doubles packets.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LayerEndTests {
    let broker = TestBroker.shared

    private static let reliable = {
        var quality = Vocabulary.QualityOfService.data
        quality.bitErrorRate = 1
        return quality
    }()

    private static func message(_ count: Int, _ seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
    }

    @Test("the state of an end does not reach into its tables")
    func stateFits() { #expect(MemoryLayout<LayerState>.size <= LayerMemory.sentTableOffset) }

    /// Writes from another thread.
    private static func write(_ descriptor: Int32, _ messages: [[UInt8]]) {
        Thread.detachNewThread {
            for message in messages { _ = try? FlowTransmit.write(descriptor, message, count: message.count) }
        }
    }

    @Test func messagesArriveInOrderBothWays() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        for index in 0..<200 {
            let message = Self.message(1 + index * 13 % 1_500, index)
            try route.first.write(message)
            #expect(try route.second.read() == message)
            try route.second.write(message)
            #expect(try route.first.read() == message)
        }
    }

    @Test func longMessagesAreCutAndPutTogether() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        for count in [1_437, 9_000, 100_000, 1 << 20, 5 << 20, 1 << 24] {
            let message = Self.message(count, count)
            Self.write(route.first.user, [message])
            #expect(try FlowReceive.readMessage(route.second.user, timeout: TimeSpan(seconds: 60)) == message)
        }
        #expect(throws: Failure.messageTooLong) { try route.first.write([UInt8](repeating: 0, count: 1 << 24 + 1)) }
    }

    @Test func nothingIsLostOrDoubledOnABadRoute() throws {
        var faults = Route.Faults()
        faults.loss = 50
        faults.duplication = 50
        let route = try Route(broker, Self.reliable, faults: faults)
        defer { route.close() }
        let messages = (0..<2_000).map { Self.message(1 + $0 * 31 % 3_000, $0) }
        Self.write(route.first.user, messages)
        Self.write(route.second.user, messages)
        for message in messages {
            #expect(try FlowReceive.readMessage(route.second.user, timeout: TimeSpan(seconds: 60)) == message)
            #expect(try FlowReceive.readMessage(route.first.user, timeout: TimeSpan(seconds: 60)) == message)
        }
    }

    @Test func checksumsComeAndGo() throws {
        var quality = Vocabulary.QualityOfService.data
        quality.bitErrorRate = 0
        let route = try Route(broker, quality)
        defer { route.close() }
        let message = Self.message(5_000, 1)
        try route.first.write(message)
        #expect(try FlowReceive.readMessage(route.second.user, timeout: nil) == message)
    }

    @Test func theEndComesBehindAllMessages() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let messages = (0..<50).map { Self.message(2_000, $0) }
        for message in messages { try route.first.write(message) }
        try route.first.close(route.first.user)
        for message in messages { #expect(try FlowReceive.readMessage(route.second.user, timeout: nil) == message) }
        #expect(throws: Failure.flowDown) { try route.second.read() }
        #expect(throws: Failure.flowDown) { try route.second.write([1]) }
    }

    @Test func aReaderThatWaitsHearsOfTheEnd() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        Thread.detachNewThread { [route] in
            usleep(20_000)
            try? route.first.close(route.first.user)
        }
        #expect(throws: Failure.flowDown) { try route.second.read() }
    }

    @Test func piecesOfAMessage() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let message = Self.message(4_000, 3)
        try route.first.write(message)
        try route.first.write([9])
        for start in stride(from: 0, to: 4_000, by: 1_000) {
            #expect(try FlowReceive.read(route.second.user, 1_000) == Array(message[start..<start + 1_000]))
        }
        // The last piece filled its buffer, so the end is said.
        #expect(try FlowReceive.read(route.second.user, 1_000) == [])
        #expect(try FlowReceive.read(route.second.user, 1_000) == [9])
        try FlowControl.setFlags(route.second.user, FlowFlags.readWrite | FlowFlags.readWhole)
        try route.first.write(message)
        try route.first.write([8])
        #expect(throws: Failure.messageTooLong) { try FlowReceive.read(route.second.user, 1_000) }
        #expect(try FlowReceive.read(route.second.user, 1_000) == [8])
    }

    @Test func messagesInPlace() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let message = Self.message(10_000, 4)
        for _ in 0..<3 {
            try FlowTransmit.reserve(route.first.user, count: 20_000).copyBytes(from: message)
            #expect(throws: Failure.busy) { try FlowTransmit.reserve(route.first.user, count: 1) }
            #expect(throws: Failure.busy) { try route.first.write([1]) }
            #expect(try FlowTransmit.commit(route.first.user, count: message.count) == message.count)
            #expect(try FlowReceive.peek(route.second.user).elementsEqual(message))
            #expect(throws: Failure.busy) { try route.second.read() }
            try FlowReceive.release(route.second.user)
        }
    }

    @Test func aSetSeesEachMessageOnce() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        try FlowSets.add(route.second.user, to: set)
        let queue = EventQueue()
        let messages = (0..<500).map { Self.message(1 + $0 * 17 % 2_500, $0) }
        Self.write(route.first.user, messages)
        var read = 0
        while read < messages.count {
            try FlowSets.wait(set, queue, timeout: TimeSpan(seconds: 60))
            while queue.take() != nil {
                guard queue.current == .packet else { continue }
                let message = try FlowReceive.readMessage(route.second.user, timeout: nil)
                #expect(message == messages[read])
                read += 1
            }
        }
        try route.first.close(route.first.user)
        try FlowSets.wait(set, queue, timeout: TimeSpan(seconds: 60))
        #expect(queue.takeAll()?.event == .deallocated)
    }

    @Test func aReaderThatDoesNotReadHoldsItsWriterBack() throws {
        let route = try Route(broker, Self.reliable, firstRoom: 65_536)
        defer { route.close() }
        try FlowControl.setFlags(route.first.user, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let message = Self.message(10_000, 5)
        let count = (0..<10_000).prefix { _ in (try? route.first.write(message)) != nil }.count
        // The store of the sender and the room of the receiver are full.
        #expect((100..<1_000).contains(count))
        for _ in 0..<count { #expect(try FlowReceive.readMessage(route.second.user, timeout: nil) == message) }
        try FlowControl.setFlags(route.first.user, FlowFlags.readWrite)
        try route.first.write(message)
        #expect(try FlowReceive.readMessage(route.second.user, timeout: nil) == message)
    }

    @Test("without FRCTFRESCNTL a lossy flow drops what it cannot send, and its writer does not wait")
    func nobodyControlsTheWriter() throws {
        var quality = Self.reliable
        quality.loss = 1
        for flags in [RetransmissionFlags.flowControl, 0] {
            let route = try Route(broker, quality, firstRoom: 65_536)
            defer { route.close() }
            try FlowControl.setFlags(route.first.user, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
            try FlowControl.setRetransmissionFlags(route.first.user, flags)
            let count = (0..<3_000).prefix { index in
                (try? route.first.write(Self.message(10_000, index))) != nil
            }.count
            #expect(flags == 0 ? count == 3_000 : count < 1_000)
            #expect(throws: Failure.messageTooLong) {
                try route.first.write([UInt8](repeating: 0, count: FlowControl.longestMessage(route.first.user) + 1))
            }
            // What was sent at once is there.
            #expect(try FlowReceive.readMessage(route.second.user, timeout: nil) == Self.message(10_000, 0))
        }
    }

    @Test func timeoutsOfReadingAndNonBlocking() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        try FlowControl.setTimeout(route.second.user, .receive, TimeSpan(milliseconds: 20))
        #expect(throws: Failure.timedOut) { try route.second.read() }
        try FlowControl.setFlags(route.second.user, FlowFlags.readWrite | FlowFlags.readNonBlocking)
        #expect(throws: Failure.wouldBlock) { try route.second.read() }
    }

    @Test func aSilentPeerIsToldAfterTheTimeout() throws {
        var quality = Vocabulary.QualityOfService.data
        quality.timeoutMilliseconds = 300
        let route = try Route(broker, quality)
        defer { route.close() }
        try route.first.write([1])
        #expect(try route.second.read() == [1])
        route.change { $0.isCut = true }
        #expect(throws: Failure.flowPeer) { try route.second.read() }
    }

    /// The memory of an idle flow goes back, and the flow goes on as before.
    @Test func anIdleFlowGivesItsMemoryBack() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let layer = try #require(FlowTable.entry(route.second.user).pointee.layer)
        for round in 0..<2 {
            let message = Self.message(3 << 20, round)
            Self.write(route.first.user, [message])
            #expect(try FlowReceive.readMessage(route.second.user, timeout: TimeSpan(seconds: 60)) == message)
            let deadline = Date(timeIntervalSinceNow: 60)
            while layer.residentBytes > 65_536, Date() < deadline { usleep(20_000) }
            #expect(layer.residentBytes <= 65_536)
        }
    }

    @Test func anIdleFlowWakesUp() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        for index in 0..<5 {
            // Longer than the service thread goes on looking.
            usleep(30_000)
            try route.first.write(Self.message(100, index))
            // Nobody reads, and it is acknowledged all the same.
            let deadline = Date(timeIntervalSinceNow: 30)
            while try FlowControl.sendQueueLength(route.first.user) > 0, Date() < deadline { usleep(1_000) }
            #expect(try FlowControl.sendQueueLength(route.first.user) == 0)
            #expect(try route.second.read() == Self.message(100, index))
        }
    }
}

extension LayerMemory {
    /// Bytes of the stores and tables that have memory behind them.
    fileprivate var residentBytes: Int {
        let start = UnsafeMutableRawPointer(state) + LayerMemory.sentTableOffset
        let pages = (120 << 20) / 4_096
        var map = [UInt8](repeating: 0, count: pages)
        return mincore(start, pages * 4_096, &map) == 0 ? map.count { $0 & 1 != 0 } * 4_096 : .max
    }
}
