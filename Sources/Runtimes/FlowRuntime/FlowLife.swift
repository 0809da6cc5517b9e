// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// How a flow comes into this process and how it leaves.
extension FlowProcess {
    /// Maps an offered flow. What irmd says is checked against what the descriptors are; a failure leaves nothing open.
    /// `.flowDown`: the peer has died, and we learnt it before irmd did.
    func take(
        _ offer: FlowOffer, of incarnation: UInt64, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> Int32 {
        try offer.check()
        guard let segmentDescriptor = arrival.takeDescriptor() else { throw .inputOutput }
        let segment = try SegmentMemory(mapping: segmentDescriptor, ringBytes: Int(offer.ringBytes))
        lock()
        defer { unlock() }
        try FlowTable.prepare()
        let key = LinkKey(offer.link, offer.linkEnd, incarnation)
        try ensureService(for: key)
        let link = try link(key, offer, &arrival)
        guard let descriptor = numbers.take(), let entry = FlowTable.pointer(descriptor) else { throw .badDescriptor }
        let settings = FlowSettings(
            flags: FlowFlags.initial, retransmission: RetransmissionFlags.initial(for: offer.quality))
        let end: FlowEnd
        do {
            end = try ends.take(settings)
        } catch {
            numbers.giveBack(descriptor)
            throw error
        }
        let layer: LayerMemory?
        do throws(Failure) {
            layer = try offer.layerMemory()
        } catch {
            ends.giveBack(end)
            numbers.giveBack(descriptor)
            throw error
        }
        let base = segment.release()
        entry.initialize(to: OpenFlow(offer, end, segment: base, link: link, owner: identity, incarnation))
        entry.pointee.layer = layer
        if layer != nil {
            listenForLayers(on: link)
            lookAtLayer(descriptor, at: 0)
        }
        if offer.role != .provider { entry.pointee.parties = .passRetained(share(FlowPeer(offer))) }
        link.flows.insert(descriptor, at: offer.slot)
        byFlow[FlowKey(offer.flow, offer.end, incarnation)] = descriptor
        watch(entry, descriptor, link)
        return descriptor
    }

    /// Whether irmd has said, in the link, that the other end of a flow that has just come is gone.
    func isPeerGone(_ descriptor: Int32) -> Bool {
        locked { _ in
            guard let entry = FlowTable.pointer(descriptor), entry.pointee.end != nil else { return true }
            let mayBeGone = entry.pointee.link._withUnsafeGuaranteedRef { link in
                link.memory.mayBeReady(entry.pointee.number, for: link.end)
            }
            return mayBeGone && cl_load32_acquire(entry.peerState) & EndState.gone != 0
        }
    }

    /// Most flows of a process have the parties of the flow before.
    private func share(_ peer: FlowPeer) -> FlowPeer.Shared {
        if let lastParties, lastParties.peer == peer { return lastParties }
        let shared = FlowPeer.Shared(peer)
        lastParties = shared
        return shared
    }

    private func link(
        _ key: LinkKey, _ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> Link {
        if let link = links[key] { return link }
        // irmd has sent it before, and it was forgotten when its other end was closed.
        guard offer.linkIsIncluded else { throw .flowDown }
        guard let memory = arrival.takeDescriptor(), let socket = arrival.takeDescriptor() else {
            throw .inputOutput
        }
        let link = Link(
            key: key, memory: try LinkMemory(mapping: memory), socket: try GuestDescriptor(settling: socket),
            end: offer.linkEnd)
        links[key] = link
        service.watch(link)
        return link
    }

    /// Lets go of a flow, of which the peer learns at once. A flow that was inherited by fork is only forgotten.
    /// One way: never waits for irmd or the peer. Without an irmd the flow is gone all the same, and `.manager` says that
    /// nobody was told but the peer. spec: c-api §5.5
    package func deallocate(_ descriptor: Int32) throws(Failure) {
        guard descriptor >= 0, Int(descriptor) < Limits.descriptors else { throw .invalid }
        let entry = try FlowTable.entry(descriptor)
        lock()
        guard let end = entry.lockReading() else {
            unlock()
            throw .notAllocated
        }
        entry.lockWriter(of: end)
        let isOwn = entry.pointee.owner == identity
        let flow = entry.pointee.flow
        let incarnation = entry.pointee.incarnation
        let isLingering = isOwn && beginLingering(entry, descriptor, end)
        if isOwn, !isLingering { entry.sayGone() }
        close(entry, descriptor, end)
        unlock()
        guard isOwn, !isLingering else { return }
        switch session.post(.deallocate(flow), incarnation: incarnation) {
        case .sent: break
        case .waiting: locked { $0.wakeService() }
        case .noManager: throw .manager
        }
    }

    /// Lets go of a flow of which nobody is to learn.
    func discard(_ descriptor: Int32) {
        guard let entry = try? FlowTable.entry(descriptor) else { return }
        lock()
        defer { unlock() }
        guard let end = entry.lockReading() else { return }
        entry.lockWriter(of: end)
        close(entry, descriptor, end)
    }

    /// With the process lock and both locks of the end held; releases the latter.
    private func close(_ entry: FlowPointer, _ descriptor: Int32, _ end: FlowEnd) {
        leaveSet(entry, descriptor)
        entry.pointee.link._withUnsafeGuaranteedRef { $0.flows.remove(at: entry.pointee.number) }
        byFlow[FlowKey(entry.pointee.flow, entry.pointee.side, entry.pointee.incarnation)] = nil
        entry.pointee.parties?.release()
        entry.pointee.parties = nil
        entry.pointee.end = nil
        cl_unlock(end.writeLock)
        cl_unlock(end.readLock)
        entry.pointee.closed = end
        if cl_or32(&entry.pointee.sleepers, OpenFlow.closing) == 0 {
            tearDown(entry)
        } else {
            WakeUp.everybody(on: entry.readerWait)
            WakeUp.everybody(on: entry.writerWait)
            end.raiseAlarm()
        }
    }

    /// With the process lock held, when nobody uses the flow any more.
    func tearDown(_ entry: FlowPointer) {
        entry.pointee.arriving.unmap()
        entry.pointee.departing.unmap()
        munmap(
            entry.pointee.segment, SegmentMemory.mappedBytes(ringBytes: Int(entry.pointee.arriving.size)))
        if entry.pointee.owner == identity, let end = entry.pointee.closed { ends.giveBack(end) }
        entry.pointee.layer?.unmap()
        entry.pointee.layer = nil
        let link = entry.pointee.link.takeRetainedValue()
        if !entry.pointee.keepsNumber, let base = FlowTable.pointer(0) { numbers.giveBack(Int32(entry - base)) }
        if link.flows.isEmpty, link.isPeerGone { forget(link) }
    }

    /// For who holds the flow as an object: the number is not given to another flow, also after the flow is closed,
    /// until `releaseNumber`. So a late call of another thread finds no flow, and never another one.
    func keepNumber(_ descriptor: Int32) {
        locked { _ in FlowTable.pointer(descriptor)?.pointee.keepsNumber = true }
    }

    /// The holder has gone, and with it all threads that could use the flow.
    func releaseNumber(_ descriptor: Int32) {
        try? deallocate(descriptor)  // closed already, or irmd is not there: in both cases it is closed now
        locked { process in
            FlowTable.pointer(descriptor)?.pointee.keepsNumber = false
            // The number of a flow that lingers is given back with it.
            if FlowTable.pointer(descriptor)?.pointee.lingering == nil { process.numbers.giveBack(descriptor) }
        }
    }

    /// A link whose peer has gone and whose last flow is closed.
    func forget(_ link: Link) { links[link.key] = nil }

    /// When the process ends normally: the peers learn it before irmd does. Flows that were inherited stay.
    package func finish() {
        lock()
        var lingering: [Int32] = []
        var descriptor = Int32(Limits.firstDescriptor)
        while descriptor < numbers.end {
            if let entry = FlowTable.pointer(descriptor), entry.pointee.owner == identity,
                let end = entry.lockReading()
            {
                entry.lockWriter(of: end)
                if beginLingering(entry, descriptor, end) { lingering.append(descriptor) } else { entry.sayGone() }
                close(entry, descriptor, end)
            } else if let entry = FlowTable.pointer(descriptor), entry.pointee.owner == identity,
                entry.pointee.lingering != nil
            {
                lingering.append(descriptor)
            }
            descriptor += 1
        }
        unlock()
        if !lingering.isEmpty { awaitLingering(lingering) }
        session.finish()
    }
}

extension FlowPointer {
    /// Tells the peer that this end has let go.
    func sayGone() {
        _ = cl_or32(ownState, EndState.gone)
        wakePeer()
    }

    /// After this end's state has changed: whoever waits at the other end looks again.
    func wakePeer() {
        cl_fence()
        _ = ringPeerReader()
        WakeUp.sleeper(on: peerWriterWait)
    }

    /// After the flow's fate has changed: whoever waits at this end looks again.
    func wakeOwn() {
        pointee.end?.raiseAlarm()
        // The set's flags stay: its flow is handed over by who changed the fate.
        _ = cl_and32(writerWait, ~WriterWait.futex)
        cl_futex_wake_all(writerWait)
        let wait = readerWait
        _ = cl_and32(wait, ~ReaderWait.futex)
        cl_futex_wake_all(wait)
    }
}

extension FlowOffer {
    /// irmd is ours, but a mistake of it shall not become one of ours.
    fileprivate func check() throws(Failure) {
        let everyday = min(ringBytes, UInt32(Limits.everydayRingBytes))
        guard
            ringBytes.nonzeroBitCount == 1, ringBytes >= 4_096, ringBytes <= 1 << 30, queueBytes >= 128,
            queueBytes <= everyday, arrivingQueueBytes >= 128, arrivingQueueBytes <= everyday,
            Ring.need(Int(messageBytes)) <= ringBytes, Int(slot.rawValue) < Limits.slotsPerLink,
            messageBytes >= trailerBytes
        else { throw .inputOutput }
    }

    /// Only the end that the other host's end meets adds a checksum. spec: frcp §1
    fileprivate var trailerBytes: Int { role == .user && quality.bitErrorRate == 0 ? CRC32.bytes : 0 }
}

extension OpenFlow {
    fileprivate init(
        _ offer: FlowOffer, _ end: FlowEnd, segment: UnsafeMutableRawPointer, link: Link, owner: ProcessID,
        _ incarnation: UInt64
    ) {
        let size = Int(offer.ringBytes)
        let words = link.memory.base + LinkLayout.slot(offer.slot)
        self.end = end
        closed = nil
        arriving = Ring(segment: segment, size: size, slot: words, from: offer.end.other)
        departing = Ring(segment: segment, size: size, slot: words, from: offer.end)
        self.words = words
        queueBytes = UInt64(offer.queueBytes)
        arrivingQueueBytes = UInt64(offer.arrivingQueueBytes)
        trailerBytes = UInt8(offer.trailerBytes)
        role = offer.role
        messageBytes = Int(offer.messageBytes) - offer.trailerBytes
        side = offer.end
        isExpedited = offer.isExpedited
        number = offer.slot
        flow = offer.flow
        self.link = .passRetained(link)
        self.segment = segment
        quality = offer.quality
        self.owner = owner
        self.incarnation = incarnation
        sleepers = 0
        holds = 0
        layer = nil
        lingering = nil
        membership = FlowMembership()
        room = RoomWait()
        trim = RingTrim()
    }
}

extension RetransmissionFlags {
    /// spec: c-api §6
    fileprivate static func initial(for quality: QualityOfService) -> UInt32 {
        guard quality.inOrder else { return 0 }
        return quality.loss == 0 ? reliable | flowControl | linger : flowControl
    }
}
