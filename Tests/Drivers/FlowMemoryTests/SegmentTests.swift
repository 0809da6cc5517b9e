// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Testing
import Vocabulary

@testable import FlowMemory

/// The memory of a flow as its two processes have it: each maps it for itself.
private final class Flow {
    static let size = 1 << 20
    let size: Int
    let queueBytes: UInt64
    let slot: UnsafeMutableRawPointer
    let mappings: [UnsafeMutableRawPointer]
    /// The ring of the direction that begins at each end, as each of the two processes has mapped it.
    var writers: [Ring]
    var readers: [Ring]
    var producers = [RingProducer(), RingProducer()]
    var consumers = [RingConsumer(), RingConsumer()]

    init(size: Int = Flow.size, queueBytes: Int = Flow.size) throws {
        self.size = size
        self.queueBytes = UInt64(queueBytes)
        let descriptor = try SegmentMemory.create(ringBytes: size)
        let slot = UnsafeMutableRawPointer.allocate(byteCount: LinkLayout.slotBytes, alignment: 128)
        slot.initializeMemory(as: UInt8.self, repeating: 0, count: LinkLayout.slotBytes)
        let first = try SegmentMemory(mapping: descriptor, ringBytes: size).release()
        let second = try SegmentMemory(mapping: descriptor, ringBytes: size).release()
        writers = [
            Ring(segment: first, size: size, slot: slot, from: .first),
            Ring(segment: second, size: size, slot: slot, from: .second),
        ]
        readers = [
            Ring(segment: second, size: size, slot: slot, from: .first),
            Ring(segment: first, size: size, slot: slot, from: .second),
        ]
        self.slot = slot
        mappings = [first, second]
    }

    deinit {
        for ring in writers + readers { ring.unmap() }
        for mapping in mappings { munmap(mapping, SegmentMemory.mappedBytes(ringBytes: size)) }
        slot.deallocate()
    }

    func write(_ payload: [UInt8], from end: Int) -> Bool {
        guard
            case .place(let start) = producers[end].reserve(
                payload.count, in: &writers[end], queueBytes: queueBytes)
        else { return false }
        memcpy(producers[end].payload(start, in: writers[end]), payload, payload.count)
        producers[end].publish(start, payload.count, in: writers[end])
        return true
    }

    func read(from end: Int) throws -> [UInt8]? {
        guard let record = try consumers[end].front(&readers[end]) else { return nil }
        let payload = Array(UnsafeRawBufferPointer(start: record.payload, count: record.count))
        consumers[end].consume(record.count, of: readers[end])
        return payload
    }
}

