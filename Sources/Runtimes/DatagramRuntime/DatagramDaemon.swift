// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowRuntime
import IPCP
import IPCPRuntime
import LocalProtocol
import NameResolution
import Platform
import Shims
import Vocabulary

/// The daemon around the machine of a layer of datagrams: one thread, one loop. Towards irmd it is an IPCP and a process
/// that has flows. It ends when irmd says so (SIGTERM) and when the channel ends, because an IPCP without irmd serves
/// nobody.
package final class DatagramDaemon<Machine: DatagramMachine> where Machine.Lower == DatagramLower {
    private let log: Log
    private var machine: Machine
    private var loop: EventLoop
    private let signals: SignalSource
    private let resolution: NameResolution
    private var link: DatagramLink?
    private let channel = ManagerChannel()
    private var actions: [DatagramAction] = []
    private var limit = LineLimit<String>()
    private var hasEnded = false
    /// Whether the loop waits until the socket takes something.
    private var awaitsRoom = false

    private enum Source: UInt64 {
        case channel
        case signals
        case resolution
        case flows
        case socket
    }

    /// Runs until the end; returns the exit status.
    package static func run() -> Int32 {
        IPCPProgram.run(Machine.type) { log throws(RefusedCall) in
            let daemon = try DatagramDaemon(log)
            try RefusedCall.named("serving") { () throws(Failure) in try daemon.serve() }
        }
    }

    private init(_ log: Log) throws(RefusedCall) {
        let signals = try IPCPProgram.signals()
        let loop = try EventLoop()
        let resolution = try RefusedCall.named("eventfd") { () throws(Failure) in
            try NameResolution { level, text in log.write(level, "ipcpd/directory", text) }
        }
        try RefusedCall.named("epoll_ctl") { () throws(Failure) in
            try loop.add(ManagerChannel.descriptor, token: Source.channel.rawValue)
            try loop.add(signals.descriptor.number, token: Source.signals.rawValue)
            try loop.add(resolution.descriptor, token: Source.resolution.rawValue)
        }
        machine = Machine(seed: try Entropy.word())
        self.resolution = resolution
        self.log = log
        self.signals = signals
        self.loop = loop
    }

    private func serve() throws(Failure) {
        // As a process, before irmd may give it a flow.
        try ProviderFlow.attach()
        defer { end() }
        try channel.send(.initialised(.current, Machine.type))
        var ready: [EventLoop.Readiness] = []
        while !hasEnded {
            loop.wait(until: deadline, into: &ready)
            for readiness in ready { try attend(to: readiness) }
            ready.removeAll(keepingCapacity: true)
            link?.goOn()
            try transmit()
            if let deadline = machine.deadline, deadline <= Clock.now() { try handle(.timeout) }
            try channel.settle(loop, token: Source.channel.rawValue)
        }
    }

    /// Also when irmd has gone, and nobody can be answered any more.
    private func end() {
        actions.removeAll()
        machine.handle(.ending, now: Clock.now(), into: &actions)
        do throws(Failure) {
            try perform()
        } catch {
            log.write(.warning, "ipcpd/ipcp", "The end is not in order: \(error).")
        }
    }

    private var deadline: Instant? {
        if link?.isBusy == true { return Instant(nanoseconds: 0) }
        guard let retry = link?.retry else { return machine.deadline }
        return min(retry, machine.deadline ?? retry)
    }

    private func attend(to readiness: EventLoop.Readiness) throws(Failure) {
        switch Source(rawValue: readiness.token) {
        case .channel: if readiness.isReadable { try receive() }
        case .signals: if signals.next() != nil { hasEnded = true }
        case .resolution: for event in resolution.takeEvents() { try handle(.lower(event)) }
        case .flows: link?.look()
        case .socket:
            if readiness.isWritable { link?.unblock() }
            if readiness.isReadable { try receiveDatagrams() }
        case nil: break
        }
    }

    // Packets.

    private func receiveDatagrams() throws(Failure) {
        // One batch a turn: what was sent is answered before more is taken.
        link?.receive(&machine, now: Clock.now(), into: &actions)
        try perform()
    }

    private func transmit() throws(Failure) {
        guard link?.isBusy == true || link?.retry != nil else { return }
        for port in link?.transmit(&machine, now: Clock.now()) ?? [] { try handle(.ended(port)) }
        try awaitRoom(link?.isFull == true)
    }

    private func awaitRoom(_ awaits: Bool) throws(Failure) {
        guard awaits != awaitsRoom, let socket = link?.socketDescriptor else { return }
        try loop.change(
            socket, token: Source.socket.rawValue, awaits ? [.readable, .writable] : .readable)
        awaitsRoom = awaits
    }

    // Control.

    private func receive() throws(Failure) {
        let isOpen = try channel.receive(log) { request, arrival throws(Failure) in
            if let offer = request.offer { return try take(offer, request, &arrival) }
            if case .describe = request { link?.countDropped(&machine) }
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
            guard !arrival.lacksDescriptors else { throw .tooManyDescriptors }
            port = FlowPort(try ProviderFlow.take(offer, &arrival))
        } catch {
            return try refuse(offer, request, error, "the IPCP cannot map the flow: \(error)")
        }
        try channel.send(.mapped(offer.flow))
        do throws(Failure) {
            guard link != nil else { throw .ipcpState }
            try link?.add(port)
        } catch {
            ProviderFlow.discard(port.rawValue)
            return try refuse(offer, request, error, "the IPCP cannot serve the flow: \(error)")
        }
        try handle(.offered(port, request))
    }

    /// This flow and no other. Another host that has asked for it is told at once.
    private func refuse(
        _ offer: FlowOffer, _ request: IPCPRequest, _ failure: Failure, _ reason: String
    ) throws(Failure) {
        if case .accept(let id, _, _, _) = request { try handle(.request(.reject(id, failure))) }
        try channel.send(.refused(offer.flow, failure, reason: Array(reason.utf8)))
    }

    private func handle(_ event: DatagramEvent) throws(Failure) {
        machine.handle(event, now: Clock.now(), into: &actions)
        try perform()
    }

    /// What the machine wants done, and what follows from that.
    private func perform() throws(Failure) {
        while !actions.isEmpty {
            var taken: [DatagramAction] = []
            swap(&taken, &actions)
            for action in taken {
                guard let outcome = try perform(action) else { continue }
                machine.handle(outcome, now: Clock.now(), into: &actions)
            }
        }
    }

    /// The outcome, if it is there at once.
    private func perform(_ action: DatagramAction) throws(Failure) -> DatagramEvent? {
        switch action {
        case .report(let report): write(report)
        case .reply(.arrived(let id, _, _, _, _)) where channel.isCrowded: return .request(.reject(id, .busy))
        case .reply(let reply): try channel.send(reply)
        case .release(let port): link?.release(port)
        case .discard(let port): link?.discard(port)
        case .lower(.open(let address)): return .lower(open(address))
        case .lower(let action): perform(action)
        }
        return nil
    }

    private func perform(_ action: DatagramLower.Action) {
        switch action {
        case .open: break
        case .tryKey(let id, let path, let rights): resolution.tryKey(id, path, by: rights)
        case .followHosts(let path, let own, let rights): resolution.follow(path, for: own, by: rights)
        case .leaveHosts: resolution.leave()
        case .send(let message, let destination): link?.send(message, to: destination, &machine)
        case .resolve(let id, let inquiry): resolution.resolve(id, inquiry)
        case .publish(let update): resolution.publish(update)
        case .withdraw(let update): resolution.withdraw(update)
        }
    }

    /// Warnings come from what other hosts do, so they are limited.
    private func write(_ report: IPCPReport<DatagramLower>) {
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

    private func open(_ address: DatagramAddress) -> DatagramLower.Event {
        do throws(Failure) {
            let new = try DatagramLink(bound: address, longestBytes: Machine.longestDatagram)
            try loop.add(new.socketDescriptor, token: Source.socket.rawValue)
            try loop.add(try new.flowsDescriptor, token: Source.flows.rawValue)
            link = consume new
            return .opened
        } catch {
            return .notOpened(error)
        }
    }
}
