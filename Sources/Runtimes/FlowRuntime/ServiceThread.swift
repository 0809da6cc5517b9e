// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// The one thread of the library. Started with the first flow; asleep until irmd speaks, a peer's link ends or a
/// liveness timer is due. Never on the path of a packet. design: flow-memory §4
struct ServiceThread {
    /// What the thread sleeps in; nil until the first flow. Made anew, with another thread, when the program has closed it:
    /// the one that sleeps in it cannot be woken any more.
    private var poll: GuestPoll?
    private var hasThread = false
    /// The last poll was lost, and the links in it are watched by nobody.
    private var hasLostLinks = false
    /// How often there was a new thread. An older one ends when it has slept.
    private var generation: UInt32 = 0
    /// The session that the poll knows.
    fileprivate private(set) var session: UInt32 = 0
    /// Links by their numbers, which the poll reports.
    private var watched: [UInt64: LinkKey] = [:]
    var trims = FlowTimers()
    var vigils = FlowTimers()
    var layers = FlowTimers()
    var rooms = FlowTimers()
    /// When an acceptor wants to be looked at.
    fileprivate var acceptorsDue = Instant(nanoseconds: .max)
    /// Until when the thread sleeps if nothing happens.
    fileprivate var sleepsUntil = Instant(nanoseconds: 0)

    /// No link has this number.
    private static let sessionNumber: UInt64 = 0

    /// With the process lock held: there is a thread from now on, and it can be woken. Returns true if the program has
    /// closed what the thread had: then other descriptors may be closed as well, and all links are to be watched anew.
    mutating func start() throws(Failure) -> Bool {
        if poll.map({ !$0.isOurs }) ?? false { leavePoll() }
        if poll == nil { poll = try GuestPoll() }
        if !hasThread {
            let next = generation + 1
            try Thread.start { while ServiceThread.turn(FlowProcess.shared, next) {} }
            generation = next
            hasThread = true
        }
        defer { hasLostLinks = false }
        return hasLostLinks
    }

    private mutating func leavePoll() {
        poll?.close()
        poll = nil
        hasThread = false
        hasLostLinks = true
        session = 0
        watched = [:]
    }

    /// In a forked child: the parent's thread does not exist here, and its poll is not ours.
    mutating func forget() {
        poll?.close()
        self = ServiceThread()
    }

    /// Learns of the end of a link even when irmd is gone.
    mutating func watch(_ link: Link) {
        watched[link.number] = link.key
        _ = poll?.add(link.socket.number, link.number, link.ringsService ? ServiceThread.bell : 0)
    }

    /// Hears the bell of a link, once for each time it rings: flow sets hear it, too.
    func hear(_ link: Link) { _ = poll?.change(link.socket.number, link.number, ServiceThread.bell) }

    func link(_ number: UInt64) -> LinkKey? { watched[number] }

    private static let bell = EPOLLIN.rawValue | EPOLLET.rawValue

    mutating func takeEnded(_ number: UInt64) -> LinkKey? { watched.removeValue(forKey: number) }

    /// Follows the session, which may be another than last time, with the same number.
    mutating func watch(session socket: GuestDescriptor?, _ generation: UInt32, hasUndelivered: Bool) {
        let interest = EPOLLIN.rawValue | (hasUndelivered ? EPOLLOUT.rawValue : 0)
        defer { session = generation }
        guard let poll, let socket, socket.isOurs else { return }
        if generation != session, poll.add(socket.number, ServiceThread.sessionNumber, interest) == 0 { return }
        _ = poll.change(socket.number, ServiceThread.sessionNumber, interest)
    }

    /// Whether the thread hears of `link`, too. A thread that sleeps in an epoll keeps it, whatever the program closes
    /// meanwhile; it looks at what is left of the epoll when it wakes.
    func isWatching(_ link: Link) -> Bool { hasThread && watched[link.number] != nil }

