// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// When rings through which a lot went give their memory back: some time after the last message, once all is read. A
/// timer runs only for rings that hold more than an idle one may. design: flow-memory §2
struct RingTrims {
    static let patience = TimeSpan(seconds: 1)
    /// A ring that is not read keeps what it has; it is looked at ever more seldom.
    static let longestPatience = TimeSpan(seconds: 64)

    /// Made for the first timer: what is made with the process is made when the library is loaded.
    private var queue: TimerQueue<Int32>?

    var deadline: Instant { queue?.deadline ?? Instant(nanoseconds: .max) }

    mutating func set(_ descriptor: Int32, at deadline: Instant) {
        if queue == nil { queue = TimerQueue() }
        queue?.set(descriptor, at: deadline)
    }
    mutating func next(now: Instant) -> Int32? { queue?.next(now: now) }
}

/// What a flow's entry says of its timer.
struct RingTrim {
    /// Nil: there is no timer.
    var patience: TimeSpan?
    /// Packets written when the timer was set.
    var written: UInt64 = 0
}

extension FlowProcess {
    /// A ring of the flow has grown.
    func trimLater(_ descriptor: Int32) {
        locked { process in
            guard let entry = FlowTable.pointer(descriptor), let end = entry.pointee.end,
                entry.pointee.trim.patience == nil
            else { return }
            entry.pointee.trim = RingTrim(
                patience: RingTrims.patience, written: end.sending.pointee.producer.written)
            process.service.trims.set(descriptor, at: Clock.now() + RingTrims.patience)
            process.service.wakeForTimers(of: process)
        }
    }

    /// With the process lock held.
    func trim(_ now: Instant) {
        while let descriptor = service.trims.next(now: now) {
            // The flow that it was set for may be gone.
            guard let entry = FlowTable.pointer(descriptor), let patience = entry.pointee.trim.patience,
                let end = entry.lockWriting()
            else { continue }
            defer { cl_unlock(end.writeLock) }
            let sending = end.sending
            let isIdle = sending.pointee.producer.written == entry.pointee.trim.written
            if isIdle, sending.pointee.reservation == nil, sending.pointee.producer.trim(entry.pointee.departing) {
                entry.pointee.trim = RingTrim()
                continue
            }
            let next =
                isIdle
                ? TimeSpan(nanoseconds: min(patience.nanoseconds * 2, RingTrims.longestPatience.nanoseconds))
                : RingTrims.patience
            entry.pointee.trim = RingTrim(patience: next, written: sending.pointee.producer.written)
            service.trims.set(descriptor, at: now + next)
        }
    }
}
