// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// How a process takes packets off its flows. An IPCP does it with `ProviderFlow`. spec: c-api §5.7
///
/// All calls wait for a message, as long as their `timeout` says; without one as FLOWFRNOBLOCK and FLOWSRCVTIMEO say.
/// Queued messages come before any bad news.
package enum FlowReceive {
    /// One message, or a piece of it if `count` is less and FLOWFRNOPART is not set.
    package static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawPointer?, count: Int, timeout: TimeSpan? = nil
    ) throws(Failure) -> Int {
        guard count >= 0, count == 0 || buffer != nil else { throw .invalid }
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil {
            return try LayerReceive.receive(descriptor, entry, timeout) { layer, end, flags in
                LayerReceive.deliver(layer, end, count, flags) { source, offset, bytes in
                    if let buffer { cl_copy(buffer + offset, source, bytes) }
                }
            }
        }
        return try receive(entry, timeout) { (entry, end, flags) throws(RingFailure) in
            try deliver(entry, end, count, flags) { bytes, source in
                if let buffer { cl_copy(buffer, source, bytes) }
            }
        }
    }

    /// The same into several buffers, one after the other.
    package static func read(
        _ descriptor: Int32, into parts: UnsafeBufferPointer<iovec>
    ) throws(Failure) -> Int {
        let count = try parts.totalBytes()
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil {
            return try LayerReceive.receive(descriptor, entry, nil) { layer, end, flags in
                LayerReceive.deliver(layer, end, count, flags) { source, offset, bytes in
                    parts.copy(source, bytes, at: offset)
                }
            }
        }
        return try receive(entry, nil) { (entry, end, flags) throws(RingFailure) in
            try deliver(entry, end, count, flags) { bytes, source in
                var done = 0
                for part in parts where done < bytes {
                    let piece = min(part.iov_len, bytes - done)
                    if let base = part.iov_base, piece > 0 { cl_copy(base, source + done, piece) }
                    done += piece
                }
            }
        }
    }

    /// The oldest message whole, or what is left of it.
    package static func readMessage(_ descriptor: Int32, timeout: TimeSpan?) throws(Failure) -> [UInt8] {
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil { return try LayerPlaces.readMessage(descriptor, entry, timeout) }
        var message: [UInt8] = []
        _ = try receive(entry, timeout) { (entry, end, _) throws(RingFailure) in
            guard let record = try entry.front(end) else { return .empty }
            let delivered = end.receiving.pointee.delivered
            message = Array(
                UnsafeRawBufferPointer(start: record.payload + delivered, count: record.count - delivered))
            end.receiving.pointee.delivered = 0
            end.receiving.pointee.endIsDue = false
            entry.consume(bytes: record.count, end)
            return .bytes(message.count)
        }
        return message
    }

    /// The oldest message, or what is left of it, in place. It stays there, and nothing else can be read, until
    /// `release`. The peer can change its bytes at any time. `.busy` if a message is held already.
    package static func peek(
        _ descriptor: Int32, timeout: TimeSpan? = nil
    ) throws(Failure) -> UnsafeRawBufferPointer {
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil { return try LayerPlaces.peek(descriptor, entry, timeout) }
        var message = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = try receive(entry, timeout) { (entry, end, _) throws(RingFailure) in
            let state = end.receiving
            state.pointee.endIsDue = false
            guard let record = try entry.front(end) else { return .empty }
            state.pointee.held.begin(bytes: record.count)
            entry.hold(.message)
            let delivered = state.pointee.delivered
            message = UnsafeRawBufferPointer(
                start: record.payload + delivered, count: record.count - delivered)
            return .bytes(message.count)
        }
        return message
    }

    /// Done with what `peek` gave. `.invalid` if this process holds nothing; `.flowDown` if the flow was closed meanwhile.
    package static func release(_ descriptor: Int32) throws(Failure) {
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil { return try LayerPlaces.release(descriptor, entry) }
        guard entry.letGo(.message) else { throw .invalid }
        // The flow's memory stays until here.
        defer { entry.leaveSleep() }
        guard let end = entry.lockReading() else { throw .flowDown }
        defer { cl_unlock(end.readLock) }
        let state = end.receiving
        guard state.pointee.held.isOurs else { throw .invalid }
        state.pointee.held.end()
        state.pointee.delivered = 0
        entry.consume(bytes: state.pointee.held.bytes, end)
    }

    private enum Outcome {
        case bytes(Int)
        case failed(Failure)
        case empty
    }

    /// Calls `take` with the read lock held, again after each wait until there is something.
    @inline(__always)
    private static func receive(
        _ entry: FlowPointer, _ timeout: TimeSpan?,
        _ take: (FlowPointer, FlowEnd, _ flags: UInt32) throws(RingFailure) -> Outcome
    ) throws(Failure) -> Int {
        var wait = Wait()
        while true {
            guard let end = entry.lockReading() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            let flags = cl_load32_relaxed(&end.settings.pointee.flags)
            if let failure = end.refusal(flags) {
                cl_unlock(end.readLock)
                throw failure
            }
            var outcome: Outcome
            do {
                outcome = try take(entry, end, flags)
                if case .empty = outcome, let failure = entry.readingFailure(end) {
                    // The peer may have written and then left between the two looks: what it wrote comes first.
                    outcome = try take(entry, end, flags)
                    if case .empty = outcome, try end.receiving.pointee.consumer.isEmpty(entry.pointee.arriving) {
                        outcome = .failed(failure)
                    }
                }
            } catch {
                outcome = .failed(entry.failure(error, end))
            }
            switch outcome {
            case .bytes(let bytes):
                wait.end(&end.receiving.pointee.patience)
                if end.receiving.pointee.writerFences { entry.releaseWriter(end.receiving) }
                cl_unlock(end.readLock)
                return bytes
            case .failed(let failure):
                cl_unlock(end.readLock)
                throw failure
            case .empty: try waitForPacket(entry, end, &wait, timeout)
            }
        }
    }

    /// Copies the oldest message or the next piece of it, at most `count` bytes. spec: c-api §5.7
    @inline(__always)
    private static func deliver(
        _ entry: FlowPointer, _ end: FlowEnd, _ count: Int, _ flags: UInt32,
        _ copy: (_ bytes: Int, _ source: UnsafeRawPointer) -> Void
    ) throws(RingFailure) -> Outcome {
        let state = end.receiving
        if state.pointee.endIsDue {
            state.pointee.endIsDue = false
            return .bytes(0)
        }
        if count == 0 { return .bytes(0) }
        guard let record = try entry.front(end) else { return .empty }
        let delivered = state.pointee.delivered
        let left = record.count - delivered
        let whole = flags & FlowFlags.readWhole != 0
        if left > count, whole, delivered == 0 {
            entry.consume(bytes: record.count, end)
            return .failed(.messageTooLong)
        }
        let bytes = min(left, count)
        copy(bytes, record.payload + delivered)
        if bytes == left {
            state.pointee.delivered = 0
            state.pointee.endIsDue = left == count && !whole
            entry.consume(bytes: record.count, end)
        } else {
            state.pointee.delivered = delivered + bytes
        }
        return .bytes(bytes)
    }

    /// The ring is empty: waits a little or sleeps, and unlocks.
    private static func waitForPacket(
        _ entry: FlowPointer, _ end: FlowEnd, _ wait: inout Wait, _ timeout: TimeSpan?
    ) throws(Failure) {
        let flags = cl_load32_relaxed(&end.settings.pointee.flags)
        guard timeout != nil || flags & FlowFlags.readNonBlocking == 0 else {
            cl_unlock(end.readLock)
            throw .wouldBlock
        }
        let limit = timeout?.nanoseconds ?? end.settings.pointee.receiveTimeout
        switch wait.next(timeout: limit, &end.receiving.pointee.patience) {
        case .again:
            let written = cl_load64_relaxed(entry.pointee.departing.written)
            if wait.isForAnswer(written, &end.receiving.pointee.writtenBefore) {
                end.receiving.pointee.consumer.expect(in: entry.pointee.arriving)
            }
            cl_unlock(end.readLock)
        case .expired:
            cl_unlock(end.readLock)
            cl_test_cancel()
            throw .timedOut
        case .sleep(let deadline):
            entry.enterSleep()
            let quiet = cl_load32_acquire(end.alarm)
            let expected = WakeUp.announce(entry.readerWait, flag: ReaderWait.futex)
            let isCertain = entry.sleepersBarrier(end.receiving)
            // A violation is found by the next look.
            let isEmpty = (try? end.receiving.pointee.consumer.isEmpty(entry.pointee.arriving)) ?? false
            let isStuck =
                isEmpty && entry.readingFailure(end) == nil
                && cl_load32_relaxed(&end.settings.pointee.flags) & FlowFlags.down == 0
            let place = SleepingPlace(word: entry.readerWait, expected: expected, alarm: end.alarm, quiet: quiet)
            cl_unlock(end.readLock)
            try entry.sleep(on: isStuck ? place : nil, until: WakeUp.limit(deadline, isCertain: isCertain))
        }
    }
}