    /// False: the bell cannot be rung any more. Where there is no thread, as in a forked child that has allocated nothing, there
    /// is nobody to wake.
    fileprivate func ring() -> Bool { poll?.ring() ?? true }

    // The thread, which ends with the process, or when its poll is lost.

    /// One turn: sleeps until something happens or `deadline`. False: there is another thread now, or none is wanted.
    static func turn(_ process: FlowProcess, _ generation: UInt32) -> Bool {
        let (current, poll, deadline) = process.locked { process in
            process.service.sleepsUntil = min(process.nextTick, Clock.now() + GuestPoll.longestSleep)
            return (process.service.generation, process.service.poll, process.service.sleepsUntil)
        }
        guard current == generation else { return false }
        guard let poll, poll.isOurs else { return process.beginAgain() }
        var events = PollEvents()
        // All signals are blocked here.
        try? events.wait(on: poll.number, until: deadline)
        guard process.locked({ $0.service.generation }) == generation else { return false }
        events.forEach { event in
            switch event.data.u64 {
            case GuestPoll.bellToken: poll.silence()
            case ServiceThread.sessionNumber: process.hearSession()
            case let link where event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) == 0: process.linkRang(link)
            default: process.linkEnded(event.data.u64)
            }
        }
        process.tick(Clock.now())
        process.tendLayers(Clock.now())
        process.tendAcceptors(Clock.now())
        process.followSession()
        return true
    }
}

extension FlowProcess {
    fileprivate var nextTick: Instant {
        let tick = links.values.lazy.map(\.liveness.nextTick).min() ?? Instant(nanoseconds: .max)
        let flows = min(
            service.trims.deadline, service.vigils.deadline, service.layers.deadline, service.rooms.deadline)
        return min(tick, flows, service.acceptorsDue)
    }

    /// Has the acceptors looked at then, or earlier.
    func tendAcceptors(at due: Instant) {
        locked { process in
            guard due < process.service.acceptorsDue else { return }
            process.service.acceptorsDue = due
            if due < process.service.sleepsUntil { process.wakeService() }
        }
    }

    /// With no lock held: the acceptors' comes first.
    fileprivate func tendAcceptors(_ now: Instant) {
        let areDue = locked { process in
            guard process.service.acceptorsDue <= now else { return false }
            process.service.acceptorsDue = Instant(nanoseconds: .max)
            return true
        }
        if areDue { tendAcceptors(at: acceptors.tend(now)) }
    }

    /// With the process lock held: there is a service thread, whatever the program has closed. A link whose socket it has
    /// closed has ended for its peer, and so for us.
    func ensureService() throws(Failure) {
        guard try service.start() else { return }
        for link in Array(links.values) {
            if link.socket.isOurs { service.watch(link) } else { end(link) }
        }
    }

    /// With the process lock held: there is a service thread that watches a link of which a flow comes. Costs less than
    /// `ensureService` when it is there, and allocations shall not ask that often.
    func ensureService(for key: LinkKey) throws(Failure) {
        guard let link = links[key], service.isWatching(link) else { return try ensureService() }
        if !link.socket.isOurs { end(link) }
    }

    /// With the process lock held: makes the thread look at its timers and at the session again. Another one takes its place
    /// if the program has closed its bell.
    func wakeService() {
        if !service.ring() { try? ensureService() }
    }

    /// With the process lock held: makes the thread sleep no longer than until the next timer.
    func wakeServiceForTimers() {
        if nextTick < service.sleepsUntil { wakeService() }
    }

    /// The thread has found its poll closed. Another one takes its place, at once or when there are descriptors again.
    fileprivate func beginAgain() -> Bool {
        do throws(Failure) {
            try locked { (process: FlowProcess) throws(Failure) in try process.ensureService() }
            return false
        } catch {
            cl_sleep_nanoseconds(1_000_000_000)
            return true
        }
    }

