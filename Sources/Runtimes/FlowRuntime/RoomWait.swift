// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// A message that did not fit, and how the flow's set learns that it does. Each process of a flow has its own.
/// spec: c-api §7, design: flow-memory §3
///
/// The event comes when the message fits and half of the queue is free; if the message only fits, the event comes a moment
/// later. If the event came at once, a writer would write one message for each message that is read, and wake up each time.
struct RoomWait {
    /// No message was refused.
    static let nothing = UInt64.max

    /// Bytes of the smallest message that was refused since the last event, with its checksum. Written with the lock held
    /// that guards what the flow writes; read without it.
    var refused = nothing
    /// 1: the flow is in a set that tells of room. Written with the process lock held, read without it.
    var isWanted: UInt32 = 0
    /// 1: the service thread looks at the flow soon. Written and read as `isWanted`.
    var isTimed: UInt32 = 0
    /// The moment is over. Guarded by the process lock.
    var isDue = false

    /// What the reader has for freeing half of the queue.
    static let moment = TimeSpan(milliseconds: 1)
}

/// Whether a message that was refused fits.
enum Room {
    case none
    /// It fits.
    case some
    /// It fits, and half of the queue is free.
    case plenty
}

// A message is refused.

extension FlowPointer {
    /// With the write lock held, which this releases: throws `failure`, because a message of so many bytes does not fit.
    /// Returns if it fits meanwhile.
    func refuse(_ bytes: Int, _ end: FlowEnd, _ failure: Failure) throws(Failure) {
        let before = pointee.room.refused
        noteRefused(UInt64(bytes))
        var mustLook = false
        if cl_load32_relaxed(&pointee.room.isWanted) != 0 {
            let isCertain = announceRoom(WriterWait.set)
            if ringRoom(UInt64(bytes), end) != .none {
                cl_store64_relaxed(&pointee.room.refused, before)
                return cl_unlock(end.writeLock)
            }
            // A smaller one may fit, of which its writer has not heard yet.
            mustLook = !isCertain || ringRoom(pointee.room.refused, end) != .none
        }
        cl_unlock(end.writeLock)
        if mustLook { FlowProcess.shared.locked { $0.handOver(self, descriptor) } }
        if failure == .timedOut { cl_test_cancel() }
        throw failure
    }

    /// The same of a flow with FRCP, with no lock held: the message was refused already.
    func noteLayerRefusal(_ bytes: Int) {
        guard let (layer, end) = lockLayer() else { return }
        noteRefused(UInt64(bytes))
        leaveLayer(layer, end, descriptor, now: Clock.now().nanoseconds)
    }

    private func noteRefused(_ bytes: UInt64) {
        if bytes < pointee.room.refused { cl_store64_relaxed(&pointee.room.refused, bytes) }
    }

    private var descriptor: Int32 { FlowTable.pointer(0).map { Int32(self - $0) } ?? -1 }
}

// The set looks.

extension FlowPointer {
    /// With the process lock held: whether the set is to be told that the message fits. If it does not fit, the set will be
    /// rung when it does.
    @inline(__always) func hasRoomEvent(_ end: FlowEnd) -> Bool { isRoomAwaited && isRoomEvent(end) }

    /// Apart from the question whether room is awaited, which every look at a flow asks.
    @inline(never) private func isRoomEvent(_ end: FlowEnd) -> Bool {
        guard !isOver(end) else { return false }
        let room = pointee.layer == nil ? lookForRingRoom(end) : lookForLayerRoom()
        switch room {
        case .plenty: return true
        case .some:
            if !pointee.room.isDue { FlowProcess.shared.lookForRoomSoon(self, descriptor, RoomWait.moment) }
            return pointee.room.isDue
        case .none:
            pointee.room.isDue = false
            return false
        }
    }

    /// With the process lock held: the set is told now.
    func takeRoomEvent(_ end: FlowEnd) {
        pointee.room.isDue = false
        guard pointee.layer == nil else {
            if let (_, end) = lockLayer() {
                cl_store64_relaxed(&pointee.room.refused, RoomWait.nothing)
                cl_unlock(end.readLock)
            }
            return
        }
        lockWriter(of: end)
        cl_store64_relaxed(&pointee.room.refused, RoomWait.nothing)
        _ = cl_and32(writerWait, ~WriterWait.set)
        cl_unlock(end.writeLock)
    }

    /// With the process lock held: the flow is in a set that tells of room, or in none.
    func wantRoom(_ isWanted: Bool) {
        cl_store32_release(&pointee.room.isWanted, isWanted ? 1 : 0)
        if !isWanted { _ = cl_and32(writerWait, ~WriterWait.set) }
    }

    @inline(__always) var isRoomAwaited: Bool {
        cl_load32_relaxed(&pointee.room.isWanted) != 0 && cl_load64_relaxed(&pointee.room.refused) != RoomWait.nothing
    }

