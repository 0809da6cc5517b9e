// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import Platform
import Vocabulary

/// What every call does for the protocol, and the service thread when no call does: takes packets off the ring that the IPCP
/// fills, lets timers act, and puts packets onto the ring that the IPCP empties. design: frcp-place
extension FlowPointer {
    /// The memory and the end with its lock held; nil if the flow is not open.
    func lockLayer() -> (LayerMemory, FlowEnd)? {
        guard let end = pointee.end, let layer = pointee.layer else { return nil }
        // The process that had the lock may have died in the middle of a change; nothing is repaired by guessing.
        if cl_lock(end.readLock) { condemn(end) }
        if pointee.end == end, pointee.layer == layer { return (layer, end) }
        cl_unlock(end.readLock)
        return nil
    }

    /// Packets in one go, so that no call holds the lock for long.
    private static var mostPackets: Int { 256 }

    /// With the lock held. Returns true if there may be more to do at once.
    @discardableResult
    func turnLayer(_ layer: LayerMemory, _ end: FlowEnd, now: UInt64) -> Bool {
        let isMore = drain(layer, end, now: now)
        if now >= layer.state.pointee.due {
            let due = layer.findDeadline()
            if now >= due { layer.withMachine { machine, sent, arrived in machine.expire(now: now, &sent, &arrived) } }
        }
        emit(layer, end, now: now)
        noteEnd(layer, end)
        return isMore
    }

    /// What became of the flow stands with its settings, where everybody looks.
    private func noteEnd(_ layer: LayerMemory, _ end: FlowEnd) {
        let machine = layer.state
        guard machine.pointee.machine.hasEnded else { return }
        let fate = machine.pointee.machine.failure == .silent ? Fate.silent : Fate.down
        guard cl_or32(&end.settings.pointee.fate, fate) & fate == 0 else { return }
        machine.pointee.hasNews = true
    }

    /// Unlocks, wakes the threads that wait for what has arrived, and sets the time of the next look of the service thread.
    ///
    /// - Parameter process: If its lock is held.
    func leaveLayer(
        _ layer: LayerMemory, _ end: FlowEnd, _ descriptor: Int32, now: UInt64, holding process: FlowProcess? = nil
    ) {
        let state = layer.state
        let due = nextLook(layer, end, now: now)
        let mustSchedule = due < state.pointee.scheduled
        if mustSchedule { state.pointee.scheduled = due }
        let mustWake = state.pointee.hasNews && state.pointee.watchers > 0
        state.pointee.hasNews = false
        let hasGrown = end.sending.pointee.producer.takeGrowth()
        // The set looks itself when it holds the process lock.
        let hasRoom = process == nil && hasRoomNews(layer)
        cl_unlock(end.readLock)
        if mustWake { wakeOwn() }
        guard mustSchedule || hasGrown || hasRoom else { return }
        func arrange(_ process: FlowProcess) {
            if hasRoom { process.handOver(self, descriptor) }
            if mustSchedule { process.lookAtLayer(descriptor, at: due) }
            if hasGrown { process.beginTrim(descriptor) }
        }
        if let process { arrange(process) } else { FlowProcess.shared.locked(arrange) }
    }

    /// When somebody must look at the flow: at the machine's deadline, and soon while things happen. An idle flow rings.
    private func nextLook(_ layer: LayerMemory, _ end: FlowEnd, now: UInt64) -> UInt64 {
        let state = layer.state
        guard !isProviderGone(end) else { return .max }
        // Soon enough, whatever the deadline is now.
        if state.pointee.scheduled <= now + Self.soon, !state.pointee.machine.holdsBack { return .max }
        var due = layer.findDeadline()
        if state.pointee.isRingFull || state.pointee.watchers == 0 && state.pointee.quietLooks < Self.looksUntilQuiet {
            due = min(due, now + Self.soon)
        }
        return max(min(due, state.pointee.trimDue), now)
    }

    /// The service thread looks at a flow so often, `soon` apart, before it lets the flow ring.
    static var looksUntilQuiet: Int { 4 }
    /// How late a deadline may be met that nobody waits for, nanoseconds.
    private static var soon: UInt64 { 1_000_000 }

    // What arrives.

    private func drain(_ layer: LayerMemory, _ end: FlowEnd, now: UInt64) -> Bool {
        let receiving = end.receiving
        var count = 0
        do throws(RingFailure) {
            while count < Self.mostPackets, let record = try receiving.pointee.consumer.front(&pointee.arriving) {
                take(record, layer, now: now)
                receiving.pointee.consumer.skip(record.count)
                count += 1
            }
        } catch {
            _ = failure(error, end)
        }
        if count > 0 {
            publishFreed(end)
            layer.state.pointee.due = 0
            layer.state.pointee.quietLooks = 0
            layer.state.pointee.hasNews = true
        }
        return count == Self.mostPackets
    }

