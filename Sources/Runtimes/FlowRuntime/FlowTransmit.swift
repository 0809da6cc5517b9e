// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// How a process puts packets onto its flows. An IPCP does it with `ProviderFlow`. spec: c-api §5.6
///
/// All calls wait for room, as long as their `timeout` says; without one as FLOWFWNOBLOCK and FLOWSSNDTIMEO say.
package enum FlowTransmit {
    /// One message.
    package static func write(
        _ descriptor: Int32, _ source: UnsafeRawPointer?, count: Int, timeout: TimeSpan? = nil
    ) throws(Failure) -> Int {
        guard count == 0 || source != nil else { throw .invalid }
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil {
            try LayerTransmit.write(descriptor, entry, count: count, timeout: timeout) { layer, position in
                if let source { layer.copyToSent(position, source, count) }
            }
            return count
        }
        try place(descriptor, entry, count, timeout) { entry, end, start in
            if let source, count > 0 {
                cl_copy(end.sending.pointee.producer.payload(start, in: entry.pointee.departing), source, count)
            }
            entry.publish(start, count, end)
        }
        return count
    }

    /// One message of several pieces.
    package static func write(_ descriptor: Int32, _ parts: UnsafeBufferPointer<iovec>) throws(Failure) -> Int {
        let count = try parts.totalBytes()
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil {
            try LayerTransmit.write(descriptor, entry, count: count, timeout: nil) { layer, position in
                var place = position
                for part in parts {
                    guard let base = part.iov_base, part.iov_len > 0 else { continue }
                    layer.copyToSent(place, base, part.iov_len)
                    place += UInt64(part.iov_len)
                }
            }
            return count
        }
        try place(descriptor, entry, count, nil) { entry, end, start in
            var destination = end.sending.pointee.producer.payload(start, in: entry.pointee.departing)
            for part in parts {
                guard let base = part.iov_base, part.iov_len > 0 else { continue }
                cl_copy(destination, base, part.iov_len)
                destination += part.iov_len
            }
            entry.publish(start, count, end)
        }
        return count
    }

    /// A place for a message of up to `count` bytes, to be written to and then committed. Nothing else can be written
    /// until then. `.busy` if there is such a place already.
    package static func reserve(
        _ descriptor: Int32, count: Int, timeout: TimeSpan? = nil
    ) throws(Failure) -> UnsafeMutableRawBufferPointer {
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil {
            return try LayerPlaces.reserve(descriptor, entry, count: count, timeout: timeout)
        }
        var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        try place(descriptor, entry, count, timeout) { entry, end, start in
            end.sending.pointee.reservation.begin(at: start, bytes: count)
            entry.hold(.reservation)
            room = UnsafeMutableRawBufferPointer(
                start: end.sending.pointee.producer.payload(start, in: entry.pointee.departing), count: count)
        }
        return room
    }

    /// Sends the first `count` bytes of the reserved place; 0 gives it back and sends nothing. `.invalid` if this process
    /// has reserved none, `.messageTooLong` if it is smaller; then it stays reserved.
    package static func commit(_ descriptor: Int32, count: Int) throws(Failure) -> Int {
        let entry = try FlowTable.entry(descriptor)
        if entry.pointee.layer != nil { return try LayerPlaces.commit(descriptor, entry, count: count) }
        guard count >= 0, entry.letGo(.reservation) else { throw .invalid }
        guard let end = entry.lockWriting() else {
            entry.leaveSleep()
            throw .flowDown
        }
        let reservation = end.sending.pointee.reservation
        guard reservation.isOurs, count <= reservation.bytes else {
            cl_unlock(end.writeLock)
            entry.holdAgain(.reservation)
            throw .messageTooLong
        }
        // The flow's memory stays until here.
        defer { entry.leaveSleep() }
        defer { cl_unlock(end.writeLock) }
        end.sending.pointee.reservation.end()
        if let failure = entry.writingFailure(end) { throw failure }
        if count > 0 { entry.publish(reservation.start, count, end) }
        return count
    }

    /// Calls `use` with the write lock held, when there is room for a record of `count` bytes at `start`.
    @inline(__always)
    private static func place(
        _ descriptor: Int32, _ entry: FlowPointer, _ count: Int, _ timeout: TimeSpan?,
        _ use: (FlowPointer, FlowEnd, _ start: UInt64) -> Void
    ) throws(Failure) {
        var wait = Wait()
        while true {
            guard let end = entry.lockWriting() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            guard count >= 0, count <= entry.pointee.messageBytes else {
                cl_unlock(end.writeLock)
                throw .messageTooLong
            }
            if let failure = entry.writingFailure(end) ?? end.sending.pointee.reservation.refusal() {
                cl_unlock(end.writeLock)
                throw failure
            }
            let outcome = end.sending.pointee.producer.reserve(
                count + Int(entry.pointee.trailerBytes), in: &entry.pointee.departing,
                queueBytes: entry.pointee.queueBytes)
            switch outcome {
            case .place(let start):
                wait.end(&end.sending.pointee.patience)
                use(entry, end, start)
                let hasGrown = end.sending.pointee.producer.takeGrowth()
                cl_unlock(end.writeLock)
                if hasGrown { FlowProcess.shared.trimLater(descriptor) }
                return
            case .full:
                try waitForRoom(count, entry, end, &wait, timeout)
            case .outOfMemory:
                cl_unlock(end.writeLock)
                throw .outOfMemory
            case .violation:
                entry.condemn(end)
                cl_unlock(end.writeLock)
                throw .flowDown
            }
        }
    }

    /// The ring is full: waits a little or sleeps, and unlocks.
    private static func waitForRoom(
        _ count: Int, _ entry: FlowPointer, _ end: FlowEnd, _ wait: inout Wait, _ timeout: TimeSpan?
    ) throws(Failure) {
        let flags = cl_load32_relaxed(&end.settings.pointee.flags)
        let bytes = count + Int(entry.pointee.trailerBytes)
        guard timeout != nil || flags & FlowFlags.writeNonBlocking == 0 else {
            return try entry.refuse(bytes, end, .wouldBlock)
        }
        let limit = timeout?.nanoseconds ?? end.settings.pointee.sendTimeout
        switch wait.next(timeout: limit, &end.sending.pointee.patience) {
        case .again: cl_unlock(end.writeLock)
        case .expired: try entry.refuse(bytes, end, .timedOut)
        case .sleep(let deadline):
            entry.enterSleep()
            let quiet = cl_load32_acquire(end.alarm)
            let expected = WakeUp.announce(entry.writerWait, flag: WriterWait.futex)
            let isCertain = WakeUp.sleeperBarrier(isExpedited: entry.pointee.isExpedited)
            let isStuck =
                !end.sending.pointee.producer.hasRoom(
                    bytes, in: entry.pointee.departing, queueBytes: entry.pointee.queueBytes)
                && entry.writingFailure(end) == nil
            let place = SleepingPlace(word: entry.writerWait, expected: expected, alarm: end.alarm, quiet: quiet)
            cl_unlock(end.writeLock)
            try entry.sleep(on: isStuck ? place : nil, until: WakeUp.limit(deadline, isCertain: isCertain))
        }
    }
}

