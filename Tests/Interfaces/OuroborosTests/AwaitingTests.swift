// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Testing
import Vocabulary

@testable import Ouroboros

@Suite(.timeLimit(.minutes(5))) struct AwaitingTests {
    @Test func aTaskWaitsForAMessage() async throws {
        let (client, server) = try makeFlow()
        let echo = Task { try await server.send(try await server.receive()) }
        try await client.send([1, 2])
        #expect(try await client.receive() == [1, 2])
        try await echo.value
    }

    @Test func aSequenceHasEveryMessageAndEndsWithThePeer() async throws {
        let (client, server) = try makeFlow()
        let count = 5_000
        let sum = Task {
            var (sum, next) = (0, 0)
            for try await packet in server.packets {
                #expect(packet == Array("\(next)".utf8))
                next += 1
                sum += packet.count
            }
            #expect(next == count)
            return sum
        }
        var sent = 0
        for number in 0..<count {
            let packet = Array("\(number)".utf8)
            sent += packet.count
            try await client.send(packet)
            if number % 977 == 0 { await Task.yield() }
        }
        client.close()
        #expect(try await sum.value == sent)
    }

    @Test func aSequenceEndsWhenItsFlowIsClosedHere() async throws {
        let (client, server) = try makeFlow()
        let packets = Task {
            var count = 0
            for try await _ in server.packets { count += 1 }
            return count
        }
        try client.write([1])
        try await until { try server.arrivingQueueLength == 0 }
        server.close()
        #expect(try await packets.value == 1)
    }

    @Test func aCancelledReceiveLosesNothing() async throws {
        let (client, server) = try makeFlow()
        for round in 0..<200 {
            let task = Task { try await server.receive() }
            if round % 3 == 0 { await Task.yield() }
            // Now the task waits, or has not begun, or has the message.
            if round % 2 == 0 { try client.write([UInt8(round)]) }
            task.cancel()
            switch await task.result {
            case .success(let message): #expect(message == [UInt8(round)])
            case .failure(let error):
                #expect(error is CancellationError)
                #expect(try server.tryRead() == (round % 2 == 0 ? [UInt8(round)] : nil))
            }
        }
    }

    @Test func aCancelledTaskReturnsThoughNothingEverComes() async throws {
        let (client, server) = try makeFlow()
        let message = [UInt8](repeating: 1, count: 100_000)
        _ = try fill(client, with: message)
        let reader = Task { try await client.receive() }
        let writer = Task { try await client.send(message) }
        let loop = Task { for try await _ in client.packets {} }
        for _ in 0..<10 { await Task.yield() }
        reader.cancel()
        writer.cancel()
        loop.cancel()
        #expect(await expectCancelled(reader))
        #expect(await expectCancelled(writer))
        #expect(await expectCancelled(loop))
        _ = server
    }

    @Test func aTaskThatSendsIsWokenByRoomAlone() async throws {
        let (client, server) = try makeFlow()
        let message = [UInt8](repeating: 1, count: 1_000)
        for round in 0..<20 {
            let count = try fill(client, with: message)
            let writer = Task { try await client.send(message) }
            // The first wait puts the flow into the library's set, which the events of messages show.
            let news = Task { try await client.receive() }
            for _ in 0..<round { await Task.yield() }
            try server.write([2])
            #expect(try await news.value == [2])
            let rings = client.bell.rings(for: .room)
            try server.write([3])
            #expect(try await client.receive() == [3])
            #expect(client.bell.rings(for: .room) == rings, "a message is no news for a writer")
            for _ in 0..<count { _ = try server.read() }
            try await writer.value
            #expect(try server.read() == message)
        }
    }

    @Test(arguments: [true, false]) func aTaskThatSendsHearsOfTheEnd(isOurs: Bool) async throws {
        for round in 0..<20 {
            let (client, server) = try makeFlow()
            let message = [UInt8](repeating: 1, count: 100_000)
            _ = try fill(client, with: message)
            let writer = Task { try await client.send(message) }
            for _ in 0..<round { await Task.yield() }
            if isOurs { client.close() } else { server.close() }
            switch await writer.result {
            case .success: Issue.record("there was no room")
            case .failure(let error as OuroborosError):
                #expect(error.code == .flowDown || isOurs && error.code == .notAllocated)
            case .failure(let error): Issue.record(error)
            }
        }
    }

    @Test func manyTasksThatSendAllGoOn() async throws {
        let (client, server) = try makeFlow()
        let sizes = [10, 1_000, 100_000, 900_000]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask { try await client.send([UInt8](repeating: 1, count: sizes[index % sizes.count])) }
            }
            group.addTask { for _ in 0..<40 { _ = try await server.receive() } }
            try await group.waitForAll()
        }
    }

    @Test func aDeadlineOfATaskIsNeverEarly() async throws {
        let (client, server) = try makeFlow()
        _ = try fill(client, with: [UInt8](repeating: 1, count: 100_000))
        _ = try fill(client, with: [1])
        for milliseconds in [0, 1, 20] {
            let start = Clock.now()
            await #expect(throws: OuroborosError(.timedOut)) {
                try await client.receive(deadline: .after(.milliseconds(milliseconds)))
            }
            await #expect(throws: OuroborosError(.timedOut)) {
                try await client.send([1], deadline: .after(.milliseconds(milliseconds)))
            }
            #expect(Clock.now().since(start) >= TimeSpan(milliseconds: UInt64(2 * milliseconds)))
        }
        // A message that is there wins against a deadline that has passed.
        #expect(try await server.receive(deadline: .now).count == 100_000)
    }

    @Test func deadlinesThatWereNotReachedAreForgotten() async throws {
        let (client, server) = try makeFlow()
        let echo = Task { for try await packet in server.packets { try await server.send(packet) } }
        for number in 0..<500 {
            try await client.send([UInt8(truncatingIfNeeded: number)])
            let reply = try await client.receive(deadline: .after(.seconds(3_600)))
            #expect(reply == [UInt8(truncatingIfNeeded: number)])
        }
        client.close()
        try await echo.value
    }

    @Test func aFullFlowHoldsATaskBackUntilThereIsRoom() async throws {
        let (client, server) = try makeFlow()
        let message = [UInt8](repeating: 3, count: 100_000)
        let writer = Task {
            for _ in 0..<100 { try await client.send(message) }
            client.close()
        }
        try await until { try server.arrivingQueueLength >= 10 }
        var count = 0
        for try await packet in server.packets where packet == message { count += 1 }
        #expect(count == 100)
        try await writer.value
    }

    @Test func aWriterThatIsHeldBackLearnsThatItsPeerHasGone() async throws {
        let (client, server) = try makeFlow()
        _ = try fill(client, with: [UInt8](repeating: 1, count: 100_000))
        _ = try fill(client, with: [1])
        let writer = Task { try await client.send([1]) }
        await Task.yield()
        server.close()
        await #expect(throws: OuroborosError(.flowDown)) { try await writer.value }
    }

    @Test func manyTasksShareAFlow() async throws {
        let (client, server) = try makeFlow()
        let (readers, each) = (4, 500)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<readers {
                group.addTask {
                    var count = 0
                    for try await _ in server.packets { count += 1 }
                    return count
                }
            }
            for number in 0..<readers * each {
                try await client.send([UInt8(truncatingIfNeeded: number)])
                if number % 50 == 0 { await Task.yield() }
            }
            client.close()
            return try await group.reduce(0, +)
        }
        #expect(total == readers * each)
    }

    @Test func manyFlowsNeedNoThreads() async throws {
        let flows = try (0..<200).map { _ in try makeFlow() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (_, server) in flows {
                group.addTask { for try await packet in server.packets { try await server.send(packet) } }
            }
            for (number, (client, _)) in flows.enumerated() {
                group.addTask {
                    for round in 0..<20 {
                        let message = [UInt8(number), UInt8(round)]
                        try await client.send(message)
                        #expect(try await client.receive() == message)
                    }
                    client.close()
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aFlowInASetCannotBeAwaited() async throws {
        let (client, server) = try makeFlow()
        let set = try FlowSet([server])
        await #expect(throws: OuroborosError.self) { try await server.receive() }
        set.remove(server)
        try client.write([1])
        #expect(try await server.receive() == [1])
    }
}
