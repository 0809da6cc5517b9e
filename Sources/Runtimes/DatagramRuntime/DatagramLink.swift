// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import FlowRuntime
import IPCP
import Platform
import Shims
import Vocabulary

/// The packets of a layer, between the memory of its flows and its socket. Asks the machine for each packet where it goes,
/// and moves it there with one copy: the kernel's into the socket, ours out of it. What the socket does not take stays
/// in its flow, whose writer then waits.
struct DatagramLink: ~Copyable {
    private let socket: DatagramSocket
    private var flows: ProviderFlows
    /// Of the batch that is being built, in its order.
    private var runs: [Run] = []
    private var batched = 0
    /// Packets taken for it, also those that the machine has dropped.
    private var handled = 0
    /// Whose users are to be told; empty between two batches, and kept for its memory.
    private var reached: [Int32] = []
    /// Of `DatagramSocket.dropped`, what is counted.
    private var dropped: UInt32 = 0
    /// When to try again after the kernel had no memory.
    private(set) var retry: Instant?
    /// The socket takes nothing: its writability says when it does.
    private(set) var isFull = false
    private let packets: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>

    /// Packets of a flow before it is the next one's turn.
    private static let quantum = 64
    /// Batches before what arrives gets its turn.
    private static let batches = 4

    private struct Run {
        let port: Int32
        /// Packets that were handed out; and of these in the batch.
        let packets: Int
        let datagrams: Int
    }

    init(bound address: DatagramAddress, longestBytes: Int) throws(Failure) {
        var options = DatagramSocket.Options()
        options.longestBytes = longestBytes
        let socket = try DatagramSocket(bound: address, options: options)
        let flows = try ProviderFlows()
        self.socket = socket
        self.flows = flows
        packets = .allocate(capacity: DatagramLink.quantum)
    }

    deinit { packets.deallocate() }

    var socketDescriptor: Int32 { socket.descriptor.number }
    var flowsDescriptor: Int32 { get throws(Failure) { try flows.pollDescriptor } }
    /// There are packets that could be sent now, or may be.
    var isBusy: Bool { flows.mustLook || canSend }
    private var canSend: Bool { !isFull && retry == nil && flows.hasUnsent }

    mutating func add(_ port: FlowPort) throws(Failure) { try flows.add(port.rawValue) }

    /// Lets go of the IPCP's end.
    mutating func release(_ port: FlowPort) { flows.release(port.rawValue) }
    mutating func discard(_ port: FlowPort) { flows.discard(port.rawValue) }

    // From the network.

    /// Takes a batch of datagrams from the socket. What the machine wants done in answer to messages among them is appended
    /// to `actions`; it has heard each before the packets that came behind it, which may be the first of a new flow.
    mutating func receive(
        _ machine: inout some DatagramMachine<DatagramLower>, now: Instant, into actions: inout [DatagramAction]
    ) {
        var reached: [Int32] = []
        swap(&reached, &self.reached)
        var queueFull = 0
        var ended = 0
        let reception = socket.receive { datagram, source in
            let header = datagram.count >= 4 ? datagram.loadUnaligned(as: UInt32.self).bigEndian : 0
            switch machine.arriving(header, length: datagram.count, from: source, now: now) {
            case .deliver(let port):
                let payload = UnsafeRawBufferPointer(rebasing: datagram.dropFirst(4))
                switch ProviderFlow.deliver(port.rawValue, payload) {
                case .delivered: if reached.last != port.rawValue { reached.append(port.rawValue) }
                case .full: queueFull += 1
                case .gone, .tooLong: ended += 1
                }
            case .control: machine.handle(.lower(.datagram(Array(datagram), from: source)), now: now, into: &actions)
            case .drop: break
            }
        }
        for port in reached { ProviderFlow.wake(port) }
        reached.removeAll(keepingCapacity: true)
        swap(&reached, &self.reached)
        if queueFull > 0 { machine.failed(.queueFull, packets: queueFull) }
        if ended > 0 { machine.failed(.flowEnded, packets: ended) }
        if reception.mayHaveMore { countDropped(&machine) }
        reportTroubles(to: &machine)
    }

