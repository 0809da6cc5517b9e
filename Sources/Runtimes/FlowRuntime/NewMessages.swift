// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// Of a flow that leaves this host not every packet is a message: keepalives come when nothing else does, and what was
/// damaged is not delivered. Who reads once for each event would wait for ever after an event for one of these. So the
/// events of such a flow are counted by looking at the packets, each once.
struct NewMessages {
    /// Behind the last packet that was looked at; what was read counts as looked at.
    var seen = RingConsumer()
    /// Messages that no event was made of.
    var count: UInt64 = 0
}

extension FlowPointer {
    /// With the process lock held: messages that wait and that no event was made of.
    func newMessages(_ end: FlowEnd) -> UInt64 {
        lockReader(of: end)
        defer { cl_unlock(end.readLock) }
        do throws(RingFailure) {
            try discardKeepalives(end)
            return try countMessages(end.receiving)
        } catch {
            guard error == .violation else {
                // There is a packet; who reads it gets the error.
                return 1
            }
            condemn(end)
            return 0
        }
    }

    /// With the read lock held: packets that are no messages go, as far as nothing that is read stands before them. Else
    /// they would fill the ring of a program that does not read.
    func discardKeepalives(_ end: FlowEnd) throws(RingFailure) {
        if !end.receiving.pointee.held.isHeld { _ = try front(end) }
    }

    private func countMessages(_ receiving: UnsafeMutablePointer<FlowEnd.Receiving>) throws(RingFailure) -> UInt64 {
        var messages = pointee.membership.messages
        let consumer = receiving.pointee.consumer
        if consumer.read &- messages.seen.read < UInt64.max / 2 { messages = NewMessages(seen: consumer, count: 0) }
        // No more than a ring holds: the peer can go on writing.
        var looked: UInt64 = 0
        while looked < pointee.arriving.size, let record = try messages.seen.next(&pointee.arriving) {
            looked += Ring.need(record.count)
            if record.count > 0, pointee.trailerBytes == 0 || record.isIntact { messages.count += 1 }
            messages.seen.skip(record.count)
        }
        // Those that were read meanwhile make none any more.
        messages.count = min(messages.count, messages.seen.read &- consumer.read)
        pointee.membership.messages = messages
        return messages.count
    }
}
