// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowMemory
import Foundation
import Synchronization
import Testing
import Vocabulary

@testable import FlowRuntime

private func write(_ descriptor: Int32, _ bytes: [UInt8]) throws(Failure) -> Int {
    try FlowTransmit.write(descriptor, bytes, count: bytes.count)
}

private func read(_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    let read = try FlowReceive.read(descriptor, into: &buffer, count: count)
    return Array(buffer.prefix(read))
}

/// One after the other: a descriptor that one test has given back is the next one's.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FlowTests {
    let broker = TestBroker.shared

    @Test(arguments: [true, false]) func aStreamArrivesWholeAndInOrder(expedited: Bool) throws {
        let (client, server) = try broker.flow(expedited: expedited)
        let count = 200_000
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for number in 0..<count {
                let length = 8 + number % 300
                var packet = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length)
                packet.withUnsafeMutableBytes { $0.storeBytes(of: number, as: Int.self) }
                precondition((try? write(client, packet)) == length)
                if number % 10_007 == 0 { usleep(500) }
            }
            done.signal()
        }
        for number in 0..<count {
            let packet = try read(server, 2_000)
            let (length, first) = (packet.count, packet.withUnsafeBytes { $0.load(as: Int.self) })
            if length != 8 + number % 300 || first != number
                || packet.last != (length > 8 ? UInt8(truncatingIfNeeded: number) : packet.last)
            {
                Issue.record("packet \(number): \(length) bytes, number \(first)")
                break
            }
            if number % 20_011 == 0 { usleep(500) }
        }
        done.wait()
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test func theStateOfAnEndFitsItsPlaces() {
        #expect(MemoryLayout<pthread_mutex_t>.size <= 64)
        #expect(MemoryLayout<FlowEnd.Receiving>.size <= 128)
        #expect(MemoryLayout<FlowEnd.Sending>.size <= 128)
        #expect(MemoryLayout<FlowSettings>.size <= 128)
    }

    @Test func aSetMayBeWatchedByAnotherThreadThanReads() throws {
        let (client, server) = try broker.flow()
        let set = try #require(FlowSets.create())
        let queue = EventQueue()
        try FlowSets.add(server, to: set)
        let count = 5_000
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for _ in 0..<count { _ = try? read(server, 10) }
            done.signal()
        }
        Thread.detachNewThread {
            for _ in 0..<count { _ = try? write(client, [1]) }
        }
        // The reader is ahead of the events or behind them: there are never more than messages, and none are left.
        var seen = 0
        while done.wait(timeout: .now()) == .timedOut {
            try? FlowSets.wait(set, queue, timeout: TimeSpan(milliseconds: 1))
            while queue.take() != nil { seen += 1 }
        }
        #expect(seen <= count)
        #expect(throws: Failure.timedOut) { try FlowSets.wait(set, queue, timeout: TimeSpan(milliseconds: 0)) }
        FlowSets.destroy(set)
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test(arguments: [1_000_000, 5_000_000, Limits.messageBytes])
    func anIdleFlowGivesItsMemoryBack(_ bytes: Int) throws {
        let (client, server) = try broker.flow()
        let entry = try FlowTable.entry(client)
        let message = [UInt8](repeating: 1, count: bytes)
        func residentBytes() -> Int {
            let ring = entry.pointee.departing
            var pages = [UInt8](repeating: 0, count: Int(ring.mapped) / 4_096)
            mincore(ring.bytes, Int(ring.mapped), &pages)
            return pages.count { $0 & 1 != 0 } * 4_096
        }
        for _ in 0..<2 {
            _ = try write(client, message)
            #expect(residentBytes() >= message.count)
            #expect(try read(server, message.count + 1) == message)
            while residentBytes() > 16_384 { usleep(10_000) }
        }
        _ = try write(client, [7])
        #expect(try read(server, 10) == [7])
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test("the list of flows counts the bytes of messages, not the positions in the ring")
    func traffic() throws {
        let (client, server) = try broker.flow()
        let entry = try FlowTable.entry(client)
        func traffic() -> LinkMemory.Traffic {
            entry.pointee.link._withUnsafeGuaranteedRef { link in
                link.memory.traffic(from: entry.pointee.side, in: entry.pointee.number)
            }
        }
        let message = [UInt8](repeating: 1, count: 100)
        for _ in 0..<2_000 {
            _ = try write(client, message)
            #expect(try read(server, 200) == message)
        }
        _ = try write(client, [UInt8](repeating: 1, count: 5_000_000))
        _ = try FlowReceive.readMessage(server, timeout: nil)
        for unread in 1...40_000 where traffic().unreadBytes < 900_000 {
            _ = try write(client, message)
            if unread % 2 == 0 { _ = try FlowReceive.readMessage(server, timeout: nil) }
        }
        let told = traffic()
        let large = UInt64(Ring.need(5_000_000))
        #expect(told.bytes == (told.packets - 1) * 128 + large)
        #expect(told.unreadBytes == told.unreadPackets * 128)
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test func anAcceptorThatIsOfferedAFlowOfADeadPeerGoesOnWaiting() throws {
        let (client, server) = try broker.flow(afterGhost: true)
        #expect(broker.refusals == [.flowDown])
        _ = try write(client, [1, 2])
        #expect(try read(server, 4) == [1, 2])
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test func piecesOfAMessageAreReadOneAfterTheOther() throws {
        let (client, server) = try broker.flow()
        _ = try write(client, Array(0..<10))
        _ = try write(client, [42])
        #expect(try read(server, 4) == [0, 1, 2, 3])
        #expect(try read(server, 4) == [4, 5, 6, 7])
        #expect(try read(server, 4) == [8, 9])
        #expect(try read(server, 1) == [42])
        #expect(try read(server, 1) == [])
        try FlowControl.deallocate(client)
        #expect(throws: Failure.flowDown) { try read(server, 1) }
        try FlowControl.deallocate(server)
        #expect(throws: Failure.notAllocated) { try read(server, 1) }
    }

    @Test func aSleepingReaderWakesWhenItsPeerLeaves() throws {
        let (client, server) = try broker.flow()
        Thread.detachNewThread {
            usleep(20_000)
            try? FlowControl.deallocate(client)
        }
        #expect(throws: Failure.flowDown) { try read(server, 1) }
        #expect(throws: Failure.flowDown) { try write(server, [1]) }
        try FlowControl.deallocate(server)
    }

    @Test func aSleepingReaderWakesWhenItsOwnFlowIsClosed() throws {
        let (client, server) = try broker.flow()
        Thread.detachNewThread {
            usleep(20_000)
            try? FlowControl.deallocate(server)
        }
        #expect(throws: Failure.flowDown) { try read(server, 1) }
        #expect(throws: Failure.notAllocated) { try read(server, 1) }
        try FlowControl.deallocate(client)
    }

    @Test func aFullFlowHoldsItsWriterBack() throws {
        let (client, server) = try broker.flow()
        let message = [UInt8](repeating: 1, count: 100_000)
        try FlowControl.setFlags(client, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        var written = 0
        while (try? write(client, message)) != nil { written += 1 }
        #expect(written == 10)
        #expect(throws: Failure.wouldBlock) { try write(client, message) }
        try FlowControl.setFlags(client, FlowFlags.readWrite)
        try FlowControl.setTimeout(client, .send, TimeSpan(milliseconds: 30))
        let start = Date()
        #expect(throws: Failure.timedOut) { try write(client, message) }
        #expect(Date().timeIntervalSince(start) >= 0.03)
        try FlowControl.setTimeout(client, .send, nil)
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for _ in 0..<50 { precondition((try? write(client, message)) == 100_000) }
            done.signal()
        }
        for _ in 0..<60 { #expect(try read(server, 200_000).count == 100_000) }
        done.wait()
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    @Test(arguments: [true, false]) func aSetSeesEveryPacketOnce(expedited: Bool) throws {
        let set = try #require(FlowSets.create())
        let queue = EventQueue()
        var flows: [(client: Int32, server: Int32)] = []
        for _ in 0..<100 {
            let flow = try broker.flow(expedited: expedited)
            flows.append(flow)
            try FlowSets.add(flow.server, to: set)
        }
        let clients = flows.map(\.client)
        let each = 500
        Thread.detachNewThread {
            var generator = SystemRandomNumberGenerator()
            var left = clients.map { ($0, each) }
            while !left.isEmpty {
                let index = Int.random(in: 0..<left.count, using: &generator)
                precondition((try? write(left[index].0, [1, 2, 3])) == 3)
                left[index].1 -= 1
                if left[index].1 == 0 { left.remove(at: index) }
                if Int.random(in: 0..<2_000, using: &generator) == 0 { usleep(300) }
            }
        }
        var seen: [Int32: Int] = [:]
        var total = 0
        while total < each * flows.count {
            try FlowSets.wait(set, queue, timeout: TimeSpan(seconds: 60))
            while let descriptor = queue.take() {
                #expect(queue.current == .packet)
                #expect(try read(descriptor, 10) == [1, 2, 3])
                seen[descriptor, default: 0] += 1
                total += 1
            }
        }
        #expect(seen.values.allSatisfy { $0 == each } && seen.count == flows.count)
        for flow in flows { try FlowControl.deallocate(flow.client) }
        var gone: Set<Int32> = []
        while gone.count < flows.count {
            try FlowSets.wait(set, queue, timeout: TimeSpan(seconds: 60))
            while let descriptor = queue.take() {
                #expect(queue.current == .deallocated)
                gone.insert(descriptor)
            }
        }
        for flow in flows { try FlowControl.deallocate(flow.server) }
        FlowSets.destroy(set)
    }

    @Test func manyThreadsShareAFlow() throws {
        let (client, server) = try broker.flow()
        let each = 5_000
        let done = DispatchSemaphore(value: 0)
        for thread in 0..<4 {
            Thread.detachNewThread {
                for number in 0..<each {
                    precondition((try? write(client, [UInt8(thread), UInt8(number & 255)])) == 2)
                }
                done.signal()
            }
        }
        let total = Mutex(0)
        for _ in 0..<3 {
            Thread.detachNewThread {
                var count = 0
                while let packet = try? read(server, 10), packet.count == 2 { count += 1 }
                total.withLock { $0 += count }
                done.signal()
            }
        }
        for _ in 0..<4 { done.wait() }
        try FlowControl.deallocate(client)
        for _ in 0..<3 { done.wait() }
        #expect(total.withLock { $0 } == 4 * each)
        try FlowControl.deallocate(server)
    }

    @Test func aPeerThatMarksTheFlowDownMakesEventsOnTransitionsOnly() throws {
        let (client, server) = try broker.flow()
        let set = try #require(FlowSets.create())
        let queue = EventQueue()
        try FlowSets.add(server, to: set)
        #expect(throws: Failure.notPermitted) { try FlowSets.add(server, to: set) }
        for (flags, event) in [
            (FlowFlags.readWrite, nil), (FlowFlags.readWrite | FlowFlags.down, FlowEvent.down),
            (FlowFlags.readWrite | FlowFlags.down, nil), (FlowFlags.readWrite, .up), (FlowFlags.readWrite, nil),
        ] {
            try FlowControl.setFlags(client, flags)
            #expect(try FlowControl.flags(client) == flags)
            let happened: Void? = try? FlowSets.wait(set, queue, timeout: TimeSpan(nanoseconds: 0))
            #expect((happened != nil) == (event != nil))
            if event != nil {
                #expect(queue.take() == server)
                #expect(queue.current == event)
            }
        }
        FlowSets.destroy(set)
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }
}
