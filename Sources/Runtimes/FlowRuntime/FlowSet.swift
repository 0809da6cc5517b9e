// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// A set of flows that a thread waits on. Private to this process. Peers ring the flow's bit in their link; whoever looks
/// hands each ready flow to its set. design: flow-memory §3
///
/// What was busy lately is looked at, what was not rings (lazy arming), on two levels: flows that were ready lately are
/// `hot`, and their peers need not even set a bit; links that were rung lately are `polled`, and their bits are looked
/// at in memory. So a look costs what is busy, whatever the number of flows and peers, and a busy reader makes no
/// system call.
///
/// Sendable: guarded by the process lock, so checks of exclusive access would find nothing; there were 25 in a look.
package final class FlowSet: @unchecked Sendable {
    /// Flows that may have something: handed over, not looked at yet. One that has left meanwhile is not `isReady`.
    @exclusivity(unchecked) private var ready: [Int32] = []
    /// Of those, which are looked at just now.
    @exclusivity(unchecked) private var underway: [Int32] = []
    /// Flows that are not armed.
    @exclusivity(unchecked) private var hot: [Int32] = []
    private static let hotFlows = 64

    /// The links of the flows by their numbers.
    @exclusivity(unchecked) private var links: [UInt64: LinkWatch] = [:]
    /// The links that are not armed by us.
    @exclusivity(unchecked) private var polled: [LinkWatch] = []
    /// So many quiet flows and links are looked at all the same: rung for, each would cost more.
    private static let quietOnes = 8
    /// A flow or link is quiet after so many looks that found nothing.
    private static let looksUntilQuiet: UInt8 = 64
    /// A set that never sleeps looks for rung links after so many looks.
    private static let looksUntilPoll: UInt32 = 256
    @exclusivity(unchecked) private var looks: UInt32 = 0
    /// Who of `hot` is looked at first. Who comes last is read last, and so has had the least time to fill up when the
    /// next look counts: the flows take turns at it.
    @exclusivity(unchecked) private var first = 0

    @exclusivity(unchecked) private(set) var members: Set<Int32> = []
    /// Tells of room as well.
    @exclusivity(unchecked) private(set) var tellsOfRoom = false
    /// Made when somebody first sleeps or asks for it, and anew when the program has closed it.
    @exclusivity(unchecked) private var poll: GuestPoll?
    @exclusivity(unchecked) private var sleepers = 0
    @exclusivity(unchecked) var patience = Patience()

    /// Somebody polls our descriptor in a loop of his own: unless it is readable, everything must be armed.
    @exclusivity(unchecked) private var poller: Poller?
    /// He was told that there is nothing, and everything is armed.
    @exclusivity(unchecked) private var isAtRest = false
    /// The next look begins with the links that have rung, perhaps long ago and for somebody else.
    @exclusivity(unchecked) private var mustPollLinks = false
    /// The bell of `poll` was rung.
    @exclusivity(unchecked) private var isSignalled = false
    /// A peer's writer may not know that it is to wake this set, because the kernel refuses barriers.
    @exclusivity(unchecked) private(set) var isDoubtful = false

    /// How the loop that polls a set's descriptor looks at the set.
    package enum Poller: Sendable {
        /// The loop may look once each time the descriptor is readable: it stays readable until a look has found nothing.
        case whoeverIsTold
        /// The loop goes on looking, without being told, until a look has found nothing. That saves a system call a look.
        case whoeverGoesOn
    }

    init() {}

    deinit { poll?.close() }

    private func closePoll() {
        poll?.close()
        poll = nil
        poller = nil
        isAtRest = false
        isSignalled = false
    }

    /// In a forked child: a poll of our own, when it is needed; the parent goes on with its own.
    func afterForkInChild() {
        closePoll()
        sleepers = 0
        // The parent's timers are not ours.
        for descriptor in members {
            guard let entry = FlowTable.pointer(descriptor), entry.isRoomAwaited else { continue }
            handOver(descriptor, entry)
        }
    }

    // Membership.

    func add(_ entry: FlowPointer, _ descriptor: Int32, _ link: Link) {
        members.insert(descriptor)
        if let watch = links[link.number] {
            watch.flows += 1
        } else {
            let watch = LinkWatch(link)
            links[link.number] = watch
            polled.append(watch)
            if let poll, poll.isOurs { _ = listen(to: link, in: poll) }
            mustPollLinks = poller != nil
        }
        // From now on the peer's writer fences for us; whoever is in the middle of a write is made to.
        // An IPCP's flow has had a writer who fences from the beginning.
        if cl_or32(entry.fenceRequired, FenceReason.set) & FenceReason.set == 0,
            !WakeUp.sleeperBarrier(isExpedited: entry.pointee.isExpedited)
        {
            isDoubtful = true
        }
        entry.wantRoom(tellsOfRoom)
        // He looks at what he adds.
        if poller == .whoeverGoesOn { isAtRest = false }
        handOver(descriptor, entry)
    }

    func remove(_ entry: FlowPointer, _ descriptor: Int32) {
        guard members.remove(descriptor) != nil else { return }
        if entry.pointee.membership.isHot { hot.removeAll { $0 == descriptor } }
        _ = cl_and32(entry.fenceRequired, ~FenceReason.set)
        _ = cl_and32(entry.readerWait, ~ReaderWait.armed)
        entry.wantRoom(false)
        entry.pointee.membership = FlowMembership()
        let number = entry.pointee.link._withUnsafeGuaranteedRef { $0.number }
        guard let watch = links[number] else { return }
        watch.flows -= 1
        guard watch.flows == 0 else { return }
        links[number] = nil
        if watch.isPolled { polled.removeAll { $0 === watch } } else { watch.link.listeners -= 1 }
        stopListening(to: watch.link)
    }

    /// What was refused before counts, too.
    func tellOfRoom(_ isWanted: Bool) {
        tellsOfRoom = isWanted
        for descriptor in members {
            guard let entry = FlowTable.pointer(descriptor) else { continue }
            entry.wantRoom(isWanted)
            if entry.isRoomAwaited { handOver(descriptor, entry) }
        }
    }

    /// A flow of this set may have something.
    func handOver(_ descriptor: Int32, _ entry: FlowPointer) {
        guard !entry.pointee.membership.isReady else { return }
        entry.pointee.membership.isReady = true
        ready.append(descriptor)
        if sleepers > 0 || isAtRest || poller == .whoeverIsTold { signal() }
    }

    private func signal() {
        guard !isSignalled else { return }
        isSignalled = poll?.ring() ?? false
    }

    // Looking.

    /// Moves what has happened into `queue`. True if there was anything.
    func collect(into queue: EventQueue, _ process: FlowProcess) -> Bool {
        looks &+= 1
        if mustPollLinks || looks % FlowSet.looksUntilPoll == 0 && polled.count < links.count { pollLinks() }
        mustPollLinks = false
        isAtRest = false
        lookAtLinks(process)
        lookAtHotFlows(queue)
        // Who is armed here and found to have something is handed over for the next time.
        swap(&ready, &underway)
        for descriptor in underway {
            guard let entry = FlowTable.pointer(descriptor), entry.pointee.membership.isReady else { continue }
            entry.pointee.membership.isReady = false
            entry.collectEvents(descriptor, into: queue)
            if !entry.pointee.membership.isHot { keepHot(entry, descriptor) }
        }
        underway.removeAll(keepingCapacity: true)
        guard !queue.isEmpty else { return false }
        // Nothing is armed now, so whoever polls must come back.
        stayReadable()
        return true
    }

    private func lookAtLinks(_ process: FlowProcess) {
        var index = 0
        while index < polled.count {
            let watch = polled[index]
            if watch.link.hasReady() {
                watch.quietLooks = 0
                process.distribute(watch.link)
            } else if polled.count > FlowSet.quietOnes, watch.isQuiet(after: FlowSet.looksUntilQuiet) {
                polled.swapAt(index, polled.count - 1)
                polled.removeLast()
                listen(to: watch)
                if watch.link.hasReady() { process.distribute(watch.link) }
                continue
            }
            index += 1
        }
    }

    private func lookAtHotFlows(_ queue: EventQueue) {
        var quiet = 0
        first = first + 1 < hot.count ? first + 1 : 0
        for index in hot.indices {
            let place = first + index
            let descriptor = hot[place < hot.count ? place : place - hot.count]
            guard let entry = FlowTable.pointer(descriptor) else { continue }
            if entry.collectEvents(descriptor, into: queue) {
                entry.pointee.membership.quietLooks = 0
            } else if hot.count - quiet > FlowSet.quietOnes, entry.isQuiet(after: FlowSet.looksUntilQuiet) {
                quiet += 1
                arm(entry, descriptor)
            }
        }
        guard quiet > 0 else { return }
        hot.removeAll { descriptor in FlowTable.pointer(descriptor)?.pointee.membership.isHot != true }
    }

    /// Looked at from now on; if there are too many, armed at once.
    private func keepHot(_ entry: FlowPointer, _ descriptor: Int32) {
        if hot.count < FlowSet.hotFlows {
            entry.pointee.membership.isHot = true
            entry.pointee.membership.quietLooks = 0
            hot.append(descriptor)
        } else {
            arm(entry, descriptor)
        }
    }

    /// From now on the peer rings. What came before is found here.
    private func arm(_ entry: FlowPointer, _ descriptor: Int32) {
        entry.pointee.membership.isHot = false
        _ = WakeUp.announce(entry.readerWait, flag: ReaderWait.armed)
        cl_fence()
        if entry.hasEvents() { handOver(descriptor, entry) }
    }

    /// From now on the link's bell rings; the caller looks at it once more.
    private func listen(to watch: LinkWatch) {
        watch.isPolled = false
        watch.link.listeners += 1
        watch.link.arm()
    }

    // Sleeping.

    /// Arms everything. False if there is something to look at first.
    private func armAll() -> Bool {
        for descriptor in hot {
            if let entry = FlowTable.pointer(descriptor) { arm(entry, descriptor) }
        }
        hot.removeAll(keepingCapacity: true)
        for watch in polled { listen(to: watch) }
        // One that has bits is looked at again, and so needs no bell.
        polled.removeAll { watch in
            guard watch.link.hasReady() else { return true }
            watch.isPolled = true
            watch.link.listeners -= 1
            return false
        }
        return polled.isEmpty && ready.isEmpty
    }

    private func look(at watch: LinkWatch) {
        guard !watch.isPolled else { return }
        watch.isPolled = true
        watch.quietLooks = 0
        watch.link.listeners -= 1
        polled.append(watch)
    }

    /// The descriptor to sleep on, with everything armed; nil if there is something to look at first.
    func prepareSleep() throws(Failure) -> Int32? {
        let poll = try openPoll()
        guard armAll() else { return nil }
        sleepers += 1
        return poll.number
    }

    /// After the sleep, with what it was ended by.
    func finishSleep(_ events: borrowing PollEvents) {
        sleepers -= 1
        events.forEach(answer)
    }

    private func silence() {
        poll?.silence()
        isSignalled = false
    }

    /// Takes the bell out of the socket, so that polls do not see it again, and looks at the link from now on.
    private func answer(_ event: epoll_event) {
        guard event.data.u64 != GuestPoll.bellToken else { return silence() }
        guard let watch = links[event.data.u64] else { return }
        look(at: watch)
        watch.link.silence()
        // The peer is gone, which the service thread tells everybody; here it would be told for ever.
        if event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { stopListening(to: watch.link) }
    }

    /// Looks which links have rung, without sleeping.
    private func pollLinks() {
        guard let poll = try? openPoll() else {
            // There are no descriptors left for it: then all are looked at.
            for watch in links.values { look(at: watch) }
            return
        }
        var events = PollEvents()
        // Each link once: peers could go on ringing.
        for _ in 0...links.count / PollEvents.capacity {
            events.look(on: poll.number)
            events.forEach(answer)
            if events.count < PollEvents.capacity { return }
        }
    }

    // Being polled by others.

    /// A descriptor that is readable when `collect` may find something. It becomes unreadable only by `rest`.
    func exposedDescriptor(to poller: Poller) throws(Failure) -> Int32 {
        let poll = try openPoll()
        self.poller = poller
        isAtRest = false
        mustPollLinks = true
        signal()
        return poll.number
    }

    /// What was exposed, if the program has left it to us.
    var exposed: Int32? {
        guard let poll, poll.isOurs else { return nil }
        return poll.number
    }

    /// Nothing is armed now, or not everything.
    func stayReadable() { if poller == .whoeverIsTold { signal() } }

    /// When a look has found nothing: arms everything, so that the descriptor is readable when something comes. False if
    /// there is something to look at first.
    func armForSleep() -> Bool {
        guard poller != nil else { return true }
        if isSignalled { silence() }
        isAtRest = armAll()
        mustPollLinks = isAtRest
        return isAtRest
    }

    private func openPoll() throws(Failure) -> GuestPoll {
        if let poll {
            if poll.isOurs { return poll }
            // A loop of the program's polls a descriptor that is closed; it learns nothing more until it asks for another.
            closePoll()
        }
        let new = try GuestPoll()
        for watch in links.values where listen(to: watch.link, in: new) != 0 {
            let failure = Failure(errno: cl_errno())
            new.close()
            throw failure
        }
        poll = new
        return new
    }

    /// 0, or -1 with errno.
    private func listen(to link: Link, in poll: GuestPoll) -> Int32 {
        link.socket.isOurs ? poll.add(link.socket.number, link.number) : 0
    }

    private func stopListening(to link: Link) {
        if let poll, link.socket.isOurs, poll.isOurs { poll.remove(link.socket.number) }
    }
}

/// A link of a set.
private final class LinkWatch {
    let link: Link
    /// How many of its flows are in the set.
    var flows = 1
    /// Its ready bits are looked at; else it is armed.
    @exclusivity(unchecked) var isPolled = true
    @exclusivity(unchecked) var quietLooks: UInt8 = 0

    init(_ link: Link) { self.link = link }

    func isQuiet(after looks: UInt8) -> Bool {
        quietLooks += 1
        return quietLooks >= looks
    }
}

extension FlowPointer {
    fileprivate func isQuiet(after looks: UInt8) -> Bool {
        // ThreadSanitizer takes += for a change of the whole entry.
        let quietLooks = pointee.membership.quietLooks + 1
        pointee.membership.quietLooks = quietLooks
        return quietLooks >= looks
    }
}
