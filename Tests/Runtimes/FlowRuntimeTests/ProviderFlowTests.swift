// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowMemory
import Foundation
import LocalProtocol
import Platform
import Synchronization
import Testing
import Vocabulary

@testable import FlowRuntime

/// Flows between a program and an IPCP that carries their packets elsewhere: both ends are here. They have a link of their
/// own: sets of other tests would take rings out of a shared link, and hand them over a moment later.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ProviderFlowTests {
    let broker = TestBroker.shared

    @Test func packetsAreHandedOutInOrderAndOnlyOnce() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        for number in 0..<5 { try flow.write([UInt8(number)]) }
        #expect(try flow.drain(2) == [[0], [1]])
        #expect(try ProviderFlow.waiting(flow.provider) == 3)
        #expect(try flow.drain(10) == [[2], [3], [4]])
        #expect(try flow.drain(10) == [])
        // Handed out, but not free yet.
        #expect(try FlowControl.sendQueueLength(flow.user) == 5)
        try ProviderFlow.consume(flow.provider, 3)
        #expect(try FlowControl.sendQueueLength(flow.user) == 2)
        try flow.write([5])
        #expect(try flow.drain(10) == [[5]])
        try ProviderFlow.consume(flow.provider, 3)
        #expect(try FlowControl.sendQueueLength(flow.user) == 0)
    }

    @Test func emptyPacketsAreHandedOutToo() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        for message in [[], [1], [], []] as [[UInt8]] { try flow.write(message) }
        #expect(try flow.drain(10) == [[], [1], [], []])
        try ProviderFlow.consume(flow.provider, 4)
        #expect(try flow.drain(10) == [])
    }

    @Test func whatManyWritersWriteComesThroughWhole() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        let count = 100_000
        let user = flow.user
        Thread.detachNewThread {
            for number in 0..<count {
                let message = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 1_500)
                writeAll(user, message)
            }
        }
        var next = 0
        let places = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: 64)
        defer { places.deallocate() }
        while next < count {
            let drained = try ProviderFlow.drain(flow.provider, into: places)
            for packet in places.prefix(drained) {
                let value = UInt8(truncatingIfNeeded: next)
                guard packet.count == next % 1_500, packet.first ?? value == value, packet.last ?? value == value else {
                    Issue.record("packet \(next): \(packet.count) bytes")
                    return
                }
                next += 1
            }
            // In two parts, and the second later: the network does not take all at once.
            try ProviderFlow.consume(flow.provider, drained / 2)
            try ProviderFlow.consume(flow.provider, drained - drained / 2)
            if drained == 0 { sched_yield() }
        }
    }

    @Test func aNetworkThatTakesNothingHoldsTheWriterBack() throws {
        let flow = try Pair(broker, queueBytes: 8_192, messageBytes: 1_400)
        defer { flow.close() }
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let message = [UInt8](repeating: 7, count: 1_000)
        var written = 0
        while (try? flow.write(message)) != nil { written += 1 }
        #expect(written == 8)
        #expect(try flow.drain(100).count == written)
        #expect(throws: Failure.wouldBlock) { try flow.write(message) }
        let isWritten = try flow.beginWriting(message)
        try ProviderFlow.consume(flow.provider, written)
        isWritten.wait()
        #expect(try flow.drain(100) == [message])
    }

    @Test func whoWantsLittleIsGivenLittle() throws {
        let flow = try Pair(broker, messageBytes: 1_400)
        defer { flow.close() }
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let message = [UInt8](repeating: 7, count: 1_000)
        try flow.write(message)
        #expect(try flow.drain(1).count == 1)
        try ProviderFlow.consume(flow.provider, 1, appetite: 8_192)
        var written = 0
        while (try? flow.write(message)) != nil { written += 1 }
        #expect(written <= 12)

        // The writer goes on when half of that is free.
        let isWritten = try flow.beginWriting(message)
        let entry = try FlowTable.entry(flow.user)
        #expect(try flow.drain(100).count == written)
        var left = written
        while cl_load32_acquire(entry.writerWait) != 0 {
            try ProviderFlow.consume(flow.provider, 1, appetite: 8_192)
            left -= 1
        }
        #expect(left == 4)
        isWritten.wait()
        #expect(try flow.drain(100) == [message])
    }

    @Test func aSetTellsOfPacketsAndOfTheEnd() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        let queue = EventQueue()
        try FlowSets.add(flow.provider, to: set)
        let descriptor = try FlowSets.pollDescriptor(set)
        func events() -> [FlowEvent: Int] {
            var events: [FlowEvent: Int] = [:]
            while (try? FlowSets.wait(set, queue, timeout: TimeSpan(nanoseconds: 0))) != nil {
                while let (_, event, count) = queue.takeAll() { events[event, default: 0] += count }
            }
            return events
        }
        func isReadable(within milliseconds: Int32 = 0) -> Bool {
            var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&one, 1, milliseconds) == 1
        }
        #expect(events() == [:])
        #expect(!isReadable())
        try flow.write([])
        #expect(isReadable())
        #expect(events() == [.packet: 1])
        try flow.write([1])
        try flow.write([2])
        #expect(isReadable())
        #expect(events() == [.packet: 2])
        // It leaves them, and needs no event to come back.
        #expect(events() == [:])
        #expect(!isReadable())
        #expect(try flow.drain(2) == [[], [1]])
        #expect(try ProviderFlow.isFinished(flow.provider) == false)
        // A thread of this process hears of it.
        try flow.close(flow.user)
        #expect(isReadable(within: 10_000))
        #expect(events() == [.deallocated: 1])
        #expect(try ProviderFlow.isFinished(flow.provider) == false)
        #expect(try flow.drain(10) == [[2]])
        #expect(try ProviderFlow.isFinished(flow.provider))
        try ProviderFlow.consume(flow.provider, 3)
    }

    /// A set that nobody polls any more, or a flow that has ended, may have left them.
    @Test(arguments: [FlowSet.Poller.whoeverIsTold, .whoeverGoesOn])
    func ringsThatNobodyHeardMakeADescriptorReadableOnce(poller: FlowSet.Poller) throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        try FlowSets.add(flow.provider, to: set)
        let link = try FlowTable.entry(flow.user).pointee.link.takeUnretainedValue()
        link.socket.ring()
        let descriptor = try FlowSets.pollDescriptor(set, for: poller)
        var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        for _ in 0..<2 {
            // None is left for the next test, which has the same link.
            for _ in 0..<3 { link.socket.ring() }
            #expect(poll(&one, 1, 0) == 1)
            #expect(throws: Failure.timedOut) {
                try FlowSets.wait(set, EventQueue(), timeout: TimeSpan(nanoseconds: 0))
            }
            #expect(poll(&one, 1, 0) == 0)
        }
    }

    /// A loop that goes on looking by itself is told only when it has nothing left to look at.
    @Test func aSetTellsWhoGoesOnOnlyOfWhatIsNew() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        let queue = EventQueue()
        let descriptor = try FlowSets.pollDescriptor(set, for: .whoeverGoesOn)
        /// Nil: nothing was found.
        func look() -> Int? {
            guard (try? FlowSets.wait(set, queue, timeout: TimeSpan(nanoseconds: 0))) != nil else { return nil }
            var count = 0
            while let (_, _, packets) = queue.takeAll() { count += packets }
            return count
        }
        var isReadable: Bool {
            var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&one, 1, 0) == 1
        }
        #expect(isReadable)
        #expect(look() == nil)
        #expect(!isReadable)
        // What is written before it is added, and what comes before it looks.
        try flow.write([1])
        try FlowSets.add(flow.provider, to: set)
        #expect(!isReadable)
        try flow.write([2])
        #expect(look() == 2)
        #expect(!isReadable)
        try flow.write([3])
        #expect(look() == 1)
        #expect(look() == nil)
        #expect(!isReadable)
        for number in 4...6 as ClosedRange<UInt8> {
            try flow.write([number])
            #expect(isReadable)
            #expect(look() == 1)
            #expect(look() == nil)
            #expect(!isReadable)
        }
        #expect(try flow.drain(10) == [[1], [2], [3], [4], [5], [6]])
        try ProviderFlow.consume(flow.provider, 6)
    }

    @Test func whatIsDeliveredIsReadInOrder() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        for message in [[1], [], [2, 2], [], [3]] as [[UInt8]] { #expect(flow.deliver(message) == .delivered) }
        ProviderFlow.wake(flow.provider)
        #expect(try flow.read() == [1])
        #expect(try flow.read() == [2, 2])
        #expect(try flow.read() == [3])
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.readNonBlocking)
        #expect(throws: Failure.wouldBlock) { try flow.read() }
    }

    @Test func aSleepingReaderIsWokenOnceForABatch() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        let user = flow.user
        let isRead = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for number: UInt8 in 0..<10 {
                let message = try? FlowReceive.readMessage(user, timeout: nil)
                precondition(message == [number])
            }
            isRead.signal()
        }
        let entry = try FlowTable.entry(user)
        while cl_load32_acquire(entry.readerWait) == 0 { usleep(100) }
        for number: UInt8 in 0..<10 { #expect(flow.deliver([number]) == .delivered) }
        ProviderFlow.wake(flow.provider)
        isRead.wait()
    }

    @Test func aUserThatDoesNotReadLosesPackets() throws {
        let flow = try Pair(broker, queueBytes: 4_096, messageBytes: 1_400)
        defer { flow.close() }
        let message = [UInt8](repeating: 1, count: 1_000)
        for _ in 0..<4 { #expect(flow.deliver(message) == .delivered) }
        #expect(flow.deliver(message) == .full)
        #expect(flow.deliver([UInt8](repeating: 1, count: 1_401)) == .tooLong)
        for _ in 0..<4 { #expect(try flow.read() == message) }
        #expect(flow.deliver(message) == .delivered)
        try flow.close(flow.user)
        #expect(flow.deliver(message) == .gone)
    }

    @Test func impossiblePositionsEndTheFlow() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        try flow.write([1])
        let entry = try FlowTable.entry(flow.provider)
        cl_store64_release(entry.pointee.arriving.tail, 1 << 40)
        #expect(throws: Failure.flowDown) { try flow.drain(1) }
        #expect(throws: Failure.flowDown) { try ProviderFlow.consume(flow.provider, 1) }
        #expect(try ProviderFlow.isFinished(flow.provider))
        #expect(flow.deliver([1]) == .gone)
    }

    @Test func aHeadThatRunsAheadEndsTheFlow() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        #expect(flow.deliver([1]) == .delivered)
        let entry = try FlowTable.entry(flow.provider)
        cl_store64_release(entry.pointee.departing.head, 1 << 40)
        var delivery = ProviderFlow.Delivery.delivered
        for _ in 0..<5_000 where delivery == .delivered {
            delivery = flow.deliver([UInt8](repeating: 1, count: 1_000))
        }
        #expect(delivery == .gone)
        #expect(try ProviderFlow.isFinished(flow.provider))
    }

    @Test(arguments: [0, 65, 1 << 50] as [UInt64]) func aLengthThatChangesUnderwayEndsTheFlow(_ length: UInt64) throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        for number in 0..<3 { try flow.write([UInt8](repeating: UInt8(number), count: 100)) }
        #expect(try flow.drain(2).count == 2)
        let entry = try FlowTable.entry(flow.provider)
        for position in [0, 128] {
            cl_store64_relaxed(
                (entry.pointee.arriving.bytes + position).assumingMemoryBound(to: UInt64.self), length + 200)
        }
        #expect(throws: Failure.flowDown) { try ProviderFlow.consume(flow.provider, 2) }
        #expect(throws: Failure.flowDown) { try flow.drain(1) }
    }

    @Test("what is discarded leaves no trace: its place may have another flow by now")
    func discarding() throws {
        let flow = try Pair(broker, link: 2)
        defer { flow.close() }
        flow.discardProvider()
        try flow.write([1])
        #expect(throws: Failure.notAllocated) { try flow.drain(1) }
    }

    @Test func onlyOffersToProvidersAreTaken() throws {
        #expect(throws: Failure.badDescriptor) {
            try ProviderFlow.drain(-1, into: UnsafeMutableBufferPointer(start: nil, count: 0))
        }
        try ProviderFlow.attach()
        #expect(FlowProcess.shared.session.currentIncarnation == 1)
        for role in [FlowRole.direct, .user, .provider] {
            var sockets: [Int32] = [0, 0]
            var linkSockets: [Int32] = [0, 0]
            #expect(cl_socketpair_seqpacket(&sockets) == 0 && cl_socketpair_seqpacket(&linkSockets) == 0)
            defer { for socket in sockets + linkSockets { cl_close(socket) } }
            let segment = try SegmentMemory.create()
            let link = try LinkMemory.create()
            let offer = FlowOffer(
                flow: FlowID(2_000_000), end: .second, quality: .raw, peer: ProcessID(getpid()), link: LinkID(77),
                slot: LinkSlot(0), linkEnd: .second, linkIsIncluded: true, isExpedited: false, role: role)
            try MessageSocket.send(
                [1], descriptors: [segment.number, link.number, linkSockets[1]], on: sockets[0])
            guard var arrival = try MessageSocket.receive(on: sockets[1]) else { return }
            if role == .provider {
                let descriptor = try ProviderFlow.take(offer, &arrival)
                #expect(try ProviderFlow.waiting(descriptor) == 0)
                try FlowControl.deallocate(descriptor)
            } else {
                #expect(throws: Failure.inputOutput) { try ProviderFlow.take(offer, &arrival) }
            }
        }
    }
}

