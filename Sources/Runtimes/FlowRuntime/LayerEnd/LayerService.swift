// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import LocalProtocol
import Platform
import Vocabulary

/// What the service thread does for flows between hosts: it takes what arrives when no call does, and lets timers act. It also
/// goes on with a flow that the program has let go of, until the peer has what was written. design: frcp-place
extension FlowProcess {
    /// With the process lock held: the service thread looks at the flow then, nanoseconds.
    func lookAtLayer(_ descriptor: Int32, at due: UInt64) {
        guard let entry = FlowTable.pointer(descriptor), due < entry.pointee.layerTimer else { return }
        entry.pointee.layerTimer = due
        service.layers.set(descriptor, at: Instant(nanoseconds: due))
        wakeServiceForTimers()
    }

    /// Looks at the flows whose time has come. With no lock held.
    func tendLayers(_ now: Instant) {
        while let descriptor = locked({ $0.nextLayer(now) }) {
            guard let entry = FlowTable.pointer(descriptor) else { continue }
            if tendLayer(entry, descriptor) { endLingering(entry) }
        }
    }

    private func nextLayer(_ now: Instant) -> Int32? {
        guard let descriptor = service.layers.next(now: now) else { return nil }
        FlowTable.pointer(descriptor)?.pointee.layerTimer = .max
        return descriptor
    }

    /// Returns true if the flow was let go of, and is over.
    private func tendLayer(_ entry: FlowPointer, _ descriptor: Int32) -> Bool {
        guard let (layer, end) = entry.lockLayer() ?? entry.lockLingering() else { return false }
        let now = Clock.now().nanoseconds
        let state = layer.state
        state.pointee.scheduled = .max
        state.pointee.quietLooks = min(state.pointee.quietLooks + 1, 1_000)
        if entry.turnLayer(layer, end, now: now) { state.pointee.quietLooks = 0 }
        let isLingering = entry.pointee.lingering != nil
        let isOver = isLingering && (state.pointee.machine.phase == .over || entry.isProviderGone(end))
        if !isLingering, state.pointee.quietLooks >= FlowPointer.looksUntilQuiet, state.pointee.watchers == 0 {
            arm(entry, layer, end)
            layer.beginTrim(now: now)
        }
        if now >= state.pointee.trimDue { layer.trim(end, now: now) }
        let hasEvents = state.pointee.hasNews
        entry.leaveLayer(layer, end, descriptor, now: now)
        if hasEvents, !isLingering { locked { $0.handOver(entry, descriptor) } }
        return isOver
    }

    /// From now on the IPCP rings when something arrives. What came before is found here.
    private func arm(_ entry: FlowPointer, _ layer: LayerMemory, _ end: FlowEnd) {
        _ = WakeUp.announce(entry.readerWait, flag: ReaderWait.armed)
        _ = WakeUp.sleeperBarrier(isExpedited: entry.pointee.isExpedited)
        let isEmpty = (try? end.receiving.pointee.consumer.isEmpty(entry.pointee.arriving)) ?? false
        if !isEmpty { layer.state.pointee.quietLooks = 0 }
    }

    /// With the process lock held: links with such flows ring the service thread, too.
    func listenForLayers(on link: Link) {
        guard !link.ringsService else { return }
        link.ringsService = true
        link.listeners += 1
        link.arm()
        service.hear(link)
    }

    /// The bell of a link has rung.
    func linkRang(_ number: UInt64) {
        locked { process in
            guard let link = process.service.link(number).flatMap({ process.links[$0] }) else { return }
            // Flow sets that rely on the bell take it out of the socket.
            if link.listeners > 1 { link.arm() } else { link.silence() }
            process.distribute(link)
        }
    }

    // The end.

    /// With the process lock and both locks of the end held: the program lets go. False if there is nothing to wait for.
    func beginLingering(_ entry: FlowPointer, _ descriptor: Int32, _ end: FlowEnd) -> Bool {
        guard let layer = entry.pointee.layer else { return false }
        let now = Clock.now().nanoseconds
        let lingers = end.settings.pointee.retransmission & RetransmissionFlags.linger != 0
        layer.withMachine { machine, _, arrived in machine.close(lingers: lingers, now: now, &arrived) }
        layer.state.pointee.due = 0
        entry.turnLayer(layer, end, now: now)
        guard layer.state.pointee.machine.phase != .over, !entry.isProviderGone(end) else { return false }
        entry.pointee.lingering = end
        layer.state.pointee.quietLooks = 0
        layer.state.pointee.scheduled = now
        entry.enterSleep()
        lookAtLayer(descriptor, at: now + 100_000)
        return true
    }

    private func endLingering(_ entry: FlowPointer) {
        let (flow, incarnation) = locked { process in
            let ended = (entry.pointee.flow, entry.pointee.incarnation)
            // A thread that waits for the end of the flow may be looking at it.
            if let (_, end) = entry.lockLingering() {
                entry.pointee.lingering = nil
                cl_unlock(end.readLock)
            }
            entry.sayGone()
            if cl_add32(&entry.pointee.sleepers, UInt32.max) &- 1 == OpenFlow.closing { process.tearDown(entry) }
            return ended
        }
        if session.post(.deallocate(flow), incarnation: incarnation) == .waiting { locked { $0.wakeService() } }
    }

    /// The process ends: what was written reaches its peers first, if they take it within 5 s.
    func awaitLingering(_ descriptors: [Int32]) {
        let limit = Clock.now() + TimeSpan(seconds: 5)
        while Clock.now() < limit, descriptors.contains(where: isUndelivered) { cl_sleep_nanoseconds(500_000) }
    }

    private func isUndelivered(_ descriptor: Int32) -> Bool {
        guard let entry = FlowTable.pointer(descriptor), let (layer, end) = entry.lockLingering() else { return false }
        defer { cl_unlock(end.readLock) }
        return layer.state.pointee.machine.phase == .closing
    }
}

extension FlowPointer {
    /// As `lockLayer`, of a flow that the program has let go of.
    func lockLingering() -> (LayerMemory, FlowEnd)? {
        guard let end = pointee.lingering, let layer = pointee.layer else { return nil }
        if cl_lock(end.readLock) { condemn(end) }
        if pointee.lingering == end { return (layer, end) }
        cl_unlock(end.readLock)
        return nil
    }

    /// The IPCP is gone, so no packet can be carried any more.
    func isProviderGone(_ end: FlowEnd) -> Bool {
        cl_load32_acquire(peerState) & EndState.gone != 0
            || cl_load32_acquire(&end.settings.pointee.fate) & Fate.violated != 0
    }
}