extension FlowEnd {
    /// Why nobody may read here now, whatever has arrived.
    func refusal(_ flags: UInt32) -> Failure? {
        if flags & (FlowFlags.accessMode | FlowFlags.down) != FlowFlags.readWrite {
            if flags & FlowFlags.down != 0 { return .flowDown }
            if flags & FlowFlags.accessMode == FlowFlags.writeOnly { return .notPermitted }
        }
        return receiving.pointee.held.refusal()
    }
}

extension FlowPointer {
    /// The oldest message; nil if there is none. Empty packets only say that the peer is there, and those with a wrong
    /// checksum say nothing at all: readers never see them. A peer can send such packets without end, so a look passes
    /// over no more of them than a ring holds; then nil means that the next look may find one.
    @inline(__always) func front(_ end: FlowEnd) throws(RingFailure) -> RingConsumer.Record? {
        let state = end.receiving
        guard let record = try state.pointee.consumer.front(&pointee.arriving) else { return nil }
        let trailer = Int(pointee.trailerBytes)
        guard isMessage(record, state, trailer) else { return try frontBehindOthers(end) }
        guard record.count - trailer >= state.pointee.delivered else { throw .violation }
        return record.droppingLast(trailer)
    }

    /// A message that is read in pieces was checked before the first.
    @inline(__always) private func isMessage(
        _ record: RingConsumer.Record, _ state: UnsafeMutablePointer<FlowEnd.Receiving>, _ trailer: Int
    ) -> Bool {
        record.count > 0 && (trailer == 0 || state.pointee.delivered > 0 || record.isIntact)
    }

