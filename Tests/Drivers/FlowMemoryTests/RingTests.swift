// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing
import Vocabulary

@testable import FlowMemory

/// Both sides of a ring in one process, over plain memory.
private struct Pair: ~Copyable {
    let slot: UnsafeMutableRawPointer
    let bytes: UnsafeMutableRawPointer
    var ring: Ring
    var producer = RingProducer()
    var consumer = RingConsumer()
    let queueBytes: UInt64

    init(size: Int, queueBytes: Int) {
        slot = .allocate(byteCount: LinkLayout.slotBytes, alignment: 128)
        slot.initializeMemory(as: UInt8.self, repeating: 0, count: LinkLayout.slotBytes)
        bytes = mmap(nil, size, PROT_READ | PROT_WRITE, Int32(MAP_SHARED) | Int32(MAP_ANONYMOUS), -1, 0)
        ring = Ring(bytes: bytes, size: size, slot: slot, from: .first)
        self.queueBytes = UInt64(queueBytes)
    }

    deinit {
        slot.deallocate()
        munmap(bytes, Int(ring.size))
    }

    enum Result { case written, full, outOfMemory, violation }

    /// `spare`: bytes that are reserved and not used.
    mutating func write(_ payload: [UInt8], spare: Int = 0) -> Result {
        switch producer.reserve(payload.count + spare, in: &ring, queueBytes: queueBytes) {
        case .full: return .full
        case .outOfMemory: return .outOfMemory
        case .violation: return .violation
        case .place(let start):
            payload.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { memcpy(producer.payload(start, in: ring), base, bytes.count) }
            }
            producer.publish(start, payload.count, in: ring)
            return .written
        }
    }

    mutating func read() throws -> [UInt8]? {
        guard let record = try consumer.front(&ring) else { return nil }
        let payload = Array(UnsafeRawBufferPointer(start: record.payload, count: record.count))
        consumer.consume(record.count, of: ring)
        return payload
    }
}

@Suite struct RingTests {
    @Test func whatIsWrittenIsReadInOrder() throws {
        var random = SystemRandomNumberGenerator()
        for size in [4_096, 16_384, 65_536] {
            var pair = Pair(size: size, queueBytes: size / 2)
            var expected: [[UInt8]] = []
            var number: UInt8 = 0
            for _ in 0..<20_000 {
                if Bool.random(using: &random) {
                    let payload = [UInt8](
                        repeating: number, count: Int.random(in: 0...(size / 2 - 8), using: &random) / 8)
                    let spare = Bool.random(using: &random) ? 0 : Int.random(in: 0...size / 4, using: &random)
                    if pair.write(payload, spare: spare) == .written {
                        expected.append(payload)
                        number &+= 1
                    } else {
                        #expect(!expected.isEmpty)
                    }
                } else {
                    let payload = try pair.read()
                    #expect(payload == (expected.isEmpty ? nil : expected.removeFirst()))
                }
            }
        }
    }

    @Test func aMessageAboveTheQueueLimitEntersOnlyAnEmptyRing() throws {
        var pair = Pair(size: 65_536, queueBytes: 4_096)
        let large = [UInt8](repeating: 7, count: 32_760)
        #expect(pair.write([1]) == .written)
        #expect(pair.write(large) == .full)
        #expect(try pair.read() == [1])
        #expect(pair.write(large) == .written)
        #expect(pair.write([2]) == .full)
        #expect(try pair.read() == large)
        #expect(pair.write([2]) == .written)
    }

    @Test func halfARingAlwaysFitsAnEmptyRing() throws {
        var pair = Pair(size: 8_192, queueBytes: 1_024)
        let half = [UInt8](repeating: 1, count: 4_096 - 8)
        for length in 0..<200 {
            #expect(pair.write([UInt8](repeating: 2, count: length)) == .written)
            #expect(try pair.read()?.count == length)
            #expect(pair.write(half) == .written)
            #expect(try pair.read() == half)
        }
    }

    @Test func aFlowThatNeverQueuesTouchesOnePage() throws {
        var pair = Pair(size: 1 << 20, queueBytes: 1 << 18)
        for _ in 0..<50_000 {
            #expect(pair.write([UInt8](repeating: 3, count: 64)) == .written)
            #expect(try pair.read()?.count == 64)
        }
        var resident = [UInt8](repeating: 0, count: (1 << 20) / 4_096)
        #expect(mincore(pair.bytes, 1 << 20, &resident) == 0)
        #expect(resident.filter { $0 & 1 != 0 }.count == 1)
    }

    @Test(arguments: [0, 16_384]) func aFullQueueHoldsTheSameWhereverTheRingWasLeft(appetite: UInt64) throws {
        var random = SystemRandomNumberGenerator()
        var pair = Pair(size: 65_536, queueBytes: 16_384)
        pair.ring.appetite.pointee = appetite
        var unread = 0
        for _ in 0..<50_000 {
            let message = [UInt8](repeating: 4, count: Int.random(in: 1...3_000, using: &random))
            let need = (message.count + 8 + 63) & ~63
            if Bool.random(using: &random) {
                let isWritten = pair.write(message) == .written
                #expect(isWritten == (unread == 0 || unread + need <= 16_384))
                if isWritten { unread += need }
            } else if let read = try pair.read() {
                unread -= (read.count + 8 + 63) & ~63
            }
        }
    }