/// A flow with a user's end and a provider's. An end is closed once: its number may be that of another test's flow then.
final class Pair: Sendable {
    let user: Int32
    let provider: Int32
    private let open: Mutex<Set<Int32>>

    init(
        _ broker: TestBroker,
        _ quality: Vocabulary.QualityOfService = Vocabulary.QualityOfService(timeoutMilliseconds: 0),
        queueBytes: Int = Limits.queueBytes, messageBytes: Int = 65_000, terms: FlowTerms = .empty,
        link: UInt32 = 1
    ) throws {
        let shape = FlowShape(
            client: .user, server: .provider, queueBytes: queueBytes, messageBytes: messageBytes, terms: terms,
            link: link)
        (user, provider) = try broker.flow(quality, shape: shape)
        open = Mutex([user, provider])
    }

    /// False if the end was closed before.
    private func forget(_ end: Int32) -> Bool { open.withLock { $0.remove(end) != nil } }

    func close(_ end: Int32) throws(Failure) {
        if forget(end) { try FlowControl.deallocate(end) }
    }

    func discardProvider() {
        if forget(provider) { ProviderFlow.discard(provider) }
    }

    func close() {
        try? close(user)
        try? close(provider)
    }

    func write(_ message: [UInt8]) throws(Failure) {
        _ = try FlowTransmit.write(user, message, count: message.count)
    }