    @inline(never) private func frontBehindOthers(_ end: FlowEnd) throws(RingFailure) -> RingConsumer.Record? {
        let state = end.receiving
        let trailer = Int(pointee.trailerBytes)
        var passed: UInt64 = 0
        while passed < pointee.arriving.size, let record = try state.pointee.consumer.front(&pointee.arriving) {
            if isMessage(record, state, trailer) { return record.droppingLast(trailer) }
            passed += Ring.need(record.count)
            consume(stored: record.count, end)
        }
        return nil
    }

    /// What a failure of the ring is for the program.
    @inline(never) func failure(_ failure: RingFailure, _ end: FlowEnd) -> Failure {
        switch failure {
        case .violation:
            condemn(end)
            return .flowDown
        case .outOfMemory: return .outOfMemory
        }
    }

    /// Why nothing more will come; nil if something may.
    func readingFailure(_ end: FlowEnd) -> Failure? {
        let isGone = cl_load32_acquire(peerState) & (EndState.gone | EndState.down) != 0
        let fate = cl_load32_acquire(&end.settings.pointee.fate)
        if !isGone, fate == 0 { return nil }
        return isGone || fate & (Fate.down | Fate.violated) != 0 ? .flowDown : .flowPeer
    }

    /// The second step of a reader that is about to sleep. One that sleeps all the time, or whose barriers are refused,
    /// has its writer fence from now on. False: this time the writer may not know that it is to wake.
    func sleepersBarrier(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) -> Bool {
        guard !receiving.pointee.writerFences else {
            cl_fence()
            return true
        }
        if pointee.isExpedited, receiving.pointee.patience.isExhausted { requireFences(receiving) }
        let isCertain = WakeUp.sleeperBarrier(isExpedited: pointee.isExpedited)
        if !isCertain { requireFences(receiving) }
        return isCertain
    }

    private func requireFences(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) {
        _ = cl_or32(fenceRequired, FenceReason.sleepy)
        receiving.pointee.writerFences = true
    }

    /// Packets come without a sleep again: the writer need not fence any more.
    func releaseWriter(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) {
        guard receiving.pointee.patience.isFull else { return }
        receiving.pointee.writerFences = false
        _ = cl_and32(fenceRequired, ~FenceReason.sleepy)
    }

    /// Done with a message of so many bytes.
    @inline(__always) fileprivate func consume(bytes: Int, _ end: FlowEnd) {
        end.receiving.pointee.bytes &+= UInt64(bytes)
        consume(stored: bytes + Int(pointee.trailerBytes), end)
    }

    /// Done with a record: makes its bytes free, and wakes a writer that waits for room once half of it is there.
    @inline(__always) fileprivate func consume(stored: Int, _ end: FlowEnd) {
        end.receiving.pointee.consumer.skip(stored)
        publishRead(end)
    }

    /// After records were consumed.
    @inline(__always) func publishRead(_ end: FlowEnd) {
        cl_store64_relaxed(&end.receiving.pointee.read, end.receiving.pointee.consumer.read)
        publishFreed(end)
    }

    /// After records were taken off the ring; how many messages were read is another matter.
    @inline(__always) func publishFreed(_ end: FlowEnd) {
        end.receiving.pointee.consumer.publish(to: pointee.arriving)
        WakeUp.barrier(isExpedited: pointee.isExpedited, fenceRequired: 0)
        if cl_load32_relaxed(peerWriterWait) != 0 { wakePeerWriter(end) }
    }
}

extension RingConsumer.Record {
    /// Whether a message and its checksum are in it. spec: frcp §2
    var isIntact: Bool {
        guard count > CRC32.bytes else { return false }
        let message = UnsafeRawBufferPointer(start: payload, count: count - CRC32.bytes)
        let sum = payload.loadUnaligned(fromByteOffset: message.count, as: UInt32.self)
        return UInt32(bigEndian: sum) == CRC32.of(message)
    }
}
