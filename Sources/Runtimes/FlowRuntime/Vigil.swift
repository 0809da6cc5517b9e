// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// Whether the other host's end of a flow is there, which only its packets say: both ends send an empty one when they
/// have sent nothing for a quarter of the flow's timeout. The packet counts of the rings are looked at now and then, so
/// reading and writing know nothing of it. spec: frcp §9
struct Vigil {
    enum PeerLife: Equatable {
        case nothing
        /// This end has sent nothing for a quarter of the timeout.
        case idle
        /// The other end has sent nothing for the whole timeout.
        case silent
    }

    private let timeout: TimeSpan
    private var written: UInt64
    private var received: UInt64
    private var lastWritten: Instant
    private var lastReceived: Instant
    /// When to look again.
    private(set) var nextLook: Instant

    private static let shortestLook = TimeSpan(milliseconds: 1)

    init(timeout: TimeSpan, written: UInt64, received: UInt64, now: Instant) {
        self.timeout = timeout
        self.written = written
        self.received = received
        lastWritten = now
        lastReceived = now
        nextLook = now + TimeSpan(nanoseconds: timeout.nanoseconds / 4)
    }

    /// With the packets ever written and ever received. Nothing is early: what happened since the last look counts as
    /// having happened just now.
    mutating func look(written: UInt64, received: UInt64, now: Instant) -> PeerLife {
        // A look that comes much too late says that we were stopped, not the peer: it gets a fresh start.
        let wasStopped = now.since(nextLook).nanoseconds > timeout.nanoseconds / 2
        if received != self.received || wasStopped {
            self.received = received
            lastReceived = now
        }
        let isBusy = written != self.written
        if isBusy { wrote(written, now) }
        let quarter = TimeSpan(nanoseconds: timeout.nanoseconds / 4)
        let isIdle = now.since(lastWritten) >= quarter
        if isIdle { lastWritten = now }
        // After a message, a look half-way: so the pause before a keepalive is never much longer than a quarter.
        let next = isBusy ? now + TimeSpan(nanoseconds: timeout.nanoseconds / 8) : lastWritten + quarter
        nextLook = max(min(next, lastReceived + timeout), now + Vigil.shortestLook)
        if now.since(lastReceived) >= timeout { return .silent }
        return isIdle ? .idle : .nothing
    }

    /// A keepalive is no sign of a busy writer.
    mutating func wrote(_ written: UInt64, _ now: Instant) {
        self.written = written
        lastWritten = now
    }

    /// Nothing can arrive, so nobody can be blamed for silence.
    mutating func excuse(_ now: Instant) {
        lastReceived = now
        nextLook = now + TimeSpan(nanoseconds: timeout.nanoseconds / 4)
    }
}

extension FlowProcess {
    /// With the process lock held.
    func beginVigil(_ entry: FlowPointer, _ descriptor: Int32, _ timeout: UInt64) {
        let vigil = Vigil(
            timeout: TimeSpan(nanoseconds: timeout), written: cl_load64_relaxed(entry.pointee.departing.written),
            received: cl_load64_relaxed(entry.pointee.arriving.written), now: Clock.now())
        entry.pointee.vigil = vigil
        service.vigils.set(descriptor, at: vigil.nextLook)
    }

    /// With the process lock held: what the service thread does when a timer is due.
    func keepVigils(_ now: Instant) {
        while let descriptor = service.vigils.next(now: now) {
            // The flow that it was set for may be gone, and another have its number.
            guard let entry = FlowTable.pointer(descriptor), let end = entry.pointee.end,
                let due = entry.pointee.vigil?.nextLook, due <= now
            else { continue }
            entry.pointee.vigil = keepVigil(entry, end, descriptor, now)
            if let vigil = entry.pointee.vigil { service.vigils.set(descriptor, at: vigil.nextLook) }
        }
    }

    /// Nil: it is over.
    private func keepVigil(_ entry: FlowPointer, _ end: FlowEnd, _ descriptor: Int32, _ now: Instant) -> Vigil? {
        let isGone = cl_load32_acquire(entry.peerState) & EndState.gone != 0
        guard var vigil = entry.pointee.vigil, !isGone, cl_load32_acquire(&end.settings.pointee.fate) == 0 else {
            return nil
        }
        let hasRoom = entry.makeRoomForPeer(end)
        let departing = entry.pointee.departing
        let finding = vigil.look(
            written: cl_load64_relaxed(departing.written),
            received: cl_load64_relaxed(entry.pointee.arriving.written), now: now)
        switch finding {
        case .nothing: break
        case .idle:
            entry.writeKeepalive()
            vigil.wrote(cl_load64_relaxed(departing.written), now)
        case .silent where hasRoom:
            setFate(Fate.silent, of: descriptor)
            return nil
        case .silent: vigil.excuse(now)
        }
        return vigil
    }
}

extension FlowPointer {
    /// Never waits: a full ring is the IPCP's to empty, and whoever holds a reserved place sends soon.
    fileprivate func writeKeepalive() {
        guard let end = lockWriting() else { return }
        defer { cl_unlock(end.writeLock) }
        let sending = end.sending
        guard !sending.pointee.reservation.isHeld,
            // A violation is found by the next write.
            case .place(let start) = sending.pointee.producer.reserve(
                0, in: &pointee.departing, queueBytes: pointee.queueBytes)
        else { return }
        publish(start, 0, end)
    }

    /// Removes keepalives that nobody reads. False if the peer's next message would have no room all the same, so that
    /// nothing arrives whatever it sends.
    fileprivate func makeRoomForPeer(_ end: FlowEnd) -> Bool {
        lockReader(of: end)
        defer { cl_unlock(end.readLock) }
        do throws(RingFailure) {
            try discardKeepalives(end)
            let unread = try end.receiving.pointee.consumer.unreadBytes(pointee.arriving)
            let queueBytes = pointee.arrivingQueueBytes
            let longest = min(Ring.need(pointee.messageBytes + Int(pointee.trailerBytes)), queueBytes / 2)
            return unread == 0 || unread + longest <= queueBytes
        } catch {
            if error == .violation { condemn(end) }
            return true
        }
    }
}
