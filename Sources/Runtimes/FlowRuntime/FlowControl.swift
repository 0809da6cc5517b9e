// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// What a program can ask of a flow and do with it besides its messages. spec: c-api §6
package enum FlowControl {
    package enum Direction: Sendable { case receive, send }

    /// Ends the flow at this end.
    package static func deallocate(_ descriptor: Int32) throws(Failure) {
        try FlowProcess.shared.deallocate(descriptor)
    }

    /// See `FlowProcess.keepNumber`.
    package static func keepNumber(_ descriptor: Int32) { FlowProcess.shared.keepNumber(descriptor) }
    package static func releaseNumber(_ descriptor: Int32) { FlowProcess.shared.releaseNumber(descriptor) }

    /// Nil: none is set.
    package static func timeout(_ descriptor: Int32, _ direction: Direction) throws(Failure) -> TimeSpan? {
        try withSettings(descriptor) { settings, _ in
            let nanoseconds =
                direction == .receive ? settings.pointee.receiveTimeout : settings.pointee.sendTimeout
            return nanoseconds == FlowSettings.noTimeout ? nil : TimeSpan(nanoseconds: nanoseconds)
        }
    }

    package static func setTimeout(
        _ descriptor: Int32, _ direction: Direction, _ timeout: TimeSpan?
    ) throws(Failure) {
        try withSettings(descriptor) { settings, _ in
            let nanoseconds = timeout.map { min($0.nanoseconds, FlowSettings.noTimeout - 1) }
            switch direction {
            case .receive: settings.pointee.receiveTimeout = nanoseconds ?? FlowSettings.noTimeout
            case .send: settings.pointee.sendTimeout = nanoseconds ?? FlowSettings.noTimeout
            }
        }
    }

    package static func quality(_ descriptor: Int32) throws(Failure) -> QualityOfService {
        try withSettings(descriptor) { _, entry in entry.pointee.quality }
    }

    /// Between whom the flow is.
    package static func peer(_ descriptor: Int32) throws(Failure) -> FlowPeer {
        let entry = try FlowTable.entry(descriptor)
        return try FlowProcess.shared.locked { (_: FlowProcess) throws(Failure) in
            guard entry.pointee.end != nil, let parties = entry.pointee.parties else { throw .notAllocated }
            return parties.takeUnretainedValue().peer
        }
    }

    /// Bytes of the longest message that can be written here.
    package static func longestMessage(_ descriptor: Int32) throws(Failure) -> Int {
        let entry = try FlowTable.entry(descriptor)
        guard let end = entry.lockReading() else { throw .notAllocated }
        defer { cl_unlock(end.readLock) }
        if let layer = entry.pointee.layer { return layer.state.pointee.machine.longestMessage }
        return entry.pointee.messageBytes
    }

    package static func flags(_ descriptor: Int32) throws(Failure) -> UInt32 {
        try withSettings(descriptor) { settings, _ in cl_load32_relaxed(&settings.pointee.flags) }
    }

    /// Replaces all flags. The peer is told only of what has changed. EINVAL for the access mode 3 and for unknown bits.
    package static func setFlags(_ descriptor: Int32, _ flags: UInt32) throws(Failure) {
        guard flags & FlowFlags.accessMode != FlowFlags.accessMode, flags & ~FlowFlags.all == 0 else { throw .invalid }
        try withSettings(descriptor) { settings, entry in
            cl_store32_release(&settings.pointee.flags, flags)
            var state: UInt32 = 0
            if flags & FlowFlags.down != 0 { state |= EndState.down }
            if flags & FlowFlags.accessMode == FlowFlags.writeOnly { state |= EndState.notReading }
            let before = cl_load32_relaxed(entry.ownState)
            let after = before & EndState.gone | state
            guard before != after else { return }
            cl_store32_release(entry.ownState, after)
            entry.wakePeer()
            entry.wakeOwn()
        }
    }

    /// Packets that wait to be read here.
    package static func receiveQueueLength(_ descriptor: Int32) throws(Failure) -> Int {
        let entry = try FlowTable.entry(descriptor)
        guard let end = entry.lockReading() else { throw .notAllocated }
        defer { cl_unlock(end.readLock) }
        if let layer = entry.pointee.layer { return layer.state.pointee.machine.messages }
        return Int(end.receiving.pointee.consumer.queued(entry.pointee.arriving))
    }

    /// Packets that the peer has not read.
    package static func sendQueueLength(_ descriptor: Int32) throws(Failure) -> Int {
        let entry = try FlowTable.entry(descriptor)
        guard let end = entry.lockProducer() else { throw .notAllocated }
        defer { entry.unlockProducer(end) }
        if let layer = entry.pointee.layer { return layer.state.pointee.machine.unacknowledgedPackets }
        return Int(end.sending.pointee.producer.unread(entry.pointee.departing))
    }

    /// EPERM on a flow whose quality asks for no order.
    package static func retransmissionFlags(_ descriptor: Int32) throws(Failure) -> UInt32 {
        try withSettings(descriptor) { (settings, entry) throws(Failure) in
            guard entry.pointee.quality.inOrder else { throw .notPermitted }
            return settings.pointee.retransmission
        }
    }

    /// Whether the flow is reliable was decided when it was allocated; the other bits are stored as given.
    package static func setRetransmissionFlags(_ descriptor: Int32, _ flags: UInt32) throws(Failure) {
        try withSettings(descriptor) { (settings, entry) throws(Failure) in
            guard entry.pointee.quality.inOrder else { throw .notPermitted }
            let reliable = settings.pointee.retransmission & RetransmissionFlags.reliable
            settings.pointee.retransmission = reliable | flags & RetransmissionFlags.changeable
        }
    }

    /// With the process lock held, so that the flow does not go away meanwhile.
    private static func withSettings<Result>(
        _ descriptor: Int32,
        _ body: (UnsafeMutablePointer<FlowSettings>, FlowPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let entry = try FlowTable.entry(descriptor)
        return try FlowProcess.shared.locked { (_: FlowProcess) throws(Failure) in
            guard let end = entry.pointee.end else { throw Failure.notAllocated }
            return try body(end.settings, entry)
        }
    }
}
