// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowMemory
import Foundation
import Testing
import Vocabulary

@testable import FlowRuntime

/// What a program's end of a flow to another host adds to the packets, and what it takes away.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UserFlowTests {
    let broker = TestBroker.shared

    private static let checked = Vocabulary.QualityOfService(bitErrorRate: 0, timeoutMilliseconds: 0)
    private static let payload: [UInt8] = [
        0x70, 0x6b, 0x74, 0x20, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x2e, 0x41, 0x41, 0x41, 0x41, 0x41,
    ]
    private static let trailer: [UInt8] = [0x5a, 0xf9, 0x67, 0x75]

    private func checkedPacket(_ message: [UInt8]) -> [UInt8] {
        message + withUnsafeBytes(of: message.withUnsafeBytes { CRC32.of($0) }.bigEndian) { Array($0) }
    }

    // Checksums.

    @Test func everyWayToWriteAddsTheChecksum() throws {
        let flow = try Pair(broker, Self.checked)
        defer { flow.close() }
        var payload = Self.payload
        try flow.write(payload)
        payload.withUnsafeMutableBytes { bytes in
            let parts = [
                iovec(iov_base: bytes.baseAddress, iov_len: 5), iovec(iov_base: nil, iov_len: 0),
                iovec(iov_base: bytes.baseAddress.map { $0 + 5 }, iov_len: 11),
            ]
            _ = parts.withUnsafeBufferPointer { try? FlowTransmit.write(flow.user, $0) }
        }
        try FlowTransmit.reserve(flow.user, count: 100).copyBytes(from: payload)
        #expect(try FlowTransmit.commit(flow.user, count: payload.count) == payload.count)
        try flow.write([])
        let packet = Self.payload + Self.trailer
        #expect(try flow.drain(10) == [packet, packet, packet, []])
    }

    @Test func everyWayToReadTakesTheChecksumAway() throws {
        let flow = try Pair(broker, Self.checked)
        defer { flow.close() }
        let (payload, packet) = (Self.payload, Self.payload + Self.trailer)
        for _ in 0..<6 { #expect(flow.deliver(packet) == .delivered) }
        ProviderFlow.wake(flow.provider)
        #expect(try flow.read() == payload)
        #expect(try FlowReceive.readMessage(flow.user, timeout: nil) == payload)
        #expect(try FlowReceive.peek(flow.user).elementsEqual(payload))
        try FlowReceive.release(flow.user)
        #expect(try FlowReceive.read(flow.user, 10) == Array(payload[..<10]))
        #expect(try FlowReceive.read(flow.user, 10) == Array(payload[10...]))
        var buffer = [UInt8](repeating: 0, count: 40)
        let read = try buffer.withUnsafeMutableBytes { bytes in
            let parts = [
                iovec(iov_base: bytes.baseAddress, iov_len: 7),
                iovec(iov_base: bytes.baseAddress.map { $0 + 7 }, iov_len: 33),
            ]
            return try parts.withUnsafeBufferPointer { (parts: UnsafeBufferPointer<iovec>) in
                try FlowReceive.read(flow.user, into: parts)
            }
        }
        #expect(Array(buffer.prefix(read)) == payload)
        // A buffer that the message fills, with the pieces' end to be told; the checksum is no piece.
        #expect(try FlowReceive.read(flow.user, 16) == payload)
        #expect(try FlowReceive.read(flow.user, 16) == [])
        #expect(try FlowControl.sendQueueLength(flow.provider) == 0)
    }

    @Test func whatIsDamagedIsNeverSeen() throws {
        let flow = try Pair(broker, Self.checked)
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        try FlowSets.add(flow.user, to: set)
        var damaged = checkedPacket([1, 2, 3])
        damaged[1] ^= 0x10
        for packet in [damaged, [1], [1, 2, 3], [0, 0, 0, 0], [], checkedPacket([4])] + [damaged] {
            #expect(flow.deliver(packet) == .delivered)
        }
        ProviderFlow.wake(flow.provider)
        let queue = EventQueue()
        try FlowSets.wait(set, queue, timeout: nil)
        let event = queue.takeAll()
        #expect(event?.event == .packet)
        #expect(event?.count == 1)
        #expect(try flow.read() == [4])
        #expect(throws: Failure.timedOut) { try FlowSets.wait(set, queue, timeout: TimeSpan(nanoseconds: 0)) }
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.readNonBlocking)
        #expect(throws: Failure.wouldBlock) { try flow.read() }
        #expect(try FlowControl.sendQueueLength(flow.provider) == 0)
    }

    @Test func theChecksumTakesFourBytesOfTheLongestMessage() throws {
        let flow = try Pair(broker, Self.checked, messageBytes: 1_000)
        defer { flow.close() }
        let message = [UInt8](repeating: 3, count: 997)
        #expect(throws: Failure.messageTooLong) { try flow.write(message) }
        try flow.write(Array(message.dropLast()))
        #expect(try flow.drain(1).first?.count == 1_000)
        let plain = try Pair(broker, messageBytes: 1_000)
        defer { plain.close() }
        #expect(throws: Failure.messageTooLong) { try plain.write([UInt8](repeating: 3, count: 1_001)) }
        try plain.write([UInt8](repeating: 3, count: 1_000))
        #expect(try plain.drain(1).first?.count == 1_000)
    }

    @Test func insideTheHostThereIsNoChecksum() throws {
        let (client, server) = try broker.flow(Self.checked)
        let stored = try FlowTable.entry(server).pointee.arriving
        let message: [UInt8] = [1, 2, 3]
        #expect(try FlowTransmit.write(client, message, count: 3) == 3)
        #expect(stored.bytes.load(as: UInt64.self) == 3)
        #expect(try FlowReceive.read(server, 10) == message)
        try FlowControl.deallocate(client)
        try FlowControl.deallocate(server)
    }

    // Keepalives.

    /// Milliseconds.
    private static let timeout: UInt32 = 60

    private static func impatient(
        _ bitErrorRate: UInt32 = 1, timeout: UInt32 = timeout
    ) -> Vocabulary.QualityOfService {
        Vocabulary.QualityOfService(bitErrorRate: bitErrorRate, timeoutMilliseconds: timeout)
    }

    /// Where there is a host, its thread may have to wait for a processor.
    private static let longTimeout: UInt32 = 400

    /// Answers for the other host until it is told to stop.
    private final class Host: @unchecked Sendable {
        private let condition = NSCondition()
        private var isRunning = true
        private var hasEnded = false

        init(_ flow: Pair) {
            Thread.detachNewThread { [self] in
                while condition.withLock({ isRunning }) {
                    _ = flow.deliver([])
                    ProviderFlow.wake(flow.provider)
                    usleep(2_000)
                }
                condition.withLock {
                    hasEnded = true
                    condition.broadcast()
                }
            }
        }

        func stop() {
            condition.withLock {
                isRunning = false
                while !hasEnded { condition.wait() }
            }
        }
    }

    @Test(arguments: [0, 1] as [UInt32]) func anIdleFlowSendsKeepalives(bitErrorRate: UInt32) throws {
        let flow = try Pair(broker, Self.impatient(bitErrorRate, timeout: Self.longTimeout))
        defer { flow.close() }
        let host = Host(flow)
        defer { host.stop() }
        let begun = Date()
        var keepalives = 0
        while keepalives < 8 {
            let packets = try flow.drain(10)
            #expect(packets.allSatisfy { $0.isEmpty })
            keepalives += packets.count
            try ProviderFlow.consume(flow.provider, packets.count)
            usleep(500)
        }
        // Nothing is early.
        #expect(Date().timeIntervalSince(begun) >= 7 * Double(Self.longTimeout) / 4 / 1_000)
        // The host's are not seen by who reads.
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.readNonBlocking)
        #expect(throws: Failure.wouldBlock) { try flow.read() }
    }

    @Test func keepalivesThatNobodyReadsDoNotPileUpAndMakeNoEvents() throws {
        let quality = Self.impatient(timeout: Self.longTimeout)
        let flow = try Pair(broker, quality, queueBytes: 4_096, messageBytes: 1_400)
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        try FlowSets.add(flow.user, to: set)
        let host = Host(flow)
        defer { host.stop() }
        let queue = EventQueue()
        let words = try FlowTable.entry(flow.user).pointee.arriving
        // More than the ring has room for.
        while cl_load64_acquire(words.read) < 70 {
            #expect(throws: Failure.timedOut) { try FlowSets.wait(set, queue, timeout: TimeSpan(milliseconds: 5)) }
        }
        #expect(flow.deliver([1]) == .delivered)
        ProviderFlow.wake(flow.provider)
        try FlowSets.wait(set, queue, timeout: nil)
        #expect(queue.takeAll()?.count == 1)
        #expect(try flow.read() == [1])
    }

    @Test func aSilentHostEndsTheFlow() throws {
        let flow = try Pair(broker, Self.impatient())
        defer { flow.close() }
        let set = try #require(FlowSets.create())
        defer { FlowSets.destroy(set) }
        try FlowSets.add(flow.user, to: set)
        let queue = EventQueue()
        let begun = Date()
        #expect(flow.deliver([1]) == .delivered)
        ProviderFlow.wake(flow.provider)
        try FlowSets.wait(set, queue, timeout: nil)
        #expect(queue.takeAll()?.event == .packet)
        // The IPCP is alive and takes everything; it is the other host that says nothing.
        try FlowSets.wait(set, queue, timeout: nil)
        #expect(queue.takeAll()?.event == .peerSilent)
        #expect(Date().timeIntervalSince(begun) >= Double(Self.timeout) / 1_000)
        #expect(try flow.read() == [1])
        #expect(throws: Failure.flowPeer) { try flow.read() }
        #expect(throws: Failure.flowPeer) { try flow.write([1]) }
    }

    @Test func aReaderThatWaitsLearnsOfTheSilence() throws {
        let flow = try Pair(broker, Self.impatient())
        defer { flow.close() }
        let host = Host(flow)
        Thread.detachNewThread { host.stop() }
        #expect(throws: Failure.flowPeer) { try flow.read() }
    }

    @Test func withoutATimeoutNothingIsSentAndNobodyIsSilent() throws {
        let silent = try Pair(broker, Self.impatient())
        defer { silent.close() }
        let flow = try Pair(broker)
        defer { flow.close() }
        let entry = try FlowTable.entry(flow.user)
        #expect(entry.pointee.vigil == nil)
        #expect(try FlowTable.entry(silent.provider).pointee.vigil == nil)
        // As long as another takes to be found silent.
        #expect(throws: Failure.flowPeer) { try silent.read() }
        #expect(try flow.drain(10) == [])
        try FlowControl.setFlags(flow.user, FlowFlags.readWrite | FlowFlags.readNonBlocking)
        #expect(throws: Failure.wouldBlock) { try flow.read() }
    }

    @Test func aFullQueueIsNoSilence() throws {
        let flow = try Pair(broker, Self.impatient(), queueBytes: 4_096, messageBytes: 1_400)
        defer { flow.close() }
        let other = try Pair(broker, Self.impatient())
        defer { other.close() }
        let message = [UInt8](repeating: 1, count: 1_000)
        while flow.deliver(message) == .delivered {}
        // The one that could hear is told; the other one looks as often.
        #expect(throws: Failure.flowPeer) { try other.read() }
        let next = try Pair(broker, Self.impatient())
        #expect(throws: Failure.flowPeer) { try next.read() }
        next.close()
        for _ in 0..<4 { #expect(try flow.read() == message) }
        #expect(throws: Failure.flowPeer) { try flow.read() }
    }
}
