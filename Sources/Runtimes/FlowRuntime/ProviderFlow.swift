// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// An IPCP's end of a flow that leaves this host, for a daemon of one thread that moves packets in batches between the
/// flow's memory and a network. Nothing here waits, allocates or copies more than once. Empty packets are packets like
/// others.
///
/// Which flows have packets is said by a `FlowSet`; what was left unread makes no event again. A flow is given back by
/// `FlowControl.deallocate`, and what was handed out is not touched after that.
package enum ProviderFlow {
    /// Greets irmd, as each process does that has flows; on that session it says when a user has died. `.manager` if
    /// there is none.
    package static func attach() throws(Failure) {
        cl_let_guests_stay()
        try FlowProcess.shared.session.ensure(isDoubtful: true)
    }

    /// Maps an offered flow; after that irmd is told that it is taken. A failure leaves nothing open. `.inputOutput` if
    /// the offer is not for a provider or its descriptors are not what it says.
    package static func take(
        _ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> Int32 {
        guard offer.role == .provider else { throw .inputOutput }
        let session = FlowProcess.shared.session
        try session.ensure(isDoubtful: false)
        return try FlowProcess.shared.take(offer, of: session.currentIncarnation, &arrival)
    }

    /// Closes a flow that will be refused, and leaves no trace: irmd resets what the ends have in common as soon as it
    /// is told, and nobody else has seen the flow.
    package static func discard(_ descriptor: Int32) { FlowProcess.shared.discard(descriptor) }

    // What the user has written.

    /// Hands out packets that were not handed out yet, oldest first, as many as there are and there is place for; returns
    /// how many. They stay where they are until `consume`, and the user may change their bytes at any time. `.flowDown`
    /// if the user broke the rules of the memory: then nothing more will come. `.outOfMemory` if there is none to map the
    /// oldest of them; they stay.
    package static func drain(
        _ descriptor: Int32, into packets: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    ) throws(Failure) -> Int {
        try reading(descriptor) { (entry, end) throws(RingFailure) in
            var count = 0
            while count < packets.count {
                let record: RingConsumer.Record?
                do throws(RingFailure) {
                    record = try entry.pointee.handedOut.next(&entry.pointee.arriving)
                } catch {
                    // Those that were handed out are the caller's; the next call finds the failure again.
                    if count > 0, error == .outOfMemory { break }
                    throw error
                }
                guard let record else { break }
                packets[count] = UnsafeRawBufferPointer(start: record.payload, count: record.count)
                entry.pointee.handedOut.skip(record.count)
                count += 1
            }
            return count
        }
    }

    /// Frees the oldest packets that were handed out, and wakes a writer that waits for the room. `.flowDown` if the user
    /// has changed them so that they are not what was handed out.
    ///
    /// The user waits with more than `appetite` bytes unread (0: as many as the flow takes), however deep the queue: more
    /// would only leave the cache before it is sent. A message longer than that goes alone.
    package static func consume(_ descriptor: Int32, _ count: Int, appetite: UInt64 = 0) throws(Failure) {
        guard count > 0 else { return }
        try reading(descriptor) { (entry, end) throws(RingFailure) in
            let receiving = end.receiving
            let handedOut = entry.pointee.handedOut
            precondition(UInt64(count) <= handedOut.read &- receiving.pointee.consumer.read, "\(count) not handed out")
            // Of a copy, so that a violation leaves nothing half done.
            var consumer = receiving.pointee.consumer
            for _ in 0..<count {
                guard let record = try consumer.next(&entry.pointee.arriving) else { throw .violation }
                consumer.skip(record.count)
            }
            guard consumer.agrees(with: handedOut) else { throw .violation }
            receiving.pointee.consumer = consumer
            cl_store64_relaxed(entry.pointee.arriving.appetite, appetite)
            entry.publishRead(end)
        }
    }

    /// What was handed out and not freed is handed out again.
    package static func takeBack(_ descriptor: Int32) {
        try? reading(descriptor) { (entry, end) throws(RingFailure) in
            entry.pointee.handedOut = end.receiving.pointee.consumer
        }
    }

    /// Packets of the user's that were not handed out yet; as the user says, so no more than a hint.
    package static func waiting(_ descriptor: Int32) throws(Failure) -> Int {
        try reading(descriptor) { (entry, _) throws(RingFailure) in
            Int(entry.pointee.handedOut.queued(entry.pointee.arriving))
        }
    }

    /// Whether nothing more will come: the user's end is gone and all that it has written was handed out, or it broke
    /// the rules.
    package static func isFinished(_ descriptor: Int32) throws(Failure) -> Bool {
        do throws(Failure) {
            return try reading(descriptor) { (entry, end) throws(RingFailure) in
                // In this order: who says that he is gone has written all.
                guard entry.isUserGone(end) else { return false }
                return try entry.pointee.handedOut.isEmpty(entry.pointee.arriving)
            }
        } catch {
            if error == .flowDown { return true }
            throw error
        }
    }

    private static func reading<Result>(
        _ descriptor: Int32, _ body: (FlowPointer, FlowEnd) throws(RingFailure) -> Result
    ) throws(Failure) -> Result {
        let entry = try FlowTable.entry(descriptor)
        guard let end = entry.lockReading() else { throw .notAllocated }
        defer { cl_unlock(end.readLock) }
        guard cl_load32_relaxed(&end.settings.pointee.fate) & Fate.violated == 0 else { throw .flowDown }
        do throws(RingFailure) {
            return try body(entry, end)
        } catch {
            throw entry.failure(error, end)
        }
    }

    // What comes from the network.

    /// What became of a packet for the user.
    package enum Delivery: Sendable {
        case delivered
        /// The user does not read, or there is no memory: the packet is lost.
        case full
        /// The user's end has gone, or there is no such flow.
        case gone
        /// Longer than the flow's messages may be.
        case tooLong
    }

    /// Puts a packet into the flow. The user learns of it by `wake`, which is called once after the last of a batch.
    package static func deliver(_ descriptor: Int32, _ payload: UnsafeRawBufferPointer) -> Delivery {
        guard let entry = try? FlowTable.entry(descriptor), let end = entry.lockWriting() else { return .gone }
        let delivery = put(payload, entry, end)
        let hasGrown = end.sending.pointee.producer.takeGrowth()
        cl_unlock(end.writeLock)
        if hasGrown { FlowProcess.shared.trimLater(descriptor) }
        return delivery
    }

    /// Tells the user that packets were delivered.
    package static func wake(_ descriptor: Int32) {
        guard let entry = try? FlowTable.entry(descriptor), let end = entry.lockWriting() else { return }
        defer { cl_unlock(end.writeLock) }
        entry.wakePeerReader()
    }

    private static func put(_ payload: UnsafeRawBufferPointer, _ entry: FlowPointer, _ end: FlowEnd) -> Delivery {
        guard !entry.isUserGone(end) else { return .gone }
        guard payload.count <= entry.pointee.messageBytes else { return .tooLong }
        let sending = end.sending
        let outcome = sending.pointee.producer.reserve(
            payload.count, in: &entry.pointee.departing, queueBytes: entry.pointee.queueBytes)
        switch outcome {
        case .place(let start):
            if let source = payload.baseAddress, payload.count > 0 {
                cl_copy(sending.pointee.producer.payload(start, in: entry.pointee.departing), source, payload.count)
            }
            sending.pointee.producer.publish(start, payload.count, in: entry.pointee.departing)
            return .delivered
        case .full, .outOfMemory: return .full
        case .violation:
            entry.condemn(end)
            return .gone
        }
    }
}

extension FlowPointer {
    /// The user let go or died, or cannot be spoken to. That it is down for a while is none of the network's business.
    fileprivate func isUserGone(_ end: FlowEnd) -> Bool {
        cl_load32_acquire(peerState) & EndState.gone != 0
            || cl_load32_acquire(&end.settings.pointee.fate) & (Fate.down | Fate.violated) != 0
    }
}
