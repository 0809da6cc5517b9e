// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Forwarding
import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// Moves packets between the flows of a layer's users and what carries them to other members. Asks the machine for each packet
/// what becomes of it, and `PacketMover` whose turn it is. A packet is copied once: into the carrier by the kernel, out of it by
/// us. What the carrier does not take stays in its flow, whose writer then waits.
///
/// Generic over machine and carrier; the drivers stand in this module, so that the compiler makes it for each of them, and
/// nothing on the way of a packet is generic. It does that only for copyable types, so this is one; nobody copies it.
package struct PacketPump<Carrier: PacketCarrier> {
    package let carrier: Carrier
    private let ports: UpperPorts
    private var mover: PacketMover
    private let outlets: Int
    /// Whose users are to be told; empty between two batches, and kept for its memory.
    private var reached: [Int32] = []
    private var settlements: [PacketMover.Settlement] = []
    /// How much of `PacketCarrier.overruns` the machine has been told.
    private var overruns: UInt32 = 0
    private let packets: PacketPlaces

    /// Batches before what arrives gets its turn.
    private static var batches: Int { 4 }

    package init(_ carrier: Carrier, outlets: Int = 1) throws(Failure) {
        let ports = try UpperPorts()
        self.carrier = carrier
        self.ports = ports
        self.outlets = outlets
        mover = PacketMover(outlets: outlets)
        packets = PacketPlaces(PacketMover.quantum)
    }

    // Flows.

    package var portsDescriptor: Int32 { get throws(Failure) { try ports.pollDescriptor } }

    package mutating func add(_ port: FlowPort) throws(Failure) {
        try ports.add(port)
        mover.add(port)
    }

    /// Lets go of the IPCP's end.
    package mutating func release(_ port: FlowPort) {
        mover.remove(port)
        ports.release(port)
    }

    package mutating func discard(_ port: FlowPort) {
        mover.remove(port)
        ports.discard(port)
    }

    /// Looks which flows have packets.
    package mutating func look() { ports.look(&mover) }

    /// Looks again, if the last look has not come to its end.
    package mutating func finishLook() { if ports.mustLook { look() } }

    /// There are packets that can be moved now, or may be.
    package var isBusy: Bool { ports.mustLook || mover.canMove }
    /// When there may be others.
    package var deadline: Instant? { mover.deadline }

    package func isFull(_ outlet: Int) -> Bool { mover.isFull(outlet) }
    /// The outlet takes packets again.
    package mutating func open(_ outlet: Int) { mover.open(outlet) }

    // From below.

    /// Takes a batch of packets from the carrier. What the machine wants done in answer to messages among them is appended to
    /// `actions`; it has heard each before the packets that came behind it, which may be the first of a new flow.
    package mutating func receive<Machine: ForwardingMachine>(
        _ machine: inout Machine, now: Instant, into actions: inout [IPCPAction<Machine.Lower>]
    ) where Machine.Peer == Carrier.Peer {
        var reached: [Int32] = []
        swap(&reached, &self.reached)
        var queueFull = 0
        var ended = 0
        var relayed = 0
        var lost = 0
        let mayHaveMore = carrier.receive { packet, peer in
            switch machine.arriving(PacketBytes.head(of: packet), length: packet.count, from: peer, now: now) {
            case .deliver(let port, let trim):
                switch ProviderFlow.deliver(port.rawValue, PacketBytes.remainder(of: packet, from: trim)) {
                case .delivered: if reached.last != port.rawValue { reached.append(port.rawValue) }
                case .full: queueFull += 1
                case .gone, .tooLong: ended += 1
                }
            case .control(let trim):
                machine.control(
                    Array(PacketBytes.remainder(of: packet, from: trim)), from: peer, now: now, into: &actions)
            case .relay(let header, let trim, let next):
                carrier.append(header, PacketBytes.remainder(of: packet, from: trim), to: next)
                relayed += 1
                if relayed == Limits.datagramsPerBatch {
                    lost += relayed - flush()
                    relayed = 0
                }
            // A machine does not say so of what comes from below.
            case .prepend, .hold, .drop: break
            }
        }
        for port in reached { ProviderFlow.wake(port) }
        reached.removeAll(keepingCapacity: true)
        swap(&reached, &self.reached)
        // A carrier that is full loses it: its sender is elsewhere and cannot be made to wait.
        if relayed > 0 { lost += relayed - flush() }
        if lost > 0 { machine.failed(.noBuffers, packets: lost) }
        if queueFull > 0 { machine.failed(.queueFull, packets: queueFull) }
        if ended > 0 { machine.failed(.flowEnded, packets: ended) }
        if mayHaveMore { countOverruns(&machine) }
        reportTroubles(to: &machine)
    }

    /// Sends the batches of all outlets; returns how many packets went.
    func flush() -> Int { (0..<outlets).reduce(0) { $0 + carrier.flush($1).settled } }

    /// What there was no room for below. Asked when there is much to take, and before somebody is told.
    package mutating func countOverruns<Machine: ForwardingMachine>(_ machine: inout Machine) {
        let seen = carrier.overruns
        if seen != overruns { machine.failed(.socketFull, packets: Int(seen &- overruns)) }
        overruns = seen
    }

    private func reportTroubles<Machine: ForwardingMachine>(to machine: inout Machine) {
        let troubles = carrier.takeTroubles()
        guard !troubles.isEmpty else { return }
        for trouble in PacketTrouble.allCases where troubles[trouble] > 0 {
            machine.failed(trouble, packets: troubles[trouble])
        }
    }

    // To below.

    /// A packet that does not wait behind others: a message of the machine's. What the carrier does not take is lost.
    package mutating func send<Machine: ForwardingMachine>(
        _ header: PacketHeader, _ payload: UnsafeRawBufferPointer, to peer: Carrier.Peer, _ machine: inout Machine
    ) {
        carrier.append(header, payload, to: peer)
        if carrier.flush(carrier.outlet(to: peer)).settled == 0 { machine.failed(.noBuffers, packets: 1) }
        reportTroubles(to: &machine)
    }

    /// Sends what waits, the flows taking turns, and at most some batches, so that what arrives gets its turn. Returns the
    /// flows that have ended: their process is gone, and all that it wrote is sent.
    package mutating func transmit<Machine: ForwardingMachine>(_ machine: inout Machine, now: Instant) -> [FlowPort]
    where Machine.Peer == Carrier.Peer {
        mover.expire(now: now)
        var ended: [FlowPort] = []
        var batches = Self.batches
        while batches > 0, let (port, most) = mover.next() {
            if turn(port, most, &machine, now) { ended.append(port) }
            // Also packets that go nowhere are work.
            if mover.isBatchFull {
                settle(now)
                batches -= 1
            }
        }
        settle(now)
        reportTroubles(to: &machine)
        // Not those of which the carrier did not take the last packets.
        return ended.filter { PacketPump.isFinished($0) }
    }

    /// True: the flow has ended, and all its packets are in the batch.
    private mutating func turn<Machine: ForwardingMachine>(
        _ port: FlowPort, _ most: Int, _ machine: inout Machine, _ now: Instant
    ) -> Bool where Machine.Peer == Carrier.Peer {
        let place = UnsafeMutableBufferPointer(rebasing: packets.places.prefix(most))
        let count: Int
        do throws(Failure) {
            count = try ProviderFlow.drain(port.rawValue, into: place)
        } catch {
            guard error != .outOfMemory else {
                mover.hold(until: now + Limits.noBuffersPause)
                return false
            }
            mover.endTurn(mayHaveMore: false)
            return true
        }
        for packet in place.prefix(count) {
            switch machine.departing(packet.count, on: port, now: now) {
            case .prepend(let header, let peer):
                guard mover.send(to: carrier.outlet(to: peer)) else { return false }
                carrier.append(header, packet, to: peer)
            case .hold(let end):
                mover.hold(until: end)
                return false
            // A machine does not say the others of what comes from a process.
            case .drop, .relay, .deliver, .control: mover.drop()
            }
        }
        let mayHaveMore = count == most
        mover.endTurn(mayHaveMore: mayHaveMore)
        return !mayHaveMore && PacketPump.isFinished(port)
    }

    static func isFinished(_ port: FlowPort) -> Bool { (try? ProviderFlow.isFinished(port.rawValue)) ?? true }

    /// Sends the batch, and frees what went.
    private mutating func settle(_ now: Instant) {
        guard mover.hasBatch else { return }
        let appetite = mover.appetite
        for outlet in 0..<outlets {
            let flush = carrier.flush(outlet)
            let obstacle: PacketMover.Obstacle? =
                switch flush.obstacle {
                case .full?: .full
                case .noBuffers?: .pause(until: now + Limits.noBuffersPause)
                case nil: nil
                }
            mover.settle(outlet, taken: flush.settled, obstacle, into: &settlements)
        }
        free(appetite)
    }

    mutating func free(_ appetite: UInt64) {
        for settlement in settlements {
            let port = settlement.port.rawValue
            try? ProviderFlow.consume(port, settlement.freed, appetite: appetite)
            if settlement.takesBack { ProviderFlow.takeBack(port) }
        }
        settlements.removeAll(keepingCapacity: true)
    }
}

/// Where the packets of a turn are.
final class PacketPlaces {
    let places: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    init(_ count: Int) { places = .allocate(capacity: count) }
    deinit { places.deallocate() }
}

/// Parts of a packet.
enum PacketBytes {
    /// A private copy of the first bytes.
    @inline(__always) static func head(of packet: UnsafeRawBufferPointer) -> PacketHeader {
        guard packet.count >= PacketHeader.capacity, let start = packet.baseAddress else {
            return shortHead(of: packet)
        }
        return PacketHeader(
            UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)),
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
    }

    private static func shortHead(of packet: UnsafeRawBufferPointer) -> PacketHeader {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: packet) }
        return PacketHeader(
            UInt64(littleEndian: words.0), UInt64(littleEndian: words.1), UInt64(littleEndian: words.2),
            UInt64(littleEndian: words.3), count: packet.count)
    }

    /// What is behind the first bytes.
    @inline(__always) static func remainder(of packet: UnsafeRawBufferPointer, from trim: Int) -> UnsafeRawBufferPointer
    {
        UnsafeRawBufferPointer(rebasing: packet.dropFirst(trim))
    }
}