    /// With the process lock held: a new flow of the link may want to know whether its peer is there.
    func watch(_ entry: FlowPointer, _ descriptor: Int32, _ link: Link) {
        let timeout = UInt64(entry.pointee.quality.timeoutMilliseconds) * 1_000_000
        switch entry.pointee.role {
        case .direct where timeout > 0:
            link.liveness.watch(
                timeout: timeout, isFirst: link.flows.count == 1, memory: link.memory, end: link.end, now: Clock.now())
        case .user where timeout > 0 && entry.pointee.layer == nil: beginVigil(entry, descriptor, timeout)
        // Whether the other host's end is there is not the IPCP's to say.
        case .direct, .user, .provider: break
        }
        // Only for what it does not know yet: allocations shall not cost a wake-up each.
        if min(link.liveness.nextTick, service.vigils.deadline) < service.sleepsUntil
            || session.generation != service.session
        {
            wakeService()
        }
    }

    /// Reads what irmd says on the session.
    fileprivate func hearSession() {
        while let (message, incarnation) = session.hear() {
            switch message {
            case .flowDown(let flow):
                locked { process in
                    for end in [End.first, .second] {
                        if let descriptor = process.byFlow[FlowKey(flow, end, incarnation)] {
                            process.setFate(Fate.down, of: descriptor)
                        }
                    }
                }
            case .retireLink(let link, let end):
                locked { process in
                    guard let link = process.links[LinkKey(link, end, incarnation)] else { return }
                    process.service.stopWatching(link)
                    process.end(link)
                }
            case .describeFlow(let request, let flow, let end):
                answer(request, FlowKey(flow, end, incarnation), of: incarnation)
            default: continue
            }
        }
    }

    fileprivate func followSession() {
        session.follow { socket, generation, hasUndelivered in
            locked { process in
                process.service.watch(session: socket, generation, hasUndelivered: hasUndelivered)
            }
        }
    }

    /// The other end of a link's socket is closed: the peer is gone, or has closed a link without flows.
    fileprivate func linkEnded(_ number: UInt64) {
        locked { process in
            guard let key = process.service.takeEnded(number), let link = process.links[key] else { return }
            process.service.stopWatching(link)
            process.end(link)
        }
    }

    private func end(_ link: Link) {
        link.isPeerGone = true
        for descriptor in link.flows.descriptors { setFate(Fate.down, of: descriptor) }
        if link.flows.isEmpty { forget(link) }
    }

    /// With the process lock held.
    func setFate(_ fate: UInt32, of descriptor: Int32) {
        guard let entry = FlowTable.pointer(descriptor), let end = entry.pointee.end else { return }
        let before = cl_or32(&end.settings.pointee.fate, fate)
        guard before & fate == 0 else { return }
        entry.wakeOwn()
        handOver(entry, descriptor)
    }

    /// Bumps the heartbeat of links whose timers are due, and looks for peers that have been silent too long.
    fileprivate func tick(_ now: Instant) {
        locked { process in
            for link in process.links.values where link.liveness.nextTick <= now {
                guard !link.flows.isEmpty else {
                    link.liveness.stop()
                    continue
                }
                let silence = link.liveness.tick(memory: link.memory, end: link.end, now: now)
                for descriptor in link.flows.descriptors {
                    guard let entry = FlowTable.pointer(descriptor), entry.pointee.role == .direct else { continue }
                    let timeout = UInt64(entry.pointee.quality.timeoutMilliseconds) * 1_000_000
                    if timeout > 0, silence.nanoseconds >= timeout { process.setFate(Fate.silent, of: descriptor) }
                }
            }
            process.keepVigils(now)
            process.trim(now)
            process.lookForRoom(now)
        }
    }
}

extension ServiceThread {
    fileprivate mutating func stopWatching(_ link: Link) {
        watched[link.number] = nil
        if link.socket.isOurs { poll?.remove(link.socket.number) }
    }
}