    /// One packet. Its bytes are shared memory: they are copied before they are looked at.
    private func take(_ record: RingConsumer.Record, _ layer: LayerMemory, now: UInt64) {
        var trailer = layer.state.pointee.trailerBytes
        // An empty packet only says that the peer's process is there.
        guard record.count > 0 else { return layer.state.pointee.machine.heardLife(now: now) }
        if trailer > 0, record.count == FRCPHeader.bytes, layer.state.pointee.machine.takesControlWithoutChecksum {
            trailer = 0
        }
        guard record.count >= FRCPHeader.bytes + trailer, record.count <= LayerMemory.scratchBytes else {
            layer.state.pointee.damaged += 1
            return
        }
        var source = record.payload
        if trailer > 0 {
            cl_copy(layer.scratch, record.payload, record.count)
            source = UnsafeRawPointer(layer.scratch)
            guard isIntact(source, record.count) else {
                layer.state.pointee.damaged += 1
                return
            }
        }
        var words: (UInt32, UInt32, UInt32) = (0, 0, 0)
        withUnsafeMutableBytes(of: &words) { bytes in
            if let base = bytes.baseAddress { cl_copy(base, source, FRCPHeader.bytes) }
        }
        let header = FRCPHeader(words: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian))
        let length = record.count - FRCPHeader.bytes - trailer
        guard header.flags.contains(.data) else {
            let isPrivate = source == UnsafeRawPointer(layer.scratch)
            return takeControl(header, source + FRCPHeader.bytes, length, isPrivate: isPrivate, layer, now: now)
        }
        let arrival = layer.withMachine { machine, sent, arrived in
            machine.dataArrived(
                header, length: length, capacity: LayerMemory.arrivedBytes, arrival: now, now: now, &sent, &arrived)
        }
        if case .store(let place) = arrival { layer.copyToArrived(place, source + FRCPHeader.bytes, length) }
    }

    /// A packet without data. Apart from the others, so that they need no memory for a frame.
    @inline(never)
    private func takeControl(
        _ header: FRCPHeader, _ source: UnsafeRawPointer, _ length: Int, isPrivate: Bool, _ layer: LayerMemory,
        now: UInt64
    ) {
        var frame: Acknowledgement?
        if !header.flags.contains(.end) {
            // No more of it than the longest frame.
            let bytes = min(length, Acknowledgement.leastBytes + 4 * Acknowledgement.mostRanges)
            if !isPrivate { cl_copy(layer.scratch, source, bytes) }
            let start = isPrivate ? source : UnsafeRawPointer(layer.scratch)
            frame = Acknowledgement(Span(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: bytes))
        }
        layer.withMachine { machine, sent, arrived in
            machine.controlArrived(header, length: length, frame: frame, now: now, &sent, &arrived)
        }
    }

    private func isIntact(_ packet: UnsafeRawPointer, _ count: Int) -> Bool {
        let covered = UnsafeRawBufferPointer(start: packet, count: count - CRC32.bytes)
        return UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: covered.count, as: UInt32.self))
            == CRC32.of(covered)
    }

    // What goes.

    private func emit(_ layer: LayerMemory, _ end: FlowEnd, now: UInt64) {
        let sending = end.sending
        let trailer = layer.state.pointee.trailerBytes
        let largest = layer.state.pointee.machine.payload + FRCPHeader.bytes + trailer
        let most = max(largest, FRCPHeader.bytes + Acknowledgement.mostBytes + trailer)
        var count = 0
        layer.state.pointee.isRingFull = false
        // The ring of a flow that was never used takes no memory.
        guard !layer.state.pointee.machine.isFresh else { return }
        while count < Self.mostPackets {
            // The place first: what the machine has given must go.
            let outcome = sending.pointee.producer.reserve(
                most, in: &pointee.departing, queueBytes: pointee.queueBytes)
            guard case .place(let start) = outcome else {
                if case .violation = outcome { condemn(end) }
                layer.state.pointee.isRingFull = true
                break
            }
            let departure = layer.withMachine { machine, sent, arrived in machine.depart(now: now, &sent, &arrived) }
            guard let departure else { break }
            let payload = sending.pointee.producer.payload(start, in: pointee.departing)
            var bytes = write(departure, to: payload, layer)
            if trailer > 0, bytes > 0 {
                let sum = CRC32.of(UnsafeRawBufferPointer(start: payload, count: bytes))
                payload.storeBytes(of: sum.bigEndian, toByteOffset: bytes, as: UInt32.self)
                bytes += CRC32.bytes
            }
            sending.pointee.producer.publish(start, bytes, in: pointee.departing)
            count += 1
        }
        guard count > 0 else { return }
        layer.state.pointee.quietLooks = 0
        layer.state.pointee.due = min(layer.state.pointee.due, now + Self.soon)
        wakePeerReader()
    }

    /// Returns the bytes of the packet.
    private func write(
        _ departure: FRCPEnd.Departure, to payload: UnsafeMutableRawPointer, _ layer: LayerMemory
    ) -> Int {
        switch departure {
        case .data(let header, let position, let length):
            header.store(to: payload)
            layer.copyFromSent(position, to: payload + FRCPHeader.bytes, length)
            return FRCPHeader.bytes + length
        case .empty: return 0
        case .bare(let header):
            header.store(to: payload)
            return FRCPHeader.bytes
        case .control(let header):
            let frame = layer.state.pointee.machine.told
            header.store(to: payload)
            let room = UnsafeMutableBufferPointer(
                start: (payload + FRCPHeader.bytes).assumingMemoryBound(to: UInt8.self), count: frame.bytes)
            var span = OutputSpan(buffer: room, initializedCount: 0)
            frame.write(to: &span)
            _ = span.finalize(for: room)
            return FRCPHeader.bytes + frame.bytes
        }
    }
}

extension FRCPHeader {
    fileprivate func store(to payload: UnsafeMutableRawPointer) {
        let words = words
        payload.storeBytes(of: words.0.bigEndian, as: UInt32.self)
        payload.storeBytes(of: words.1.bigEndian, toByteOffset: 4, as: UInt32.self)
        payload.storeBytes(of: words.2.bigEndian, toByteOffset: 8, as: UInt32.self)
    }
}