extension FlowPointer {
    /// Why nothing can be written; nil if it can.
    @inline(__always) func writingFailure(_ end: FlowEnd) -> Failure? {
        let flags = cl_load32_relaxed(&end.settings.pointee.flags)
        let peer = cl_load32_acquire(peerState)
        let fate = cl_load32_relaxed(&end.settings.pointee.fate)
        if flags & (FlowFlags.accessMode | FlowFlags.down) == FlowFlags.readWrite, peer == 0, fate == 0 {
            return nil
        }
        return refusal(flags, peer, fate)
    }

    private func refusal(_ flags: UInt32, _ peer: UInt32, _ fate: UInt32) -> Failure? {
        if flags & FlowFlags.accessMode == FlowFlags.readOnly { return .notPermitted }
        if flags & FlowFlags.down != 0 || fate & (Fate.down | Fate.violated) != 0 { return .flowDown }
        if peer & (EndState.gone | EndState.down) != 0 { return .flowDown }
        if fate & Fate.silent != 0 { return .flowPeer }
        return peer & EndState.notReading != 0 ? .notPermitted : nil
    }

    /// Makes what was written at `start` a message of `count` bytes.
    @inline(__always) func publish(_ start: UInt64, _ count: Int, _ end: FlowEnd) {
        let stored = pointee.trailerBytes == 0 ? count : seal(start, count, end)
        end.sending.pointee.producer.publish(start, stored, in: pointee.departing)
        end.sending.pointee.bytes &+= UInt64(count)
        wakePeerReader()
    }

    /// Puts the checksum behind a message; returns the bytes of both. spec: frcp §1, §2
    @inline(never) private func seal(_ start: UInt64, _ count: Int, _ end: FlowEnd) -> Int {
        guard count > 0 else { return 0 }
        let payload = end.sending.pointee.producer.payload(start, in: pointee.departing)
        let sum = CRC32.of(UnsafeRawBufferPointer(start: payload, count: count))
        payload.storeBytes(of: sum.bigEndian, toByteOffset: count, as: UInt32.self)
        return count + CRC32.bytes
    }

    /// After records were published.
    @inline(__always) func wakePeerReader() {
        let fence = cl_load32_relaxed(fenceRequiredByPeer)
        WakeUp.barrier(isExpedited: pointee.isExpedited, fenceRequired: fence)
        if cl_load32_relaxed(peerReaderWait) != ReaderWait.awake, !ringPeerReader() { bellIsLost() }
    }

    /// The program has closed the link's socket, so the peer has seen the end of the link.
    func bellIsLost() {
        if let end = pointee.end { _ = cl_or32(&end.settings.pointee.fate, Fate.down) }
    }

    /// False if the peer could not be told.
    @inline(never)
    func ringPeerReader() -> Bool {
        pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.reader(
                of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: link.socket)
        }
    }
}
