// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// Flow sets as a program uses them. spec: c-api §7
package enum FlowSets {
    /// Nil if there are too many.
    package static func create() -> FlowSet? {
        FlowProcess.shared.locked { process in
            guard process.sets.count < Limits.flowSets else { return nil }
            let set = FlowSet()
            process.sets[ObjectIdentifier(set)] = set
            return set
        }
    }

    package static func destroy(_ set: FlowSet) {
        clear(set)
        FlowProcess.shared.locked { process in process.sets[ObjectIdentifier(set)] = nil }
    }

    package static func clear(_ set: FlowSet) {
        FlowProcess.shared.locked { process in
            for descriptor in set.members {
                if let entry = FlowTable.pointer(descriptor) { process.leaveSet(entry, descriptor) }
            }
        }
    }

    /// Packets that wait already make an event each, so that a program that reads once per event never stalls.
    package static func add(_ descriptor: Int32, to set: FlowSet) throws(Failure) {
        guard let entry = try? FlowTable.entry(descriptor) else { throw .invalid }
        try FlowProcess.shared.locked { (process: FlowProcess) throws(Failure) in
            guard entry.pointee.end != nil else { throw .invalid }
            guard entry.pointee.membership.set == nil else { throw .notPermitted }
            entry.pointee.membership.set = .passUnretained(set)
            set.add(entry, descriptor, entry.pointee.link.takeUnretainedValue())
        }
    }

    /// Whether the set has events of room, too. It has none at first.
    package static func tellOfRoom(_ isWanted: Bool, _ set: FlowSet) {
        FlowProcess.shared.locked { _ in set.tellOfRoom(isWanted) }
    }

    package static func tellsOfRoom(_ set: FlowSet) -> Bool { FlowProcess.shared.locked { _ in set.tellsOfRoom } }

    package static func contains(_ descriptor: Int32, in set: FlowSet) -> Bool {
        FlowProcess.shared.locked { _ in set.members.contains(descriptor) }
    }

    package static func remove(_ descriptor: Int32, from set: FlowSet) {
        guard let entry = try? FlowTable.entry(descriptor) else { return }
        FlowProcess.shared.locked { process in
            if set.members.contains(descriptor) { process.leaveSet(entry, descriptor) }
        }
    }

    /// A descriptor that polls readable when `wait` may find something, for the loops of others. After it was readable,
    /// `wait` with a timeout of zero is called until that throws `.timedOut`; only then it can become unreadable. The
    /// set's own: nobody else closes it.
    package static func pollDescriptor(
        _ set: FlowSet, for poller: FlowSet.Poller = .whoeverIsTold
    ) throws(Failure) -> Int32 {
        try FlowProcess.shared.locked { (_: FlowProcess) throws(Failure) in try set.exposedDescriptor(to: poller) }
    }

    /// What `pollDescriptor` has returned, unless the program has closed it.
    package static func exposed(_ set: FlowSet) -> Int32? { FlowProcess.shared.locked { _ in set.exposed } }

    /// Looks for what rang, after the time has come, until everything is armed.
    private static let mostVainLooks = 16

    /// Waits until something happens to a flow of the set. A queue with events left returns at once. No timeout = for
    /// ever. A cancellation point.
    package static func wait(_ set: FlowSet, _ queue: EventQueue, timeout: TimeSpan?) throws(Failure) {
        let process = FlowProcess.shared
        guard queue.isEmpty else { return }
        var wait = Wait()
        var vainLooks = 0
        while true {
            process.lock()
            if set.collect(into: queue, process) {
                wait.end(&set.patience)
                process.unlock()
                return
            }
            switch wait.next(timeout: timeout?.nanoseconds ?? FlowSettings.noTimeout, &set.patience) {
            case .again: process.unlock()
            case .expired:
                let isAtRest = set.armForSleep()
                // Peers that go on ringing do not hold the caller, who comes back.
                if !isAtRest, vainLooks == mostVainLooks { set.stayReadable() }
                process.unlock()
                vainLooks += 1
                guard isAtRest || vainLooks > mostVainLooks else { continue }
                cl_test_cancel()
                throw .timedOut
            case .sleep(let deadline):
                try sleep(set, process, until: deadline)
                // Peers that go on ringing keep it from sleeping, which is where it can be cancelled.
                cl_test_cancel()
            }
        }
    }

    /// With the process lock held; releases it.
    private static func sleep(_ set: FlowSet, _ process: FlowProcess, until deadline: Instant?) throws(Failure) {
        let poll: Int32?
        let isCertain = !set.isDoubtful
        do {
            poll = try set.prepareSleep()
        } catch {
            process.unlock()
            throw error
        }
        process.unlock()
        guard let poll else { return }
        let cleanup: @convention(c) (UnsafeMutableRawPointer?) -> Void = { argument in
            guard let argument else { return }
            FlowProcess.shared.locked { _ in
                Unmanaged<FlowSet>.fromOpaque(argument).takeUnretainedValue().finishSleep(PollEvents())
            }
        }
        let longest = isCertain ? GuestPoll.longestSleep : WakeUp.doubtfulSleep
        let limit = min(deadline ?? Instant(nanoseconds: .max), Clock.now() + longest)
        var events = PollEvents()
        var interruption: Failure?
        do {
            try events.wait(
                on: poll, until: limit, cleanup: cleanup, argument: Unmanaged.passUnretained(set).toOpaque())
        } catch {
            interruption = error
        }
        process.lock()
        set.finishSleep(events)
        process.unlock()
        if let interruption { throw interruption }
    }
}

extension FlowProcess {
    /// Hands the flows that a link's bits name to their sets. The bits are shared by all sets of the process.
    func distribute(_ link: Link) {
        link.takeReady { descriptor in
            guard let entry = FlowTable.pointer(descriptor) else { return }
            handOver(entry, descriptor)
            if entry.pointee.layer != nil, entry.pointee.membership.set == nil { lookAtLayer(descriptor, at: 0) }
        }
    }

    /// Tells the flow's set, if it is in one, to look at it.
    func handOver(_ entry: FlowPointer, _ descriptor: Int32) {
        entry.pointee.membership.set?._withUnsafeGuaranteedRef { $0.handOver(descriptor, entry) }
    }

    func leaveSet(_ entry: FlowPointer, _ descriptor: Int32) {
        entry.pointee.membership.set?._withUnsafeGuaranteedRef { $0.remove(entry, descriptor) }
    }
}
