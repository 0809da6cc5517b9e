// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// The only way a packet gets onto a flow. spec: c-api §5.6
package enum FlowTransmit {
    /// One message. Waits for room as long as `timeout` says; without one as FLOWFWNOBLOCK and FLOWSSNDTIMEO say.
    package static func write(
        _ descriptor: Int32, _ source: UnsafeRawPointer?, count: Int, timeout: TimeSpan? = nil
    ) throws(Failure) -> Int {
        guard count == 0 || source != nil else { throw .invalid }
        let entry = try FlowTable.entry(descriptor)
        var wait = Wait()
        while true {
            guard let end = entry.lockWriting() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            guard count >= 0, count <= entry.pointee.messageBytes else {
                cl_unlock(end.writeLock)
                throw .messageTooLong
            }
            if let failure = entry.writingFailure(end) {
                cl_unlock(end.writeLock)
                throw failure
            }
            let outcome = end.sending.pointee.producer.write(
                source, count: count, into: entry.pointee.departing, queueBytes: entry.pointee.queueBytes)
            switch outcome {
            case .written:
                wait.end(&end.sending.pointee.patience)
                entry.wakePeerReader()
                cl_unlock(end.writeLock)
                return count
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
        guard timeout != nil || flags & FlowFlags.writeNonBlocking == 0 else {
            cl_unlock(end.writeLock)
            throw .wouldBlock
        }
        let limit = timeout?.nanoseconds ?? end.settings.pointee.sendTimeout
        switch wait.next(timeout: limit, &end.sending.pointee.patience) {
        case .again: cl_unlock(end.writeLock)
        case .expired:
            cl_unlock(end.writeLock)
            cl_test_cancel()
            throw .timedOut
        case .sleep(let deadline):
            entry.enterSleep()
            let expected = WakeUp.announce(entry.writerWait, flag: 1)
            WakeUp.sleeperBarrier(isExpedited: entry.pointee.isExpedited)
            let isStuck =
                !end.sending.pointee.producer.hasRoom(
                    count, in: entry.pointee.departing, queueBytes: entry.pointee.queueBytes)
                && entry.writingFailure(end) == nil
            let address = entry.writerWait
            cl_unlock(end.writeLock)
            try entry.sleep(on: isStuck ? address : nil, expected, until: deadline)
        }
    }
}

extension FlowPointer {
    /// Why nothing can be written; nil if it can.
    func writingFailure(_ end: FlowEnd) -> Failure? {
        let flags = cl_load32_relaxed(&end.settings.pointee.flags)
        let peer = cl_load32_acquire(peerState)
        let fate = cl_load32_relaxed(&end.settings.pointee.fate)
        if flags & (FlowFlags.accessMode | FlowFlags.down) == FlowFlags.readWrite, peer == 0, fate == 0 {
            return nil
        }
        if flags & FlowFlags.accessMode == FlowFlags.readOnly { return .notPermitted }
        if flags & FlowFlags.down != 0 || fate & (Fate.down | Fate.violated) != 0 { return .flowDown }
        if peer & (EndState.gone | EndState.down) != 0 { return .flowDown }
        if fate & Fate.silent != 0 { return .flowPeer }
        return peer & EndState.notReading != 0 ? .notPermitted : nil
    }

    /// After a record was published.
    func wakePeerReader() {
        let fence = cl_load32_relaxed(fenceRequiredByPeer)
        WakeUp.barrier(isExpedited: pointee.isExpedited, fenceRequired: fence)
        if cl_load32_relaxed(peerReaderWait) != ReaderWait.awake { ringPeerReader() }
    }

    @inline(never)
    func ringPeerReader() {
        pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.reader(
                of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: pointee.bell)
        }
    }
}
