// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// The only way a packet gets off a flow. spec: c-api §5.7
package enum FlowReceive {
    private enum Outcome {
        case bytes(Int)
        case failed(Failure)
        case empty
    }

    /// One message, or a piece of it if `count` is less and FLOWFRNOPART is not set. Waits for one as long as `timeout`
    /// says; without one as FLOWFRNOBLOCK and FLOWSRCVTIMEO say. Queued messages come before any bad news.
    package static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawPointer?, count: Int, timeout: TimeSpan? = nil
    ) throws(Failure) -> Int {
        guard count >= 0, count == 0 || buffer != nil else { throw .invalid }
        return try take(descriptor, timeout) { entry, end, flags throws(RingViolation) in
            try deliver(entry, end, buffer, count, flags)
        }
    }

    /// One message whole, or what is left of one that was begun in pieces. Waits like `read`.
    package static func readMessage(_ descriptor: Int32, timeout: TimeSpan? = nil) throws(Failure) -> [UInt8] {
        var message: [UInt8] = []
        _ = try take(descriptor, timeout) { entry, end, _ throws(RingViolation) in
            guard let (record, left) = try next(entry, end) else { return nil }
            message = Array(UnsafeRawBufferPointer(start: record.payload + (record.count - left), count: left))
            end.receiving.pointee.delivered = 0
            end.receiving.pointee.endIsDue = false
            entry.consume(record, end)
            return .bytes(left)
        }
        return message
    }

    /// Waits until `deliver` takes something off the ring. One function with it in each caller.
    @inline(__always)
    private static func take(
        _ descriptor: Int32, _ timeout: TimeSpan?,
        _ deliver: (FlowPointer, FlowEnd, _ flags: UInt32) throws(RingViolation) -> Outcome?
    ) throws(Failure) -> Int {
        let entry = try FlowTable.entry(descriptor)
        var wait = Wait()
        while true {
            guard let end = entry.lockReading() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            let outcome: Outcome
            do {
                outcome = try receive(entry, end, deliver)
            } catch {
                entry.condemn(end)
                outcome = .failed(.flowDown)
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

    @inline(__always)
    private static func receive(
        _ entry: FlowPointer, _ end: FlowEnd,
        _ deliver: (FlowPointer, FlowEnd, _ flags: UInt32) throws(RingViolation) -> Outcome?
    ) throws(RingViolation) -> Outcome {
        let flags = cl_load32_relaxed(&end.settings.pointee.flags)
        if flags & (FlowFlags.accessMode | FlowFlags.down) != FlowFlags.readWrite {
            if flags & FlowFlags.down != 0 { return .failed(.flowDown) }
            if flags & FlowFlags.accessMode == FlowFlags.writeOnly { return .failed(.notPermitted) }
        }
        if let outcome = try deliver(entry, end, flags) { return outcome }
        guard let failure = entry.readingFailure(end) else { return .empty }
        // The peer may have written and then left between the two looks: what it wrote comes first.
        return try deliver(entry, end, flags) ?? .failed(failure)
    }

    /// Copies the oldest message or the next piece of it; nil if there is none. spec: c-api §5.7
    private static func deliver(
        _ entry: FlowPointer, _ end: FlowEnd, _ buffer: UnsafeMutableRawPointer?, _ count: Int, _ flags: UInt32
    ) throws(RingViolation) -> Outcome? {
        let state = end.receiving
        if state.pointee.endIsDue {
            state.pointee.endIsDue = false
            return .bytes(0)
        }
        if count == 0 { return .bytes(0) }
        guard let (record, left) = try next(entry, end) else { return nil }
        let whole = flags & FlowFlags.readWhole != 0
        if left > count, whole, state.pointee.delivered == 0 {
            entry.consume(record, end)
            return .failed(.messageTooLong)
        }
        let bytes = min(left, count)
        if let buffer { memcpy(buffer, record.payload + (record.count - left), bytes) }
        if bytes == left {
            state.pointee.delivered = 0
            state.pointee.endIsDue = left == count && !whole
            entry.consume(record, end)
        } else {
            state.pointee.delivered += bytes
        }
        return .bytes(bytes)
    }

    /// The oldest message, and how many of its bytes have not been delivered.
    @inline(__always)
    private static func next(
        _ entry: FlowPointer, _ end: FlowEnd
    ) throws(RingViolation) -> (record: RingConsumer.Record, left: Int)? {
        while let record = try end.receiving.pointee.consumer.front(entry.pointee.arriving) {
            // Empty messages only say that the peer is there; readers never see them.
            guard record.count > 0 else {
                entry.consume(record, end)
                continue
            }
            let left = record.count - end.receiving.pointee.delivered
            guard left >= 0 else { throw RingViolation() }
            return (record, left)
        }
        return nil
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
        case .again: cl_unlock(end.readLock)
        case .expired:
            cl_unlock(end.readLock)
            cl_test_cancel()
            throw .timedOut
        case .sleep(let deadline):
            entry.enterSleep()
            let expected = WakeUp.announce(entry.readerWait, flag: ReaderWait.futex)
            entry.sleepersBarrier(end.receiving)
            // A violation is found by the next look.
            let isEmpty = (try? end.receiving.pointee.consumer.isEmpty(entry.pointee.arriving)) ?? false
            let isStuck =
                isEmpty && entry.readingFailure(end) == nil
                && cl_load32_relaxed(&end.settings.pointee.flags) & FlowFlags.down == 0
            let address = entry.readerWait
            cl_unlock(end.readLock)
            try entry.sleep(on: isStuck ? address : nil, expected, until: deadline)
        }
    }
}

extension FlowPointer {
    /// Why nothing more will come; nil if something may.
    func readingFailure(_ end: FlowEnd) -> Failure? {
        let isGone = cl_load32_acquire(peerState) & (EndState.gone | EndState.down) != 0
        let fate = cl_load32_acquire(&end.settings.pointee.fate)
        if !isGone, fate == 0 { return nil }
        return isGone || fate & (Fate.down | Fate.violated) != 0 ? .flowDown : .flowPeer
    }

    /// The second step of a reader that is about to sleep. Who sleeps all the time has its writer fence from now on.
    func sleepersBarrier(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) {
        guard !receiving.pointee.writerFences else { return cl_fence() }
        if pointee.isExpedited, receiving.pointee.patience.isExhausted {
            _ = cl_or32(fenceRequired, FenceReason.sleepy)
            receiving.pointee.writerFences = true
        }
        WakeUp.sleeperBarrier(isExpedited: pointee.isExpedited)
    }

    /// Packets come without a sleep again: the writer need not fence any more.
    func releaseWriter(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) {
        guard receiving.pointee.patience.isFull else { return }
        receiving.pointee.writerFences = false
        _ = cl_and32(fenceRequired, ~FenceReason.sleepy)
    }

    /// Done with a record: makes its bytes free, and wakes a writer that waits for room once half of it is there.
    func consume(_ record: RingConsumer.Record, _ end: FlowEnd) {
        end.receiving.pointee.consumer.consume(record, of: pointee.arriving)
        WakeUp.barrier(isExpedited: pointee.isExpedited, fenceRequired: 0)
        if cl_load32_relaxed(peerWriterWait) != 0 { wakePeerWriter(end) }
    }

    /// The writer sleeps, so what is unread does not grow. While it is more than half of the queue, the flag stays for
    /// the next record; a large message may need several wake-ups until the ring is empty.
    @inline(never)
    private func wakePeerWriter(_ end: FlowEnd) {
        let unread = (try? end.receiving.pointee.consumer.unreadBytes(pointee.arriving)) ?? 0
        if unread <= pointee.queueBytes / 2 { WakeUp.sleeper(on: peerWriterWait) }
    }
}
