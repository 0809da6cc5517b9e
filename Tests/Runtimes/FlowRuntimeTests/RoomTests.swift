// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowMemory
import Foundation
import Synchronization
import Testing
import Vocabulary

@testable import FlowRuntime

/// A set that tells of room, with its queue.
final class RoomSet: @unchecked Sendable {
    let set: FlowSet
    private let queue = EventQueue()

    init(_ descriptors: Int32..., wanting isWanted: Bool = true) throws {
        set = try #require(FlowSets.create())
        FlowSets.tellOfRoom(isWanted, set)
        for descriptor in descriptors { try FlowSets.add(descriptor, to: set) }
    }

    func destroy() { FlowSets.destroy(set) }

    /// The events that are there, each with its flow.
    func events() -> [FlowEvent: [Int32]] { events(timeout: TimeSpan(nanoseconds: 0)) }

    /// The events that come next; the test hangs if there are none.
    func next() -> [FlowEvent: [Int32]] { events(timeout: nil) }

    private func events(timeout: TimeSpan?) -> [FlowEvent: [Int32]] {
        var events: [FlowEvent: [Int32]] = [:]
        guard (try? FlowSets.wait(set, queue, timeout: timeout)) != nil else { return [:] }
        while let (descriptor, event, _) = queue.takeAll() { events[event, default: []].append(descriptor) }
        return events
    }
}

func write(_ descriptor: Int32, bytes count: Int) throws(Failure) {
    _ = try FlowTransmit.write(descriptor, [UInt8](repeating: 7, count: count), count: count)
}

