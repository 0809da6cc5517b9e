// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import Vocabulary

/// The one thread of the library. Started with the first flow; asleep until irmd speaks, a peer's link ends or a
/// liveness timer is due. Never on the path of a packet. design: flow-memory §4
struct Service {
    private var epoll: Int32 = -1
    private var wakeUp: Int32 = -1
    private var isStarted = false
    /// The session that the poll knows.
    fileprivate private(set) var session: UInt32 = 0
    /// Links by the number that the poll reports.
    private var watched: [UInt64: LinkKey] = [:]
    private var nextNumber: UInt64 = 2
    var trims = FlowTimers()
    var vigils = FlowTimers()
    /// Until when the thread sleeps if nothing happens.
    fileprivate var sleepsUntil = Instant(nanoseconds: 0)

    private static let wakeUpNumber: UInt64 = 0
    private static let sessionNumber: UInt64 = 1

    /// With the process lock held.
    mutating func start() throws(Failure) {
        guard !isStarted else { return }
        if epoll < 0 { epoll = epoll_create1(Int32(EPOLL_CLOEXEC)) }
        if wakeUp < 0 { wakeUp = cl_eventfd() }
        guard epoll >= 0, wakeUp >= 0 else { throw .tooManyDescriptors }
        _ = add(wakeUp, EPOLLIN.rawValue, Service.wakeUpNumber)
        do {
            try Thread.start { while true { Service.turn(FlowProcess.shared) } }
        } catch {
            throw .outOfMemory
        }
        isStarted = true
    }

    /// In a forked child: the parent's thread does not exist here, and its poll is not ours.
    mutating func forget() {
        if epoll >= 0 { cl_close(epoll) }
        if wakeUp >= 0 { cl_close(wakeUp) }
        self = Service()
    }

    /// Learns of the end of a link even when irmd is gone.
    mutating func watch(_ link: Link) {
        watched[nextNumber] = link.key
        _ = add(link.socket.number, 0, nextNumber)
        nextNumber += 1
    }

    mutating func takeEnded(_ number: UInt64) -> LinkKey? { watched.removeValue(forKey: number) }

    /// Follows the session, which may be another than last time, with the same number.
    mutating func watch(session socket: Int32, _ generation: UInt32, hasUndelivered: Bool) {
        let interest = EPOLLIN.rawValue | (hasUndelivered ? EPOLLOUT.rawValue : 0)
        defer { session = generation }
        guard socket >= 0 else { return }
        if generation != session, add(socket, interest, Service.sessionNumber) == 0 { return }
        var event = epoll_event(events: interest, data: epoll_data_t(u64: Service.sessionNumber))
        _ = epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event)
    }

    /// Makes the thread look at its timers and at the session again. From any thread.
    func wake() {
        if wakeUp >= 0 { EventCounter.raise(wakeUp) }
    }

    /// Makes the thread sleep no longer than until the next timer.
    func wakeForTimers(of process: FlowProcess) {
        if process.nextTick < sleepsUntil { wake() }
    }

    private func add(_ descriptor: Int32, _ interest: UInt32, _ number: UInt64) -> Int32 {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: number))
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    // The thread, which ends with the process.

    /// One turn: sleeps until something happens or `deadline`.
    static func turn(_ process: FlowProcess) {
        let (epoll, wakeUp, deadline) = process.locked { process in
            process.service.sleepsUntil = process.nextTick
            return (process.service.epoll, process.service.wakeUp, process.service.sleepsUntil)
        }
        var events = PollEvents()
        // All signals are blocked here.
        try? events.wait(on: epoll, until: deadline < Instant(nanoseconds: .max) ? deadline : nil)
        events.forEach { event in
            switch event.data.u64 {
            case Service.wakeUpNumber: EventCounter.clear(wakeUp)
            case Service.sessionNumber: process.hearSession()
            default: process.linkEnded(event.data.u64)
            }
        }
        process.tick(Clock.now())
        process.followSession()
    }
}

extension FlowProcess {
    fileprivate var nextTick: Instant {
        let tick = links.values.lazy.map(\.liveness.nextTick).min() ?? Instant(nanoseconds: .max)
        return min(tick, service.trims.deadline, service.vigils.deadline)
    }

    /// With the process lock held: a new flow of the link may want to know whether its peer is there.
    func watch(_ entry: FlowPointer, _ descriptor: Int32, _ link: Link) {
        let timeout = UInt64(entry.pointee.quality.timeoutMilliseconds) * 1_000_000
        switch entry.pointee.role {
        case .direct where timeout > 0:
            link.liveness.watch(
                timeout: timeout, isFirst: link.flows.count == 1, memory: link.memory, end: link.end, now: Clock.now())
        case .user where timeout > 0: beginVigil(entry, descriptor, timeout)
        // Whether the other host's end is there is not the IPCP's to say.
        case .direct, .user, .provider: break
        }
        // Only for what it does not know yet: allocations shall not cost a wake-up each.
        if min(link.liveness.nextTick, service.vigils.deadline) < service.sleepsUntil
            || session.generation != service.session
        {
            service.wake()
        }
    }

    /// Reads what irmd says on the session.
    fileprivate func hearSession() {
        while let (message, incarnation) = session.hear() {
            guard case .flowDown(let flow) = message else { continue }
            locked { process in
                for end in [End.first, .second] {
                    if let descriptor = process.byFlow[FlowKey(flow, end, incarnation)] {
                        process.setFate(Fate.down, of: descriptor)
                    }
                }
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

    /// The other end of a link's socket is closed: the peer is gone.
    fileprivate func linkEnded(_ number: UInt64) {
        locked { process in
            guard let key = process.service.takeEnded(number), let link = process.links[key] else { return }
            process.service.stopWatching(link)
            link.isPeerGone = true
            for descriptor in link.flows.descriptors { process.setFate(Fate.down, of: descriptor) }
            if link.flows.isEmpty { process.forget(link) }
        }
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
        }
    }
}

extension Service {
    fileprivate func stopWatching(_ link: Link) { _ = epoll_ctl(epoll, EPOLL_CTL_DEL, link.socket.number, nil) }
}
