// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import Platform
import Vocabulary

/// How a process writes messages to a flow between hosts that FRCP keeps in order. What `FlowTransmit` is for other flows.
enum LayerTransmit {
    /// One message, whose bytes `copy` puts to a position of the store.
    static func write(
        _ descriptor: Int32, _ entry: FlowPointer, count: Int, timeout: TimeSpan?,
        _ copy: (LayerMemory, _ position: UInt64) -> Void
    ) throws(Failure) {
        var wait = Wait()
        while true {
            guard let (layer, end) = entry.lockLayer() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            let now = Clock.now().nanoseconds
            if let failure = entry.writingFailure(end) ?? end.sending.pointee.reservation.refusal() {
                cl_unlock(end.readLock)
                throw failure
            }
            let drops = entry.dropsWhatIsHeldBack(end)
            // Nothing is sent for an empty message.
            let outcome =
                count == 0
                ? .admitted(position: 0)
                : layer.admit(count, unlessHeldBack: drops)
            switch outcome {
            case .admitted(let position):
                wait.end(&end.sending.pointee.patience)
                if count > 0 { copy(layer, position) }
                entry.turnLayer(layer, end, now: now)
                entry.leaveLayer(layer, end, descriptor, now: now)
                return
            case .tooLong:
                cl_unlock(end.readLock)
                throw .messageTooLong
            case .ending:
                entry.turnLayer(layer, end, now: now)
                let failure = entry.writingFailure(end) ?? .flowDown
                entry.leaveLayer(layer, end, descriptor, now: now)
                throw failure
            case .full where drops:
                entry.turnLayer(layer, end, now: now)
                entry.leaveLayer(layer, end, descriptor, now: now)
                return
            case .full: try entry.waitForLayerRoom(count, layer, end, descriptor, &wait, timeout, now: now)
            }
        }
    }
}

extension FlowPointer {
    /// The flow is lossy, and the program has cleared FRCTFRESCNTL: what the peer or the network does not let go now is
    /// dropped. spec: frcp-profile-1 §11
    fileprivate func dropsWhatIsHeldBack(_ end: FlowEnd) -> Bool {
        let flags = end.settings.pointee.retransmission
        return flags & (RetransmissionFlags.reliable | RetransmissionFlags.flowControl) == 0
    }

    /// There is no message, or no room: waits a little or sleeps, and unlocks. This call looks after the flow meanwhile.
    func waitOnLayer(
        _ layer: LayerMemory, _ end: FlowEnd, _ descriptor: Int32, _ direction: FlowControl.Direction,
        _ wait: inout Wait, _ timeout: TimeSpan?, now: UInt64
    ) throws(Failure) {
        let settings = end.settings
        let nonBlocking = direction == .receive ? FlowFlags.readNonBlocking : FlowFlags.writeNonBlocking
        guard timeout != nil || cl_load32_relaxed(&settings.pointee.flags) & nonBlocking == 0 else {
            leaveLayer(layer, end, descriptor, now: now)
            throw .wouldBlock
        }
        let step: Wait.Step
        switch direction {
        case .receive:
            let limit = timeout?.nanoseconds ?? settings.pointee.receiveTimeout
            step = wait.next(timeout: limit, &end.receiving.pointee.patience)
        case .send:
            let limit = timeout?.nanoseconds ?? settings.pointee.sendTimeout
            step = wait.next(timeout: limit, &end.sending.pointee.patience)
        }
        switch step {
        case .again: leaveLayer(layer, end, descriptor, now: now)
        case .expired:
            leaveLayer(layer, end, descriptor, now: now)
            cl_test_cancel()
            throw .timedOut
        case .sleep(let deadline):
            try sleepOnLayer(layer, end, descriptor, until: deadline, now: now)
        }
    }

    /// Sleeps until something arrives, the machine's deadline comes, or somebody else has changed something; unlocks. While it
    /// sleeps, the caller does for the flow what the service thread does else.
    private func sleepOnLayer(
        _ layer: LayerMemory, _ end: FlowEnd, _ descriptor: Int32, until deadline: Instant?, now: UInt64
    ) throws(Failure) {
        let state = layer.state
        state.pointee.watchers += 1
        enterSleep()
        let quiet = cl_load32_acquire(end.alarm)
        let expected = WakeUp.announce(readerWait, flag: ReaderWait.futex)
        let isCertain = sleepersBarrier(end.receiving)
        // A violation is found by the next look.
        let isEmpty = (try? end.receiving.pointee.consumer.isEmpty(pointee.arriving)) ?? false
        let isStuck =
            isEmpty && cl_load32_acquire(peerState) & (EndState.gone | EndState.down) == 0
            && cl_load32_relaxed(&end.settings.pointee.fate) == 0
            && cl_load32_relaxed(&end.settings.pointee.flags) & FlowFlags.down == 0
        let due = layer.findDeadline()
        let isFull = state.pointee.isRingFull
        let place = SleepingPlace(word: readerWait, expected: expected, alarm: end.alarm, quiet: quiet)
        var limit = WakeUp.limit(deadline, isCertain: isCertain)
        if due < .max { limit = Instant.earlier(limit, Instant(nanoseconds: due)) }
        if isFull { limit = Instant.earlier(limit, Instant(nanoseconds: now + 200_000)) }
        leaveLayer(layer, end, descriptor, now: now)
        try sleep(on: isStuck ? place : nil, until: limit) { argument in
            argument?.assumingMemoryBound(to: OpenFlow.self).leaveWatch()
        }
    }

    /// What a call does after a sleep in which it looked after the flow.
    private func leaveWatch() {
        if let (layer, end) = lockLayer() {
            layer.state.pointee.watchers = max(layer.state.pointee.watchers - 1, 0)
            cl_unlock(end.readLock)
        }
        leaveSleep()
    }
}