/// Writes messages until one is refused; returns how many went. From then on the flow does not wait.
func fillUp(_ descriptor: Int32, bytes count: Int) throws -> Int {
    try FlowControl.setFlags(descriptor, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
    var written = 0
    while true {
        do throws(Failure) {
            try write(descriptor, bytes: count)
            written += 1
        } catch {
            #expect(error == .wouldBlock)
            return written
        }
    }
}

private func take(_ descriptor: Int32, _ count: Int) throws {
    for _ in 0..<count { _ = try FlowReceive.readMessage(descriptor, timeout: nil) }
}

/// Flows inside a host.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RoomTests {
    let broker = TestBroker.shared

    private func withFlow(
        expedited: Bool = true, _ body: (_ writer: Int32, _ reader: Int32) throws -> Void
    ) throws {
        let (writer, reader) = try broker.flow(expedited: expedited)
        try body(writer, reader)
        try? FlowControl.deallocate(writer)
        try? FlowControl.deallocate(reader)
    }

    @Test(arguments: [true, false]) func aRefusedMessageHasOneEventWhenItFits(expedited: Bool) throws {
        try withFlow(expedited: expedited) { writer, reader in
            let set = try RoomSet(writer)
            for _ in 0..<3 {
                let written = try fillUp(writer, bytes: 1_000)
                #expect(set.events() == [:], "nothing was read")
                try take(reader, 1)
                #expect(set.next() == [.room: [writer]])
                try take(reader, written - 1)
                #expect(set.events() == [:], "one event for one refusal")
                try write(writer, bytes: 1_000)
                try take(reader, 1)
                #expect(set.events() == [:], "no event without a refusal")
            }
            set.destroy()
        }
    }

    @Test func aSetThatDoesNotAskHasNoSuchEvent() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer, wanting: false)
            let written = try fillUp(writer, bytes: 1_000)
            try take(reader, written)
            #expect(set.events() == [:])
            FlowSets.tellOfRoom(true, set.set)
            #expect(set.next() == [.room: [writer]], "the refusal before counts")
            _ = try fillUp(writer, bytes: 1_000)
            FlowSets.tellOfRoom(false, set.set)
            try take(reader, written)
            #expect(set.events() == [:])
            set.destroy()
        }
    }

    @Test func theEventWaitsForAllBytesOfTheMessage() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
            for size in [900_000, 600_000, 2_000_000] {
                for _ in 0..<500 { try write(writer, bytes: 1_000) }
                #expect(throws: Failure.wouldBlock) { try write(writer, bytes: size) }
                var left = 500
                let entry = try FlowTable.entry(writer)
                let end = try #require(entry.pointee.end)
                while true {
                    _ = cl_lock(end.writeLock)
                    let fits = end.sending.pointee.producer.hasRoom(
                        size, in: entry.pointee.departing, queueBytes: entry.pointee.queueBytes)
                    cl_unlock(end.writeLock)
                    if fits { break }
                    #expect(set.events() == [:])
                    try take(reader, 1)
                    left -= 1
                }
                #expect(set.next() == [.room: [writer]])
                try write(writer, bytes: size)
                try take(reader, left + 1)
            }
            set.destroy()
        }
    }

    @Test func ofSeveralMessagesTheSmallestCounts() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            _ = try fillUp(writer, bytes: 1_000)
            #expect(throws: Failure.wouldBlock) { try write(writer, bytes: 1_000_000) }
            #expect(throws: Failure.wouldBlock) { try write(writer, bytes: 200) }
            #expect(throws: Failure.wouldBlock) { try write(writer, bytes: 500_000) }
            try take(reader, 1)
            #expect(set.next() == [.room: [writer]])
            try take(reader, 1)
            #expect(set.events() == [:])
            set.destroy()
        }
    }

    @Test func aWriteThatTimedOutAndAPlaceInAFullFlowCount() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            let written = try fillUp(writer, bytes: 1_000)
            try take(reader, written)
            #expect(set.next() == [.room: [writer]])
            #expect(try fillUp(writer, bytes: 1_000) == written)
            try take(reader, written)
            #expect(set.next() == [.room: [writer]])
            for _ in 0..<written { try write(writer, bytes: 1_000) }
            let none = TimeSpan(nanoseconds: 0)
            #expect(throws: Failure.timedOut) { try FlowTransmit.write(writer, [1], count: 1, timeout: none) }
            try take(reader, written)
            #expect(set.next() == [.room: [writer]])
            for _ in 0..<written { try write(writer, bytes: 1_000) }
            #expect(throws: Failure.wouldBlock) { try FlowTransmit.reserve(writer, count: 2_000) }
            try take(reader, written)
            #expect(set.next() == [.room: [writer]])
            set.destroy()
        }
    }

    @Test func theEndOfTheFlowComesInPlaceOfTheEvent() throws {
        for readsFirst in [true, false] {
            try withFlow { writer, reader in
                let set = try RoomSet(writer)
                let written = try fillUp(writer, bytes: 1_000)
                if readsFirst { try take(reader, written) }
                try FlowControl.deallocate(reader)
                #expect(set.next() == [.deallocated: [writer]])
                #expect(set.events() == [:])
                set.destroy()
            }
        }
    }

    @Test func aFlowThatIsTakenDownAndUpKeepsItsEvent() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            let written = try fillUp(writer, bytes: 1_000)
            #expect(set.events() == [:])
            try FlowControl.setFlags(reader, FlowFlags.readWrite | FlowFlags.down)
            #expect(set.next() == [.down: [writer]])
            try FlowControl.setFlags(reader, FlowFlags.readWrite)
            #expect(set.next() == [.up: [writer]])
            // The writer's own flags wake all threads that sleep, but its set still waits.
            try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking | FlowFlags.down)
            try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
            #expect(set.events() == [:])
            try take(reader, written)
            #expect(set.next() == [.room: [writer]])
            set.destroy()
        }
    }

    @Test func aFlowThatGoesToAnotherSetTakesItsRefusalAlong() throws {
        try withFlow { writer, reader in
            let first = try RoomSet(writer)
            let written = try fillUp(writer, bytes: 1_000)
            #expect(first.events() == [:])
            FlowSets.remove(writer, from: first.set)
            try take(reader, 1)
            #expect(first.events() == [:])
            let second = try RoomSet(writer)
            #expect(second.next() == [.room: [writer]])
            try take(reader, written - 1)
            #expect(second.events() == [:] && first.events() == [:])
            first.destroy()
            second.destroy()
        }
    }

    @Test func theDescriptorOfASetIsReadableForIt() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            let descriptor = try FlowSets.pollDescriptor(set.set)
            func isReadable(_ milliseconds: Int32) -> Bool {
                var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                return poll(&one, 1, milliseconds) == 1
            }
            // A look that was due may make it readable once more, and find nothing.
            func becomesUnreadable() {
                repeat { #expect(set.events() == [:]) } while isReadable(0)
            }
            for _ in 0..<20 {
                let written = try fillUp(writer, bytes: 1_000)
                becomesUnreadable()
                try take(reader, 1)
                var events: [FlowEvent: [Int32]] = [:]
                while events.isEmpty, isReadable(-1) { events = set.events() }
                #expect(events == [.room: [writer]])
                becomesUnreadable()
                try take(reader, written - 1)
            }
            set.destroy()
        }
    }

    @Test func aReaderThatDiedBeforeItToldIsMadeGood() throws {
        try withFlow { writer, reader in
            let set = try RoomSet(writer)
            _ = try fillUp(writer, bytes: 1_000)
            #expect(set.events() == [:])
            let hasEnded = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                guard let end = try? FlowTable.entry(reader).pointee.end else { return }
                _ = cl_lock(end.readLock)
                end.receiving.pointee.consumer.skip(1_000)
                hasEnded.signal()
            }
            hasEnded.wait()
            #expect(try FlowControl.receiveQueueLength(reader) > 0)
            #expect(set.next() == [.room: [writer]])
            set.destroy()
        }
    }
}