    /// Nothing can be written any more, of which the set tells.
    private func isOver(_ end: FlowEnd) -> Bool {
        cl_load32_acquire(peerState) & EndState.gone != 0 || cl_load32_acquire(&end.settings.pointee.fate) != 0
    }

    private func lookForRingRoom(_ end: FlowEnd) -> Room {
        lockWriter(of: end)
        defer { cl_unlock(end.writeLock) }
        // Another thread may have written the message meanwhile.
        guard pointee.room.refused != RoomWait.nothing else { return .none }
        let room = ringRoom(pointee.room.refused, end)
        guard room != .plenty else { return .plenty }
        if !announceRoom(room == .none ? WriterWait.set : WriterWait.half) {
            FlowProcess.shared.lookForRoomSoon(self, descriptor, WakeUp.doubtfulSleep)
        }
        return ringRoom(pointee.room.refused, end)
    }

    /// With the write lock held.
    private func ringRoom(_ bytes: UInt64, _ end: FlowEnd) -> Room {
        let producer = end.sending
        guard bytes != RoomWait.nothing,
            producer.pointee.producer.hasRoom(Int(bytes), in: pointee.departing, queueBytes: pointee.queueBytes)
        else { return .none }
        return producer.pointee.producer.isHalfFree(pointee.departing, queueBytes: pointee.queueBytes) ? .plenty : .some
    }

    /// With the write lock held: from now on the peer's reader rings when the smallest message fits. Returns false if it may
    /// not know. What is announced already costs no barrier. A message was refused.
    private func announceRoom(_ flags: UInt32) -> Bool {
        let wanted = word(pointee.words, SlotLayout.roomWanted(pointee.side))
        let need = UInt32(truncatingIfNeeded: Ring.need(Int(clamping: min(pointee.room.refused, UInt64(UInt32.max)))))
        if cl_load32_relaxed(writerWait) & flags == flags, cl_load32_relaxed(wanted) <= need { return true }
        cl_store32_release(wanted, need)
        _ = WakeUp.announce(writerWait, flag: flags)
        return WakeUp.sleeperBarrier(isExpedited: pointee.isExpedited)
    }
}

extension FlowProcess {
    /// With the process lock held: the set looks at the flow a little later. If there can be no thread for that, at once.
    func lookForRoomSoon(_ entry: FlowPointer, _ descriptor: Int32, _ pause: TimeSpan) {
        guard cl_load32_relaxed(&entry.pointee.room.isTimed) == 0 else { return }
        guard (try? ensureService()) != nil else {
            entry.pointee.room.isDue = true
            return handOver(entry, descriptor)
        }
        cl_store32_release(&entry.pointee.room.isTimed, 1)
        service.rooms.set(descriptor, at: Clock.now() + pause)
        wakeServiceForTimers()
    }

    /// With the process lock held: looks at the flows whose moment is over.
    func lookForRoom(_ now: Instant) {
        while let descriptor = service.rooms.next(now: now) {
            // The flow that it was set for may be gone, and another have its number.
            guard let entry = FlowTable.pointer(descriptor), entry.pointee.end != nil else { continue }
            cl_store32_release(&entry.pointee.room.isTimed, 0)
            guard entry.isRoomAwaited else { continue }
            entry.pointee.room.isDue = true
            handOver(entry, descriptor)
        }
    }
}

// Room comes.

extension FlowPointer {
    /// The writer waits, so what is unread does not grow. While it is more than half of the queue, the flag of a thread that
    /// sleeps stays for the next record; a large message may need several wake-ups until the ring is empty.
    @inline(never) func wakePeerWriter(_ end: FlowEnd) {
        let unread = (try? end.receiving.pointee.consumer.unreadBytes(pointee.arriving)) ?? 0
        let appetite = cl_load64_relaxed(pointee.arriving.appetite)
        let most = Ring.most(of: pointee.arrivingQueueBytes, appetite: appetite)
        let wanted = UInt64(cl_load32_acquire(word(pointee.words, SlotLayout.roomWanted(pointee.side.other))))
        let fits = unread == 0 || unread + wanted <= most
        var flags: UInt32 = 0
        if unread <= most / 2 { flags |= WriterWait.futex | (fits ? WriterWait.half : 0) }
        if fits { flags |= WriterWait.first }
        guard cl_load32_relaxed(peerWriterWait) & flags != 0 else { return }
        let isTold = pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.writer(
                taking: flags, of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: link.socket)
        }
        if !isTold { bellIsLost() }
    }

    /// The process that read has died, perhaps before it has told the writer.
    func wakePeerWriterAnyway() {
        pointee.link._withUnsafeGuaranteedRef { link in
            WakeUp.anyWriter(
                of: pointee.side.other, slot: pointee.words, number: pointee.number, link: link.memory,
                linkEnd: link.end.other, bell: link.socket)
        }
    }
}