@Suite struct SegmentTests {
    @Test("both rings carry everything, and neither writes into the other")
    func everything() throws {
        var random = SystemRandomNumberGenerator()
        let flow = try Flow()
        var expected: [[[UInt8]]] = [[], []]
        for number in 0..<4_000 {
            let end = Int.random(in: 0...1, using: &random)
            if Int.random(in: 0..<5, using: &random) < 3 {
                let longest = number < 1_000 ? 1_000 : Flow.size / 2 - 8
                let payload = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: number), count: Int.random(in: 1...longest, using: &random))
                if flow.write(payload, from: end) { expected[end].append(payload) }
            } else {
                let payload = try flow.read(from: end)
                #expect(payload == (expected[end].isEmpty ? nil : expected[end].removeFirst()))
            }
        }
        #expect(flow.writers.allSatisfy { $0.mapped == $0.size } && flow.readers.allSatisfy { $0.mapped == $0.size })
    }

    @Test("a flow that is read as soon as it is written keeps its small mapping")
    func little() throws {
        let flow = try Flow()
        for number in 0..<10_000 {
            for end in 0...1 {
                let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 4_000 + 1)
                #expect(flow.write(payload, from: end))
                #expect(try flow.read(from: end) == payload)
            }
        }
        #expect((flow.writers + flow.readers).allSatisfy { $0.mapped == 65_536 })
    }

    @Test("what is held in place stays when the ring is mapped whole", arguments: [0, 1])
    func held(_ end: Int) throws {
        let flow = try Flow()
        #expect(flow.write([1, 2, 3], from: end))
        let front = try flow.consumers[end].front(&flow.readers[end])
        let held = try #require(front)
        let place = flow.writers[end].bytes
        let large = [UInt8](repeating: 9, count: 100_000)
        #expect(flow.write(large, from: end))
        #expect(flow.writers[end].bytes != place && place.load(fromByteOffset: 8, as: UInt8.self) == 1)
        flow.consumers[end].consume(held.count, of: flow.readers[end])
        #expect(try flow.read(from: end) == large)
        #expect(Array(UnsafeRawBufferPointer(start: held.payload, count: held.count)) == [1, 2, 3])
        // One memory, wherever it is mapped.
        place.storeBytes(of: 7, toByteOffset: 8, as: UInt8.self)
        #expect(held.payload.load(as: UInt8.self) == 7)
        #expect(flow.readers[end].bytes.load(fromByteOffset: 8, as: UInt8.self) == 7)
    }

    @Test("a message that is longer than all others maps the whole ring; what is held stays", arguments: [0, 1])
    func longest(_ end: Int) throws {
        let flow = try Flow(size: 16 << 20, queueBytes: 1 << 20)
        let everyday = UInt64(Limits.everydayRingBytes)
        let middle = [UInt8](repeating: 9, count: 100_000)
        #expect(flow.write(middle, from: end))
        #expect(flow.writers[end].mapped == everyday)
        let front = try flow.consumers[end].front(&flow.readers[end])
        let held = try #require(front)
        let longest = (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 / 1_000) }
        #expect(!flow.write(longest, from: end))
        flow.consumers[end].consume(held.count, of: flow.readers[end])
        #expect(flow.write(longest, from: end))
        #expect(try flow.read(from: end) == longest)
        #expect(flow.writers[end].mapped == UInt64(flow.size) && flow.readers[end].mapped == UInt64(flow.size))
        // The reader held a message in a mapping that is no longer the ring's.
        #expect([0, 9].contains(held.payload.load(as: UInt8.self)))
        #expect(flow.write(middle, from: end))
        #expect(try flow.read(from: end) == middle)
        #expect(flow.write(longest, from: end))
        #expect(try flow.read(from: end) == longest)
    }

    @Test("messages that are not longer never go beyond the everyday bytes", arguments: [0, 1])
    func everyday(_ end: Int) throws {
        let flow = try Flow(size: 16 << 20, queueBytes: 1 << 20)
        for number in 0..<12_000 {
            // The ring is never empty.
            #expect(flow.write([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1_400), from: end))
            if number > 0 {
                let expected = [UInt8](repeating: UInt8(truncatingIfNeeded: number - 1), count: 1_400)
                #expect(try flow.read(from: end) == expected)
            }
        }
        #expect(flow.writers[end].mapped == UInt64(Limits.everydayRingBytes))
        #expect(flow.readers[end].mapped == UInt64(Limits.everydayRingBytes))
    }

    @Test("a forked process maps for itself what its parent has mapped, to write and to give back", arguments: [0, 1])
    func forked(_ end: Int) throws {
        let flow = try Flow()
        // What the child inherited before the parent's ring was mapped whole. The producer is one.
        let inherited = flow.writers[end]
        let large = [UInt8](repeating: 5, count: 200_000)
        #expect(flow.write(large, from: end))
        #expect(flow.write([6], from: end))
        let parents = flow.writers[end]
        flow.writers[end] = inherited
        #expect(flow.write([7], from: end))
        #expect(flow.writers[end].bytes != parents.bytes)
        for payload in [large, [6], [7]] { #expect(try flow.read(from: end) == payload) }
        flow.writers[end].unmap()
        flow.writers[end] = inherited
        let isTrimmed = flow.producers[end].trim(&flow.writers[end])
        #expect(isTrimmed)
        #expect(flow.write([8], from: end))
        #expect(try flow.read(from: end) == [8])
        parents.unmap()
    }

    @Test("without memory for a mapping nothing is lost")
    func outOfMemory() throws {
        let flow = try Flow()
        // Memory that is not shared cannot be mapped again, as if there were none.
        let bytes = SegmentMemory.mappedBytes(ringBytes: Flow.size)
        let flags = Int32(MAP_PRIVATE) | Int32(MAP_ANONYMOUS)
        let area = try #require(mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0))
        defer { munmap(area, bytes) }
        for end in 0...1 {
            let direction: End = end == 0 ? .first : .second
            let large = [UInt8](repeating: 3, count: 60_000)
            let poor = Ring(segment: area, size: Flow.size, slot: flow.slot, from: direction)
            let rich = (flow.writers[end], flow.readers[end])
            flow.writers[end] = poor
            var outcome = flow.producers[end].reserve(100_000, in: &flow.writers[end], queueBytes: UInt64(Flow.size))
            guard case .outOfMemory = outcome else {
                Issue.record("\(outcome)")
                return
            }
            flow.writers[end] = rich.0
            for _ in 0..<3 { #expect(flow.write(large, from: end)) }
            #expect(try flow.read(from: end) == large)
            flow.readers[end] = poor
            // The next record begins in what is mapped, and ends beyond it.
            cl_store64_relaxed(longWord(poor.bytes, Int(Ring.need(large.count))), UInt64(large.count))
            for _ in 0..<2 { #expect(throws: RingFailure.outOfMemory) { try flow.read(from: end) } }
            flow.readers[end] = rich.1
            for _ in 0..<2 { #expect(try flow.read(from: end) == large) }
            outcome = flow.producers[end].reserve(1, in: &flow.writers[end], queueBytes: UInt64(Flow.size))
            if case .place = outcome {} else { Issue.record("\(outcome)") }
        }
    }

    @Test("a length that the peer has made up maps nothing", arguments: [UInt64(1) << 20, 1 << 40, .max])
    func madeUp(_ length: UInt64) throws {
        let flow = try Flow()
        #expect(flow.write([1], from: 0))
        cl_store64_relaxed(longWord(flow.writers[0].bytes, 0), length)
        cl_store64_release(flow.writers[0].tail, 2 << 20)
        #expect(throws: RingFailure.violation) { try flow.read(from: 0) }
        #expect(flow.readers[0].mapped == 65_536)
    }

    @Test("a memory of another size is not mapped")
    func otherSize() throws {
        let descriptor = try SegmentMemory.create(ringBytes: 1 << 16)
        #expect(throws: Failure.invalid) { _ = try SegmentMemory(mapping: descriptor, ringBytes: 1 << 17) }
        // A ring that is no longer than a beginning is mapped whole at once.
        let slot = UnsafeMutableRawPointer.allocate(byteCount: LinkLayout.slotBytes, alignment: 128)
        defer { slot.deallocate() }
        let segment = try SegmentMemory(mapping: descriptor, ringBytes: 1 << 16)
        let ring = Ring(segment: segment.base, size: segment.ringBytes, slot: slot, from: .second)
        #expect(ring.mapped == ring.size)
    }
}