    @Test func aRingThatIsNeverEmptyUsesNoMoreThanItsConsumerWants() throws {
        var pair = Pair(size: 1 << 20, queueBytes: 1 << 19)
        pair.ring.appetite.pointee = 65_536
        for _ in 0..<2 { #expect(pair.write([UInt8](repeating: 5, count: 1_400)) == .written) }
        for _ in 0..<20_000 {
            #expect(pair.write([UInt8](repeating: 5, count: 1_400)) == .written)
            #expect(try pair.read()?.count == 1_400)
        }
        var resident = [UInt8](repeating: 0, count: (1 << 20) / 4_096)
        #expect(mincore(pair.bytes, 1 << 20, &resident) == 0)
        // It gets its memory in pieces of 64 KiB.
        #expect(resident.filter { $0 & 1 != 0 }.count <= 2 * 65_536 / 4_096)
    }

    @Test func aConsumerWithASmallAppetiteIsGivenNoMore() throws {
        var pair = Pair(size: 1 << 20, queueBytes: 65_536)
        let message = [UInt8](repeating: 6, count: 1_000)
        for (appetite, most) in [(8_192, 8), (4_096, 4), (100, 1), (0, 64), (1 << 30, 64)] {
            pair.ring.appetite.pointee = UInt64(appetite)
            for _ in 0..<100 {
                var written = 0
                while pair.write(message) == .written { written += 1 }
                // What was seen of the appetite is at most a page old.
                #expect(written >= most && written <= most + 4)
                for _ in 0..<written { #expect(try pair.read() == message) }
            }
        }
    }

    @Test func trimmingGivesPagesBackAndLosesNothing() throws {
        var pair = Pair(size: 1 << 20, queueBytes: 1 << 19)
        for round in 0..<5 {
            let large = [UInt8](repeating: UInt8(round), count: 300_000)
            #expect(pair.write(large) == .written)
            #expect(try pair.read() == large)
            let isTrimmed = pair.producer.trim(&pair.ring)
            #expect(isTrimmed)
            var resident = [UInt8](repeating: 0, count: (1 << 20) / 4_096)
            #expect(mincore(pair.bytes, 1 << 20, &resident) == 0)
            #expect(resident.filter { $0 & 1 != 0 }.count <= 2)
            #expect(pair.write([9]) == .written)
            #expect(try pair.read() == [9])
        }
    }

    @Test func aFullRingTakesMoreAfterEveryRead() throws {
        // Found by thought: the gap left by a jump must not count as used, or a slow reader would stop its writer early.
        var pair = Pair(size: 4_096, queueBytes: 4_096)
        var written = 0
        var read = 0
        for _ in 0..<1_000 {
            while pair.write([UInt8](repeating: 1, count: 1_000)) == .written { written += 1 }
            #expect(written - read >= 2)
            #expect(try pair.read()?.count == 1_000)
            read += 1
        }
    }

    @Test func aJumpBeyondTheTailIsNotSubtracted() throws {
        // Found by the fuzzer: the writer of impossible words was said to have written almost 2^64 bytes.
        var pair = Pair(size: 4_096, queueBytes: 4_096)
        pair.ring.tail.pointee = 128
        pair.ring.wrap.pointee = 64
        var unread = try pair.consumer.unreadBytes(pair.ring)
        #expect(unread == 128)
        pair.ring.wrap.pointee = .max - 63
        pair.ring.tail.pointee = 192
        unread = try pair.consumer.unreadBytes(pair.ring)
        #expect(unread == 192)
    }

    @Test func impossiblePositionsAreViolationsAndNothingIsReadOutside() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var pair = Pair(size: 4_096, queueBytes: 4_096)
            for _ in 0..<Int.random(in: 0..<8) { _ = pair.write([UInt8](repeating: 5, count: Int.random(in: 0..<500))) }
            if Bool.random() { _ = try pair.read() }
            // The peer writes anything anywhere it can.
            for word in [pair.ring.tail, pair.ring.wrap, pair.ring.head, pair.ring.written] where Bool.random() {
                word.pointee = Bool.random() ? UInt64.random(in: 0...UInt64.max) : UInt64.random(in: 0..<16_384) & ~63
            }
            for _ in 0..<4 {
                pair.bytes.storeBytes(
                    of: UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0..<64),
                    toByteOffset: Int.random(in: 0..<64) * 64, as: UInt64.self)
            }
            for _ in 0..<16 {
                guard let record = try? pair.consumer.front(&pair.ring) else { break }
                let start = record.payload - UnsafeRawPointer(pair.bytes)
                #expect(start >= 8 && start + record.count <= 4_096)
                pair.consumer.consume(record.count, of: pair.ring)
            }
            for _ in 0..<16 { _ = pair.write([UInt8](repeating: 6, count: 100)) }
        }
    }
}
