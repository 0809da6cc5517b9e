// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

@testable import Platform

/// Sockets of this host, and what a test does with them.
enum Loopback {
    static func address(_ family: DatagramAddress.Family, port: UInt16 = 0) -> DatagramAddress {
        switch family {
        case .ipv4: DatagramAddress(family: .ipv4, high: 0, low: 0x7f00_0001, port: port)
        case .ipv6: DatagramAddress(family: .ipv6, high: 0, low: 1, port: port)
        }
    }

    static func socket(
        _ family: DatagramAddress.Family = .ipv4, offloads: Bool = true, longestBytes: Int = Limits.datagramBytes,
        transmit: DatagramSocket.Transmit? = nil
    ) throws -> Node {
        var options = DatagramSocket.Options()
        options.offloads = offloads
        options.longestBytes = longestBytes
        // What every system allows to everybody.
        options.arrivingBufferBytes = 212_992
        options.departingBufferBytes = 212_992
        if let transmit { options.transmit = transmit }
        return Node(try DatagramSocket(bound: address(family), options: options))
    }

    /// Why no socket can be bound to the address; nil if one can.
    static func refusal(_ address: DatagramAddress) -> Failure? {
        do {
            _ = try DatagramSocket(bound: address)
            return nil
        } catch {
            return error
        }
    }

    /// An address at which nobody listens: its port was free a moment ago.
    static func deserted(_ family: DatagramAddress.Family = .ipv4) throws -> DatagramAddress {
        try socket(family).address
    }
}

struct Datagram: Equatable {
    let header: UInt32
    let payload: [UInt8]
    let source: DatagramAddress

    /// `count` bytes that say by what number they were made.
    static func pattern(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number &* 7 &+ $0 &* 31 &+ $0 >> 8) }
    }
}

/// The payloads of a batch, which must stay where they are until it is flushed.
final class Payloads {
    private var places: [UnsafeMutableRawBufferPointer] = []

    func keep(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let place = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        place.copyBytes(from: bytes)
        places.append(place)
        return UnsafeRawBufferPointer(place)
    }

    deinit { for place in places { place.deallocate() } }
}

/// A socket as something that a test can look at: `#expect` does not take what cannot be copied.
final class Node {
    let socket: DatagramSocket
    init(_ socket: consuming DatagramSocket) { self.socket = socket }

    var address: DatagramAddress { socket.address }
    var descriptor: Int32 { socket.descriptor.number }
    var dropped: UInt32 { socket.dropped }
    var isEmpty: Bool { socket.isEmpty }
    func takeTroubles() -> PacketTroubles { socket.takeTroubles() }
    func flush() -> PacketFlush { socket.flush() }
    func receive(_ body: (UnsafeRawBufferPointer, DatagramAddress) -> Void) -> DatagramReception {
        socket.receive(body)
    }

    /// Sends the payloads in batches, each with its number as header, to one destination after the other.
    func send(_ payloads: [[UInt8]], to destinations: [DatagramAddress]) -> [PacketFlush] {
        let kept = Payloads()
        var flushes: [PacketFlush] = []
        for (number, payload) in payloads.enumerated() {
            let destination = destinations[number % destinations.count]
            socket.append(PacketHeader(networkOrder: UInt32(number)), kept.keep(payload), to: destination)
            if socket.isFull { flushes.append(flush()) }
        }
        if !isEmpty { flushes.append(flush()) }
        return flushes
    }

    /// Waits until something came. False after ten seconds: no computer is so slow.
    func isReady() -> Bool { cl_poll_one(descriptor, Int16(POLLIN), 10_000, nil, nil) == 1 }

    /// Receives until there are `count`.
    func receive(_ count: Int) -> [Datagram] {
        var datagrams: [Datagram] = []
        while datagrams.count < count, isReady() {
            _ = receive { bytes, source in datagrams.append(Datagram(bytes, source)) }
        }
        return datagrams
    }
}

extension Datagram {
    init(_ bytes: UnsafeRawBufferPointer, _ source: DatagramAddress) {
        header = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        payload = Array(bytes.dropFirst(4))
        self.source = source
    }
}