    /// What the kernel had no room for. Asked when there is much to take, and before somebody is told.
    mutating func countDropped(_ machine: inout some DatagramMachine) {
        let seen = socket.dropped
        if seen != dropped { machine.failed(.socketFull, packets: Int(seen &- dropped)) }
        dropped = seen
    }

    private func reportTroubles(to machine: inout some DatagramMachine) {
        let troubles = socket.takeTroubles()
        guard !troubles.isEmpty else { return }
        for trouble in DatagramTrouble.allCases where troubles[trouble] > 0 {
            machine.failed(trouble, packets: troubles[trouble])
        }
    }

    // To the network.

    /// A message of the machine's. It does not wait behind packets that the socket does not take.
    mutating func send(_ message: [UInt8], to destination: DatagramAddress, _ machine: inout some DatagramMachine) {
        guard message.count >= 4 else { return }
        message.withUnsafeBytes { bytes in
            socket.append(
                header: bytes.loadUnaligned(as: UInt32.self).bigEndian,
                payload: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(4)), to: destination)
            if socket.flush().settled == 0 { machine.failed(.noBuffers, packets: 1) }
        }
        reportTroubles(to: &machine)
    }

    /// Looks which flows have something.
    mutating func look() { flows.look() }

    /// Looks again if the last look did not come to an end.
    mutating func goOn() { if flows.mustLook { flows.look() } }

    /// The socket is writable again.
    mutating func unblock() { isFull = false }

    /// Sends what waits, the flows taking turns, and at most some batches, so that what arrives gets its turn. Returns
    /// the flows that have ended: their process is gone, and all that it wrote is sent.
    mutating func transmit(_ machine: inout some DatagramMachine, now: Instant) -> [FlowPort] {
        if let time = retry, time <= now { retry = nil }
        var ended: [Int32] = []
        var batches = DatagramLink.batches
        while canSend, batches > 0, let port = flows.next() {
            switch append(port, &machine, now) {
            case .more: flows.goesOn(port)
            case .drained: break
            case .ended: ended.append(port)
            }
            // Also packets that go nowhere are work.
            if batched == Limits.datagramsPerBatch || handled >= Limits.datagramsPerBatch {
                settle()
                batches -= 1
            }
        }
        settle()
        reportTroubles(to: &machine)
        // Not those of which the socket did not take the last packets.
        return ended.filter { isFinished($0) }.map(FlowPort.init)
    }

    private enum Rest {
        case more
        case drained
        case ended
    }

    private mutating func append(_ port: Int32, _ machine: inout some DatagramMachine, _ now: Instant) -> Rest {
        let place = UnsafeMutableBufferPointer(rebasing: packets.prefix(Limits.datagramsPerBatch - batched))
        guard let count = try? ProviderFlow.drain(port, into: place) else { return .ended }
        var datagrams = 0
        for packet in packets.prefix(count) {
            switch machine.departing(packet.count, on: FlowPort(port), now: now) {
            case .send(let header, let destination):
                socket.append(header: header, payload: packet, to: destination)
                datagrams += 1
            case .drop: break
            }
        }
        if count > 0 {
            runs.append(Run(port: port, packets: count, datagrams: datagrams))
            batched += datagrams
            handled += count
        }
        if count == place.count { return .more }
        return isFinished(port) ? .ended : .drained
    }

    private func isFinished(_ port: Int32) -> Bool { (try? ProviderFlow.isFinished(port)) ?? true }

    /// Sends the batch, and frees what went.
    private mutating func settle() {
        guard !runs.isEmpty else { return }
        let flush = socket.flush()
        var settled = flush.settled
        let appetite = flows.appetite
        for run in runs {
            let sent = min(settled, run.datagrams)
            settled -= sent
            // Packets that the machine dropped go with those around them.
            let isWhole = sent == run.datagrams
            try? ProviderFlow.consume(run.port, isWhole ? run.packets : sent, appetite: appetite)
            if !isWhole {
                ProviderFlow.takeBack(run.port)
                flows.goesOn(run.port)
            }
        }
        runs.removeAll(keepingCapacity: true)
        batched = 0
        handled = 0
        switch flush.obstacle {
        case .full?: isFull = true
        case .noBuffers?: retry = Clock.now() + Limits.noBuffersPause
        case nil: break
        }
    }
}