/// Writers that never wait in a write, and readers, as fast as they can: whoever misses an event hangs.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RoomStreamTests {
    let broker = TestBroker.shared

    @Test(arguments: [true, false], [50, 60_000]) func aStreamGoesOnWithEachEvent(expedited: Bool, bytes: Int) throws {
        let (writer, reader) = try broker.flow(expedited: expedited)
        let set = try RoomSet(writer)
        let count = bytes < 1_000 ? 200_000 : 10_000
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for number in 0..<count {
                _ = try? FlowReceive.readMessage(reader, timeout: nil)
                if number % 20_011 == 0 || number % 8 == 0 && bytes > 1_000 { usleep(10) }
            }
            done.signal()
        }
        try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let message = [UInt8](repeating: 1, count: bytes)
        var refusals = 0
        for _ in 0..<count {
            while (try? FlowTransmit.write(writer, message, count: bytes)) == nil {
                refusals += 1
                #expect(set.next() == [.room: [writer]])
            }
        }
        #expect(refusals < count)
        done.wait()
        set.destroy()
        try FlowControl.deallocate(writer)
        try FlowControl.deallocate(reader)
    }

    @Test func threadsOfDifferentMessagesShareTheEvents() throws {
        let (writer, reader) = try broker.flow()
        try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let set = try RoomSet(writer)
        let sizes = [64, 5_000, 300_000, 1_000_000]
        let events = Condition()
        let left = Mutex(sizes.count)
        for size in sizes {
            Thread.detachNewThread {
                let message = [UInt8](repeating: 1, count: size)
                for _ in 0..<100 {
                    while true {
                        let before = events.count
                        if (try? FlowTransmit.write(writer, message, count: size)) != nil { break }
                        events.wait(beyond: before)
                    }
                }
                left.withLock { $0 -= 1 }
            }
        }
        Thread.detachNewThread {
            while FlowSets.contains(writer, in: set.set) { if set.next()[.room] != nil { events.signal() } }
        }
        try take(reader, sizes.count * 100)
        while left.withLock({ $0 }) > 0 { usleep(1_000) }
        try FlowControl.deallocate(reader)
        while FlowSets.contains(writer, in: set.set) { FlowSets.remove(writer, from: set.set) }
        try FlowControl.deallocate(writer)
    }
}

/// How often something has happened.
private final class Condition: @unchecked Sendable {
    private let condition = NSCondition()
    private var number = 0

    var count: Int { condition.withLock { number } }

    func signal() {
        condition.withLock {
            number += 1
            condition.broadcast()
        }
    }

    func wait(beyond before: Int) {
        condition.withLock { while number == before { condition.wait() } }
    }
}

