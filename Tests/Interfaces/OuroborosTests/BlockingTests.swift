// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Testing
import Vocabulary

@testable import Ouroboros

@Suite(.timeLimit(.minutes(5))) struct BlockingTests {
    @Test func whatIsWrittenIsRead() throws {
        let (client, server) = try makeFlow()
        try client.write([1, 2, 3])
        let text = "hello"
        try client.write(text.utf8.span.bytes)
        try client.write([])
        #expect(try server.read() == [1, 2, 3])
        #expect(try server.read() == Array(text.utf8))
        #expect(try server.tryRead() == nil)
        try server.write([9])
        #expect(try client.read(deadline: .never) == [9])
    }

    @Test(arguments: [1, 63, 64, 4_096, 65_536, 2_000_000]) func aMessageComesWholeWhateverItsLength(count: Int) throws
    {
        let (client, server) = try makeFlow()
        let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try client.tryWrite(message))
        #expect(try server.read() == message)
        #expect(try server.arrivingQueueLength == 0)
    }

    @Test func partsAreReadOneAfterTheOtherAndTheRestAsAWhole() throws {
        let (client, server) = try makeFlow()
        var place = [UInt8](repeating: 0, count: 4)
        try client.write(Array(0..<10))
        try client.write([42])
        #expect(try place.withUnsafeMutableBytes { try server.read(into: $0) } == 4)
        #expect(place == [0, 1, 2, 3])
        #expect(try server.read() == [4, 5, 6, 7, 8, 9])
        var span = place.mutableSpan
        var bytes = span.mutableBytes
        #expect(try server.read(into: &bytes) == 1)
        #expect(place[0] == 42)
        // A part that fills the buffer exactly is followed by an empty one, unless the next read wants a message.
        try client.write([1, 2, 3, 4])
        try client.write([5])
        #expect(try place.withUnsafeMutableBytes { try server.read(into: $0) } == 4)
        #expect(try server.read() == [5])
    }

    @Test func aMessageThatDoesNotFitIsDiscardedOnRequest() throws {
        let (client, server) = try makeFlow()
        var flags = try server.flags
        #expect(flags == Flow.Flags())
        flags.readsWholeMessages = true
        try server.setFlags(flags)
        #expect(try server.flags == flags)
        var place = [UInt8](repeating: 0, count: 2)
        try client.write([1, 2, 3])
        try client.write([4, 5])
        #expect(throws: OuroborosError(.messageTooLong)) {
            try place.withUnsafeMutableBytes { try server.read(into: $0) }
        }
        #expect(try place.withUnsafeMutableBytes { try server.read(into: $0) } == 2)
        #expect(place == [4, 5])
    }

    @Test func messagesAreWrittenAndReadInPlace() throws {
        let (client, server) = try makeFlow()
        let count = try client.write(upTo: 100) { message in
            for byte in 0..<10 { message.append(UInt8(byte)) }
            #expect(throws: OuroborosError(.busy)) { try client.write([1]) }
        }
        #expect(count == 10)
        let sum = try server.withNextMessage { message in
            #expect(throws: OuroborosError(.busy)) { try server.tryRead() }
            return message.withUnsafeBytes { bytes in bytes.reduce(0) { $0 + Int($1) } }
        }
        #expect(sum == 45)
        struct Stop: Error {}
        #expect(throws: Stop.self) { try client.write(upTo: 10) { _ in throw Stop() } }
        try client.write([7])
        #expect(throws: Stop.self) { try server.withNextMessage { _ in throw Stop() } }
        #expect(try server.tryRead() == nil)
        #expect(throws: OuroborosError(.timedOut)) { try server.withNextMessage(deadline: .now) { _ in } }
    }

    @Test func aDeadlineIsNeverEarly() throws {
        let (client, server) = try makeFlow()
        for milliseconds in [0, 1, 7, 30] {
            let start = Clock.now()
            #expect(throws: OuroborosError(.timedOut)) {
                try server.read(deadline: .after(.milliseconds(milliseconds)))
            }
            #expect(Clock.now().since(start) >= TimeSpan(milliseconds: UInt64(milliseconds)))
        }
        let message = [UInt8](repeating: 1, count: 100_000)
        #expect(try fill(client, with: message) == 10)
        let start = Clock.now()
        #expect(throws: OuroborosError(.timedOut)) { try client.write(message, deadline: .after(.milliseconds(20))) }
        #expect(Clock.now().since(start) >= TimeSpan(milliseconds: 20))
        #expect(try client.departingQueueLength == 10)
    }

    @Test func aCallsDeadlineComesBeforeTheFlowsSettings() throws {
        let (client, server) = try makeFlow()
        #expect(try server.readTimeout == nil)
        try server.setReadTimeout(.milliseconds(1))
        try client.setWriteTimeout(.zero)
        #expect(try server.readTimeout == .milliseconds(1))
        #expect(try client.writeTimeout == .zero)
        #expect(throws: OuroborosError(.timedOut)) { try server.read() }
        var flags = Flow.Flags()
        flags.readsWithoutWaiting = true
        try server.setFlags(flags)
        #expect(throws: OuroborosError(.wouldBlock)) { try server.read() }
        #expect(throws: OuroborosError(.timedOut)) { try server.read(deadline: .after(.milliseconds(1))) }
    }

    @Test func errorsHaveTypeReasonAndHint() throws {
        let (client, server) = try makeFlow()
        client.close()
        do throws(OuroborosError) {
            _ = try server.read()
            Issue.record("a flow without a peer was read")
        } catch {
            #expect(error.code == .flowDown)
            #expect(error.code.rawValue == 1_005)
            #expect(!error.reason.isEmpty && !error.hint.isEmpty)
            #expect(error.description == "\(error.reason) \(error.hint)")
        }
        #expect(throws: OuroborosError(.notAllocated)) { try client.read() }
        #expect(throws: OuroborosError(.notAllocated)) { try client.flags }
        #expect(throws: OuroborosError(.messageTooLong)) { try server.write([UInt8](repeating: 0, count: 16_777_217)) }
        client.close()
        let error: any Error = OuroborosError(.notAllocated)
        #expect(OuroborosError.Code.notAllocated ~= error)
        #expect(!(OuroborosError.Code.flowDown ~= error))
    }

    @Test func aFlowThatIsDroppedIsClosed() throws {
        var client: Flow?
        let server: Flow
        (client, server) = try makeFlow()
        try client?.write([7])
        client = nil
        #expect(try server.read() == [7])
        #expect(throws: OuroborosError(.flowDown)) { try server.read() }
    }

    @Test func theNumberOfAClosedFlowIsNotGivenToAnother() throws {
        let (client, server) = try makeFlow()
        client.close()
        let others = try (0..<4).map { _ in try makeFlow() }
        #expect(others.allSatisfy { $0.client.descriptor != client.descriptor })
        #expect(others.allSatisfy { $0.server.descriptor != client.descriptor })
        #expect(throws: OuroborosError(.notAllocated)) { try client.write([1]) }
        _ = server
    }

    @Test func aBlockedReadEndsWhenItsFlowIsClosed() async throws {
        let (client, server) = try makeFlow()
        async let read = onThread { try server.read() }
        try await onThread { server.close() }
        do {
            _ = try await read
            Issue.record("read from a closed flow")
        } catch {
            // Before it waited or while it did: nobody can know.
            let code = (error as? OuroborosError)?.code
            #expect(code == .flowDown || code == .notAllocated)
        }
        _ = client
    }

    @Test func durationsAreRoundedUp() {
        #expect(TimeSpan(.nanoseconds(3)).nanoseconds == 3)
        #expect(TimeSpan(Duration(secondsComponent: 0, attosecondsComponent: 1)).nanoseconds == 1)
        #expect(TimeSpan(.seconds(-1)).nanoseconds == 0)
        #expect(TimeSpan(.seconds(Int64.max)).nanoseconds == UInt64.max - 1)
        #expect(Deadline.after(.seconds(-1)) == .now)
        #expect(Deadline.now.hasPassed && !Deadline.never.hasPassed)
    }
}
