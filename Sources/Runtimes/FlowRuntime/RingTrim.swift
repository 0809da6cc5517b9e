// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// When a ring through which a lot went gives its memory back: some time after the last message, once all is read. A
/// timer runs only for rings that hold more than an idle one may; this is what a flow's entry says of it.
/// design: flow-memory §2
struct RingTrim {
    /// Of a ring that has just grown.
    static let firstPatience = TimeSpan(seconds: 1)
    /// A ring that is not read keeps what it has; it is looked at ever more seldom.
    static let longestPatience = TimeSpan(seconds: 64)

    /// Nil: there is no timer.
    var patience: TimeSpan?
    /// Packets written when the timer was set.
    var written: UInt64 = 0
}

extension FlowProcess {
    /// A ring of the flow has grown.
    func trimLater(_ descriptor: Int32) { locked { $0.beginTrim(descriptor) } }

    /// The same with the process lock held.
    func beginTrim(_ descriptor: Int32) {
        guard let entry = FlowTable.pointer(descriptor), let end = entry.pointee.end, entry.pointee.trim.patience == nil
        else { return }
        entry.pointee.trim = RingTrim(
            patience: RingTrim.firstPatience, written: end.sending.pointee.producer.written)
        service.trims.set(descriptor, at: Clock.now() + RingTrim.firstPatience)
        wakeServiceForTimers()
    }

    /// With the process lock held.
    func trim(_ now: Instant) {
        while let descriptor = service.trims.next(now: now) {
            // The flow that it was set for may be gone.
            guard let entry = FlowTable.pointer(descriptor), let patience = entry.pointee.trim.patience,
                let end = entry.lockProducer()
            else { continue }
            defer { entry.unlockProducer(end) }
            let sending = end.sending
            let isIdle = sending.pointee.producer.written == entry.pointee.trim.written
            if isIdle, !sending.pointee.reservation.isHeld, sending.pointee.producer.trim(&entry.pointee.departing) {
                entry.pointee.trim = RingTrim()
                continue
            }
            let next =
                isIdle
                ? TimeSpan(nanoseconds: min(patience.nanoseconds * 2, RingTrim.longestPatience.nanoseconds))
                : RingTrim.firstPatience
            entry.pointee.trim = RingTrim(patience: next, written: sending.pointee.producer.written)
            service.trims.set(descriptor, at: now + next)
        }
    }
}