    /// Blocks a thread with a message for which there is no room; the semaphore says when it is written.
    func beginWriting(_ message: [UInt8]) throws -> DispatchSemaphore {
        try FlowControl.setFlags(user, FlowFlags.readWrite)
        let isWritten = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [user] in
            writeAll(user, message)
            isWritten.signal()
        }
        let entry = try FlowTable.entry(user)
        while cl_load32_acquire(entry.writerWait) == 0 { usleep(100) }
        return isWritten
    }

    func read() throws(Failure) -> [UInt8] { try FlowReceive.read(user, 70_000) }

    func deliver(_ message: [UInt8]) -> ProviderFlow.Delivery {
        message.withUnsafeBytes { ProviderFlow.deliver(provider, $0) }
    }

    /// Copies of what is handed out.
    func drain(_ limit: Int) throws -> [[UInt8]] {
        let places = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: limit)
        defer { places.deallocate() }
        return try places.prefix(ProviderFlow.drain(provider, into: places)).map { Array($0) }
    }
}

private func writeAll(_ descriptor: Int32, _ message: [UInt8]) {
    let written = try? FlowTransmit.write(descriptor, message, count: message.count)
    precondition(written == message.count)
}

extension FlowReceive {
    static func read(_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let read = try read(descriptor, into: &buffer, count: count)
        return Array(buffer.prefix(read))
    }
}
