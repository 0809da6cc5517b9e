// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// The daemon around an IPCP's machine: one thread, one loop, the channel to irmd, the log, the end; and the driver of what is
/// below. It ends when irmd says so (SIGTERM) and when the channel ends, because an IPCP without irmd serves nobody.
package final class IPCPDaemon<Driver: LowerDriver & ~Copyable> {
    package typealias Machine = Driver.Machine

    private let log: Log
    private var machine: Machine
    private var driver: Driver
    private var loop: EventLoop
    private let signals: SignalSource
    private let channel = ManagerChannel()
    private var actions: [IPCPAction<Machine.Lower>] = []
    private var events: [IPCPEvent<Machine.Lower>] = []
    private var limit = LineLimit<String>()
    private var hasEnded = false

    /// Runs until the end; returns the exit status. `begin` makes the machine, with this for chance, and its driver, which
    /// adds to the loop what it waits for.
    package static func run(
        _ type: IPCPType, _ begin: (UInt64, Log, borrowing EventLoop) throws(RefusedCall) -> Beginning
    ) -> Int32 {
        IPCPProgram.run(type) { log throws(RefusedCall) in
            let signals = try IPCPProgram.signals()
            let loop = try EventLoop()
            try RefusedCall.named("epoll_ctl") { () throws(Failure) in
                try loop.add(ManagerChannel.descriptor, token: IPCPToken.channel)
                try loop.add(signals.descriptor.number, token: IPCPToken.signals)
            }
            let beginning = try begin(try Entropy.word(), log, loop)
            let daemon = IPCPDaemon(beginning, log, loop, signals)
            try RefusedCall.named("serving") { () throws(Failure) in try daemon.serve(type) }
        }
    }

    /// What a daemon begins with.
    package struct Beginning: ~Copyable {
        let machine: Machine
        var driver: Driver

        package init(_ machine: Machine, _ driver: consuming Driver) {
            self.machine = machine
            self.driver = driver
        }
    }

    private init(
        _ beginning: consuming Beginning, _ log: Log, _ loop: consuming EventLoop, _ signals: consuming SignalSource
    ) {
        machine = beginning.machine
        driver = beginning.driver
        self.log = log
        self.loop = loop
        self.signals = signals
    }

    private func serve(_ type: IPCPType) throws(Failure) {
        defer { end() }
        try channel.send(.initialised(.current, type))
        var ready: [EventLoop.Readiness] = []
        while !hasEnded {
            loop.wait(until: Instant.earlier(driver.deadline, machine.deadline), into: &ready)
            for readiness in ready { try attend(to: readiness) }
            ready.removeAll(keepingCapacity: true)
            for port in try driver.move(&machine, loop, now: Clock.now()) { try handle(.ended(port)) }
            if let deadline = machine.deadline, deadline <= Clock.now() { try handle(.timeout) }
            try channel.settle(loop, token: IPCPToken.channel)
        }
    }

    /// Also when irmd has gone, and nobody can be answered any more.
    private func end() {
        actions.removeAll()
        machine.handle(.ending, now: Clock.now(), into: &actions)
        do throws(Failure) {
            try perform()
        } catch {
            log.write(.warning, "ipcpd/ipcp", "The IPCP cannot end in order: \(error).")
        }
    }

    private func attend(to readiness: EventLoop.Readiness) throws(Failure) {
        switch readiness.token {
        case IPCPToken.channel: if readiness.isReadable { try receive() }
        case IPCPToken.signals: if signals.next() != nil { hasEnded = true }
        default:
            var events: [IPCPEvent<Machine.Lower>] = []
            swap(&events, &self.events)
            driver.attend(to: readiness, &machine, now: Clock.now(), events: &events, actions: &actions)
            // One batch of packets a turn: what was sent is answered before more is taken.
            try perform()
            for event in events { try handle(event) }
            events.removeAll(keepingCapacity: true)
            swap(&events, &self.events)
        }
    }

    private func receive() throws(Failure) {
        let isOpen = try channel.receive(log) { request, arrival throws(Failure) in
            if let offer = request.offer { return try take(offer, request, &arrival) }
            if case .describe = request { driver.count(&machine) }
            try handle(.request(request))
        }
        if !isOpen { hasEnded = true }
    }

    /// Maps the end of a flow that irmd gives us.
    private func take(
        _ offer: FlowOffer, _ request: IPCPRequest, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) {
        let port: FlowPort
        do throws(Failure) {
            port = try driver.take(offer, &arrival)
        } catch {
            return try refuse(offer, request, error, "the IPCP cannot map the flow: \(error)")
        }
        try channel.send(.mapped(offer.flow))
        do throws(Failure) {
            try driver.add(port)
        } catch {
            driver.discard(port)
            return try refuse(offer, request, error, "the IPCP cannot serve the flow: \(error)")
        }
        try handle(.offered(port, request))
    }

    /// This flow and no other. Another host that has asked for it is told at once.
    private func refuse(
        _ offer: FlowOffer, _ request: IPCPRequest, _ failure: Failure, _ reason: String
    ) throws(Failure) {
        if case .accept(let id, _, _, _, _) = request { try handle(.request(.reject(id, failure))) }
        try channel.send(.refused(offer.flow, failure, reason: Array(reason.utf8)))
    }

    private func handle(_ event: IPCPEvent<Machine.Lower>) throws(Failure) {
        machine.handle(event, now: Clock.now(), into: &actions)
        try perform()
    }

    /// What the machine wants done, and what follows from that.
    private func perform() throws(Failure) {
        while !actions.isEmpty {
            var taken: [IPCPAction<Machine.Lower>] = []
            swap(&taken, &actions)
            for action in taken {
                guard let outcome = try perform(action) else { continue }
                machine.handle(outcome, now: Clock.now(), into: &actions)
            }
        }
    }

    /// The outcome, if it is there at once.
    private func perform(_ action: IPCPAction<Machine.Lower>) throws(Failure) -> IPCPEvent<Machine.Lower>? {
        switch action {
        case .report(let report): write(report)
        // irmd shall not be told of strangers until it has read the rest.
        case .reply(.arrived(let id, _, _, _, _)) where channel.isCrowded: return .request(.reject(id, .busy))
        case .reply(let reply): try channel.send(reply)
        case .release(let port): driver.release(port)
        case .discard(let port): driver.discard(port)
        case .lower(let action): return driver.perform(action, &machine, loop).map { .lower($0) }
        }
        return nil
    }

    /// Warnings come from what other hosts do, so they are limited.
    private func write(_ report: IPCPReport<Machine.Lower>) {
        guard report.level == .warning, report.level <= log.level else {
            return log.write(report.level, report.component, report.text)
        }
        switch limit.verdict(for: report.component, now: Clock.now()) {
        case .write: break
        case .writeAfter(let suppressed):
            log.write(.warning, report.component, "\(suppressed) more warnings were not written.")
        case .suppress: return
        }
        log.write(report.level, report.component, report.text)
    }
}
