// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory

/// Taking the locks of an end, also after their holder has died.
extension FlowPointer {
    /// The end with its read lock held; nil if the flow is not open.
    func lockReading() -> FlowEnd? {
        guard let end = pointee.end else { return nil }
        lockReader(of: end)
        if pointee.end == end { return end }
        cl_unlock(end.readLock)
        return nil
    }

    /// The end with its write lock held; nil if the flow is not open.
    func lockWriting() -> FlowEnd? {
        guard let end = pointee.end else { return nil }
        lockWriter(of: end)
        if pointee.end == end { return end }
        cl_unlock(end.writeLock)
        return nil
    }

    /// The end with the lock held that guards what it writes; nil if the flow is not open. An end with FRCP has one lock.
    func lockProducer() -> FlowEnd? { pointee.layer == nil ? lockWriting() : lockReading() }
    func unlockProducer(_ end: FlowEnd) { cl_unlock(pointee.layer == nil ? end.writeLock : end.readLock) }

    @inline(__always) func lockReader(of end: FlowEnd) {
        if cl_lock(end.readLock) { recoverReading(end) }
    }

    @inline(__always) func lockWriter(of end: FlowEnd) {
        if cl_lock(end.writeLock) { recoverWriting(end) }
    }

    /// The process that had the lock has died, at any point of any call.
    @inline(never) private func recoverReading(_ end: FlowEnd) {
        guard pointee.end == end else { return }
        guard pointee.layer == nil else { return condemn(end) }
        end.receiving.pointee.consumer.recover(pointee.arriving)
        cl_store64_relaxed(&end.receiving.pointee.read, end.receiving.pointee.consumer.read)
        wakePeerWriterAnyway()
    }

    @inline(never) private func recoverWriting(_ end: FlowEnd) {
        guard pointee.end == end else { return }
        end.sending.pointee.producer.recover(pointee.departing)
        pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.anyReader(
                of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: link.socket)
        }
    }

    /// The peer broke the rules of the shared memory.
    func condemn(_ end: FlowEnd) {
        let before = cl_or32(&end.settings.pointee.fate, Fate.violated)
        guard before & Fate.violated == 0 else { return }
        "Flow \(pointee.flow): the peer wrote impossible positions; the flow is down.".withCString(cl_guest_report)
    }
}
