// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// A set of flows that a thread waits on. Private to this process. Peers ring the flow's bit in their link; whoever looks
/// hands each ready flow to its set. Flows that were ready lately are polled instead, so that their peers need not ring
/// (lazy arming). design: flow-memory §3
///
/// Sendable: guarded by the process lock.
package final class FlowSet: @unchecked Sendable {
    /// Flows that may have something: handed over, not looked at yet.
    private var ready: [Int32] = []
    /// Flows that were ready lately and are not armed; at most `hotFlows`.
    private var hot: [Int32] = []
    private static let hotFlows = 64

    /// Links of the flows, with their number of flows here.
    private var links: [ObjectIdentifier: (link: Link, flows: Int)] = [:]
    private(set) var members: Set<Int32> = []
    /// Made when somebody first sleeps.
    private var epoll: Int32 = -1
    private var wakeUp: Int32 = -1
    private var sleepers = 0
    /// A program polls the descriptor itself.
    private(set) var isPolled = false
    var patience = Patience()

    init() {}

    deinit { closeDescriptors() }

    private func closeDescriptors() {
        if epoll >= 0 { cl_close(epoll) }
        if wakeUp >= 0 { cl_close(wakeUp) }
        epoll = -1
        wakeUp = -1
    }

    /// In a forked child: a poll of our own, when it is needed; the parent goes on with its own.
    func afterForkInChild() {
        closeDescriptors()
        sleepers = 0
    }

    // Membership.

    func add(_ entry: FlowPointer, _ descriptor: Int32, _ link: Link) {
        members.insert(descriptor)
        let key = ObjectIdentifier(link)
        if let known = links[key] {
            links[key] = (link, known.flows + 1)
        } else {
            links[key] = (link, 1)
            if epoll >= 0 { _ = poll(link.socket.number, operation: EPOLL_CTL_ADD) }
        }
        // From now on the peer's writer fences for us; whoever is in the middle of a write is made to.
        _ = cl_or32(entry.fenceRequired, FenceReason.set)
        WakeUp.sleeperBarrier(isExpedited: entry.pointee.isExpedited)
        handOver(descriptor, entry)
    }

    func remove(_ entry: FlowPointer, _ descriptor: Int32) {
        guard members.remove(descriptor) != nil else { return }
        ready.removeAll { $0 == descriptor }
        hot.removeAll { $0 == descriptor }
        _ = cl_and32(entry.fenceRequired, ~FenceReason.set)
        _ = cl_and32(entry.readerWait, ~ReaderWait.armed)
        entry.pointee.membership = FlowMembership()
        let key = entry.pointee.link._withUnsafeGuaranteedRef { ObjectIdentifier($0) }
        guard let known = links[key] else { return }
        if known.flows > 1 {
            links[key] = (known.link, known.flows - 1)
        } else {
            if epoll >= 0 { _ = poll(known.link.socket.number, operation: EPOLL_CTL_DEL) }
            links[key] = nil
        }
    }

    /// A flow of this set may have something.
    func handOver(_ descriptor: Int32, _ entry: FlowPointer) {
        guard !entry.pointee.membership.isReady else { return }
        entry.pointee.membership.isReady = true
        ready.append(descriptor)
        if sleepers > 0 { signal() }
    }

    private func signal() {
        var one: UInt64 = 1
        if wakeUp >= 0 { _ = write(wakeUp, &one, MemoryLayout<UInt64>.size) }
    }

    // Looking.

    /// Moves what has happened into `queue`. True if there was anything.
    func collect(into queue: EventQueue, _ process: FlowProcess) -> Bool {
        for (link, _) in links.values where link.hasReady() { process.distribute(link) }
        for descriptor in hot {
            guard let entry = FlowTable.pointer(descriptor) else { continue }
            entry.collectEvents(descriptor, into: queue)
        }
        let looked = ready
        ready.removeAll(keepingCapacity: true)
        for descriptor in looked {
            guard let entry = FlowTable.pointer(descriptor), entry.pointee.end != nil else { continue }
            entry.pointee.membership.isReady = false
            entry.collectEvents(descriptor, into: queue)
            keepHot(entry, descriptor)
        }
        return !queue.isEmpty
    }

    /// Polled from now on; if there are too many, armed at once.
    private func keepHot(_ entry: FlowPointer, _ descriptor: Int32) {
        guard !entry.pointee.membership.isHot else { return }
        if hot.count < FlowSet.hotFlows {
            entry.pointee.membership.isHot = true
            hot.append(descriptor)
        } else {
            arm(entry, descriptor)
        }
    }

    /// From now on the peer rings. What came before is found here.
    private func arm(_ entry: FlowPointer, _ descriptor: Int32) {
        _ = WakeUp.announce(entry.readerWait, flag: ReaderWait.armed)
        cl_fence()
        if entry.hasEvents() { handOver(descriptor, entry) }
    }

    // Sleeping.

    /// Arms everything. The descriptor to sleep on; nil if there is something to look at first.
    func prepareSleep() throws(Failure) -> Int32? {
        try openPoll()
        for descriptor in hot {
            guard let entry = FlowTable.pointer(descriptor) else { continue }
            entry.pointee.membership.isHot = false
            arm(entry, descriptor)
        }
        hot.removeAll(keepingCapacity: true)
        for (link, _) in links.values { link.arm() }
        for (link, _) in links.values where link.hasReady() { return nil }
        guard ready.isEmpty else { return nil }
        sleepers += 1
        return epoll
    }

    /// After the sleep: takes the bells out of the sockets, so that the poll does not see them again.
    func finishSleep(isRung: Bool) {
        sleepers -= 1
        guard isRung else { return }
        var counter: UInt64 = 0
        if wakeUp >= 0 { _ = read(wakeUp, &counter, MemoryLayout<UInt64>.size) }
        for (link, _) in links.values { link.silence() }
    }

    /// The descriptor for a program's own poll. From now on whoever hands a flow over rings.
    func pollDescriptor() throws(Failure) -> Int32 {
        try openPoll()
        if !isPolled {
            isPolled = true
            sleepers += 1
            signal()
        }
        return epoll
    }

    /// For a program that polls and has taken everything: from now on the descriptor is readable when there is more.
    /// True if there is more already.
    func rearm() throws(Failure) -> Bool {
        sleepers += 1
        finishSleep(isRung: true)
        guard try prepareSleep() != nil else { return true }
        sleepers -= 1
        return false
    }

    private func openPoll() throws(Failure) {
        guard epoll < 0 else { return }
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = cl_eventfd()
        guard epoll >= 0, wakeUp >= 0, poll(wakeUp, operation: EPOLL_CTL_ADD) == 0 else {
            closeDescriptors()
            throw .tooManyDescriptors
        }
        for (link, _) in links.values where poll(link.socket.number, operation: EPOLL_CTL_ADD) != 0 {
            closeDescriptors()
            throw .tooManyDescriptors
        }
    }

    private func poll(_ descriptor: Int32, operation: Int32) -> Int32 {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
        return epoll_ctl(epoll, operation, descriptor, &event)
    }
}
