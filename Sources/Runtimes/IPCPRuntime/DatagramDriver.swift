// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowRuntime
import IPCP
import LocalProtocol
import NameResolution
import Platform
import Shims
import Vocabulary

/// What is below a UDP layer: its socket, and the threads that ask and tell where names are.
package struct DatagramDriver: LowerDriver, ~Copyable {
    package typealias Machine = DatagramLayer

    private let resolution: NameResolution
    /// There when the socket is open.
    private var pump: PacketPump<DatagramCarrier>?
    /// Whether the loop waits until the socket takes something.
    private var awaitsRoom = false

    private enum Token {
        static let resolution = IPCPToken.firstOfDriver
        static let flows = IPCPToken.firstOfDriver + 1
        static let socket = IPCPToken.firstOfDriver + 2
    }

    /// A layer has one outlet.
    private static let outlet = 0

    /// Runs the daemon of a UDP layer until its end; returns the exit status.
    package static func run(_ family: DatagramAddress.Family) -> Int32 {
        IPCPDaemon<DatagramDriver>.run(DatagramLayer.type(of: family)) { seed, log, loop throws(RefusedCall) in
            IPCPDaemon.Beginning(DatagramLayer(family, seed: seed), try DatagramDriver(log, loop))
        }
    }

    private init(_ log: Log, _ loop: borrowing EventLoop) throws(RefusedCall) {
        let resolution = try RefusedCall.named("eventfd") { () throws(Failure) in
            try NameResolution { level, text in log.write(level, "ipcpd/directory", text) }
        }
        try RefusedCall.named("epoll_ctl") { () throws(Failure) in
            try loop.add(resolution.descriptor, token: Token.resolution)
        }
        // As a process, before irmd may give it a flow.
        try RefusedCall.named("serving") { () throws(Failure) in try ProviderFlow.attach() }
        self.resolution = resolution
    }

    package var deadline: Instant? {
        mutating get { pump?.isBusy == true ? Instant(nanoseconds: 0) : pump?.deadline ?? nil }
    }

    package mutating func attend(
        to readiness: EventLoop.Readiness, _ machine: inout DatagramLayer, now: Instant, events: inout [DatagramEvent],
        actions: inout [DatagramAction]
    ) {
        switch readiness.token {
        case Token.resolution: events += resolution.takeEvents().map { .lower($0) }
        case Token.flows: pump?.look()
        case Token.socket:
            if readiness.isWritable { pump?.open(DatagramDriver.outlet) }
            if readiness.isReadable { pump?.receive(&machine, now: now, into: &actions) }
        default: break
        }
    }

    package mutating func move(
        _ machine: inout DatagramLayer, _ loop: borrowing EventLoop, now: Instant
    ) throws(Failure) -> [FlowPort] {
        pump?.finishLook()
        guard pump?.isBusy == true || pump?.deadline != nil else { return [] }
        let ended = pump?.transmit(&machine, now: now) ?? []
        try awaitRoom(pump?.isFull(DatagramDriver.outlet) == true, loop)
        return ended
    }

    private mutating func awaitRoom(_ awaits: Bool, _ loop: borrowing EventLoop) throws(Failure) {
        guard awaits != awaitsRoom, let socket = pump?.carrier.descriptor else { return }
        try loop.change(socket, token: Token.socket, awaits ? [.readable, .writable] : .readable)
        awaitsRoom = awaits
    }

    package mutating func count(_ machine: inout DatagramLayer) { pump?.countOverruns(&machine) }

    package mutating func perform(
        _ action: DatagramLower.Action, _ machine: inout DatagramLayer, _ loop: borrowing EventLoop
    ) -> DatagramLower.Event? {
        switch action {
        case .open(let address): return open(address, loop)
        case .tryKey(let id, let path, let rights): resolution.tryKey(id, path, by: rights)
        case .followHosts(let path, let own, let rights): resolution.follow(path, for: own, by: rights)
        case .leaveHosts: resolution.leave()
        case .send(let message, let destination):
            message.withUnsafeBytes { pump?.send(PacketHeader(), $0, to: destination, &machine) }
        case .resolve(let id, let inquiry): resolution.resolve(id, inquiry)
        case .publish(let update): resolution.publish(update)
        case .withdraw(let update): resolution.withdraw(update)
        }
        return nil
    }

    private mutating func open(_ address: DatagramAddress, _ loop: borrowing EventLoop) -> DatagramLower.Event {
        do throws(Failure) {
            var options = DatagramSocket.Options()
            options.longestBytes = DatagramLayer.longestDatagram(of: address.family)
            let carrier = DatagramCarrier(try DatagramSocket(bound: address, options: options))
            let new = try PacketPump(carrier)
            try loop.add(carrier.descriptor, token: Token.socket)
            try loop.add(try new.portsDescriptor, token: Token.flows)
            pump = new
            return .opened
        } catch {
            return .notOpened(error)
        }
    }

    // Flows.

    package mutating func take(
        _ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> FlowPort { try UpperPorts.take(offer, &arrival) }

    package mutating func add(_ port: FlowPort) throws(Failure) {
        guard pump != nil else { throw .ipcpState }
        try pump?.add(port)
    }

    package mutating func release(_ port: FlowPort) { pump?.release(port) }

    package mutating func discard(_ port: FlowPort) {
        guard pump != nil else { return ProviderFlow.discard(port.rawValue) }
        pump?.discard(port)
    }
}

/// The socket of a layer, as what carries its packets.
final class DatagramCarrier: PacketCarrier {
    private let socket: DatagramSocket

    init(_ socket: consuming DatagramSocket) { self.socket = socket }

    var descriptor: Int32 { socket.descriptor.number }
    var overruns: UInt32 { socket.dropped }

    func outlet(to peer: DatagramAddress) -> Int { 0 }

    func append(_ header: PacketHeader, _ payload: UnsafeRawBufferPointer, to peer: DatagramAddress) {
        socket.append(header, payload, to: peer)
    }

    func flush(_ outlet: Int) -> PacketFlush { socket.flush() }

    func receive(_ body: (UnsafeRawBufferPointer, DatagramAddress) -> Void) -> Bool { socket.receive(body).mayHaveMore }

    func takeTroubles() -> PacketTroubles { socket.takeTroubles() }
}

/// Here, so that the compiler sees through it: a conformance in another module costs a call more for each packet.
extension DatagramLayer: ForwardingMachine {}