/// Flows to other hosts.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RemoteRoomTests {
    let broker = TestBroker.shared

    @Test func anIPCPThatTakesPacketsMakesRoom() throws {
        let flow = try Pair(broker, messageBytes: 1_400, link: 2)
        defer { flow.close() }
        let set = try RoomSet(flow.user)
        defer { set.destroy() }
        for appetite in [UInt64(8_192), 0] {
            let written = try fillUp(flow.user, bytes: 1_000)
            #expect(try flow.drain(written + 1).count == written)
            #expect(set.events() == [:], "nothing was sent")
            try ProviderFlow.consume(flow.provider, 1, appetite: 0)
            #expect(set.next() == [.room: [flow.user]])
            try ProviderFlow.consume(flow.provider, written - 1, appetite: appetite)
            #expect(set.events() == [:])
        }
        // A queue that takes little is never half free with one message, and the message fits all the same.
        let written = try fillUp(flow.user, bytes: 1_000)
        #expect(try flow.drain(written + 1).count == written)
        try ProviderFlow.consume(flow.provider, written, appetite: 4_096)
        #expect(set.next() == [.room: [flow.user]])
    }

    private static let reliable = {
        var quality = Vocabulary.QualityOfService.data
        quality.bitErrorRate = 1
        return quality
    }()

    @Test(arguments: [false, true]) func acknowledgementsMakeRoom(isProfile0: Bool) throws {
        let route = try Route(broker, Self.reliable, isProfile0: isProfile0)
        defer { route.close() }
        let set = try RoomSet(route.first.user)
        defer { set.destroy() }
        for size in [1_000, isProfile0 ? 8_000 : 100_000] {
            var written = try fillUp(route.first.user, bytes: size)
            // What is on its way may be acknowledged.
            while set.events()[.room] != nil { written += try fillUp(route.first.user, bytes: size) }
            try take(route.second.user, written)
            #expect(set.next() == [.room: [route.first.user]])
            try write(route.first.user, bytes: size)
            _ = try FlowReceive.readMessage(route.second.user, timeout: nil)
            #expect(set.events() == [:], "no event without a refusal")
        }
    }

    @Test(arguments: [(1_000, false), (60_000, false), (5_000, true)])
    func aReliableStreamGoesOnWithEachEvent(bytes: Int, isProfile0: Bool) throws {
        var faults = Route.Faults()
        faults.loss = 5
        let route = try Route(broker, Self.reliable, faults: faults, isProfile0: isProfile0)
        defer { route.close() }
        let writer = route.first.user
        let reader = route.second.user
        let set = try RoomSet(writer)
        defer { set.destroy() }
        let count = bytes < 10_000 ? 20_000 : 1_000
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for number in 0..<count {
                _ = try? FlowReceive.readMessage(reader, timeout: nil)
                if number % 5_003 == 0 { usleep(20_000) }
            }
            done.signal()
        }
        try FlowControl.setFlags(writer, FlowFlags.readWrite | FlowFlags.writeNonBlocking)
        let message = [UInt8](repeating: 1, count: bytes)
        for number in 0..<count {
            while true {
                // In place and copied by turns.
                let isWritten =
                    number % 2 == 0
                    ? (try? FlowTransmit.write(writer, message, count: bytes)) != nil
                    : (try? FlowTransmit.reserve(writer, count: bytes)) != nil
                if isWritten { break }
                #expect(set.next() == [.room: [writer]])
            }
            if number % 2 == 1 { #expect(try FlowTransmit.commit(writer, count: bytes) == bytes) }
        }
        done.wait()
    }

    @Test func theEndOfAReliableFlowComesInPlaceOfTheEvent() throws {
        let route = try Route(broker, Self.reliable)
        defer { route.close() }
        let set = try RoomSet(route.first.user)
        defer { set.destroy() }
        _ = try fillUp(route.first.user, bytes: 100_000)
        while set.events()[.room] != nil { _ = try fillUp(route.first.user, bytes: 100_000) }
        try route.second.close(route.second.user)
        var events: [FlowEvent: [Int32]] = [:]
        while events[.deallocated] == nil { events.merge(set.next()) { first, _ in first } }
        #expect(set.events() == [:])
    }
}
