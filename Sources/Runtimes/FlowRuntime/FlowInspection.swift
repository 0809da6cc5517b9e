// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import LocalProtocol
import Platform
import Vocabulary

/// What the ends of this process tell of themselves: to the program, and to irmd for `irm flow show`. spec: c-api §12
package enum FlowInspection {
    /// EBADF for a number that is no flow descriptor, ENOTALLOC for one that is not open. A flow that has ended and that the
    /// program has not let go of says why.
    package static func statistics(_ descriptor: Int32) throws(Failure) -> FlowStatistics {
        let entry = try FlowTable.entry(descriptor)
        guard let statistics = entry.statistics(of: nil, lockLayer: entry.lockLayer) else { throw .notAllocated }
        return statistics
    }
}

extension FlowProcess {
    /// With no lock held: irmd asks about an end.
    func answer(_ request: RequestID, _ key: FlowKey, of incarnation: UInt64) {
        let statistics = entry(of: key).flatMap { entry in
            entry.statistics(of: key) { entry.lockLayer() ?? entry.lockLingering() }
        }
        if session.post(.described(request, statistics), incarnation: incarnation) == .waiting {
            locked { $0.wakeService() }
        }
    }

    private func entry(of key: FlowKey) -> FlowPointer? {
        locked { process in
            if let descriptor = process.byFlow[key] { return FlowTable.pointer(descriptor) }
            // One that the program has let go of, and that the service thread goes on with.
            var descriptor = Int32(Limits.firstDescriptor)
            while descriptor < process.numbers.end {
                if let entry = FlowTable.pointer(descriptor), entry.pointee.lingering != nil,
                    FlowKey(entry.pointee.flow, entry.pointee.side, entry.pointee.incarnation) == key
                {
                    return entry
                }
                descriptor += 1
            }
            return nil
        }
    }
}

extension FlowPointer {
    /// Nil if the flow is not open, or is another than the wanted one: the entry may be another flow's meanwhile.
    fileprivate func statistics(
        of key: FlowKey?, lockLayer: () -> (LayerMemory, FlowEnd)?
    ) -> FlowStatistics? {
        if pointee.layer == nil { return ringStatistics(of: key) }
        guard let (layer, end) = lockLayer() else { return nil }
        defer { cl_unlock(end.readLock) }
        guard isFlow(key) else { return nil }
        let now = Clock.now().nanoseconds
        var statistics = layer.withMachine { machine, sent, _ in machine.statistics(now: now, sent) }
        statistics.messagesRead = layer.state.pointee.readMessages
        statistics.damaged = layer.state.pointee.damaged
        if statistics.ending == .none { statistics.ending = ending(end, hasPeer: false) }
        return statistics
    }

    /// The statistics of a flow whose messages stand in the memory that both sides share.
    private func ringStatistics(of key: FlowKey?) -> FlowStatistics? {
        guard let end = lockReading() else { return nil }
        defer { cl_unlock(end.readLock) }
        guard isFlow(key) else { return nil }
        lockWriter(of: end)
        defer { cl_unlock(end.writeLock) }
        var statistics = FlowStatistics()
        statistics.kind = pointee.role == .direct ? .inside : .raw
        statistics.ending = ending(end, hasPeer: pointee.role == .direct)
        statistics.time = Clock.now().nanoseconds
        statistics.payload = UInt64(pointee.messageBytes)
        let receiving = end.receiving
        statistics.messagesRead = receiving.pointee.consumer.read
        statistics.bytesRead = receiving.pointee.bytes
        statistics.unreadMessages = receiving.pointee.consumer.queued(pointee.arriving)
        let sending = end.sending
        statistics.messagesWritten = sending.pointee.producer.written
        statistics.bytesWritten = sending.pointee.bytes
        statistics.unacknowledgedPackets = sending.pointee.producer.unread(pointee.departing)
        return statistics
    }

    /// With a lock of the end held.
    private func isFlow(_ key: FlowKey?) -> Bool {
        key == nil || key == FlowKey(pointee.flow, pointee.side, pointee.incarnation)
    }

    /// - Parameter hasPeer: The other end of the memory is the peer. Else it is the IPCP, which lets go when the layer says
    ///   that the flow has ended.
    private func ending(_ end: FlowEnd, hasPeer: Bool) -> FlowStatistics.Ending {
        let fate = cl_load32_acquire(&end.settings.pointee.fate)
        if fate & Fate.violated != 0 { return .violated }
        if fate & Fate.silent != 0 { return .silent }
        // The link may tell that a peer has died before irmd does.
        let hasEnded = fate & Fate.down != 0 || cl_load32_acquire(peerState) & EndState.gone != 0
        return hasEnded ? hasPeer ? .closed : .down : .none
    }
}
