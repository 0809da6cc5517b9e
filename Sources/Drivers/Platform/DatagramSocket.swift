// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A UDP socket through which a layer exchanges datagrams in batches. One thread owns it; it never waits, and nothing
/// that the network says ends it: what is lost is counted.
///
/// A batch is built by `append` and sent by `flush`. Meanwhile it points to the payloads of the caller, which must stay
/// as they are until `flush` returns. Received datagrams may be answered while they are being received.
package struct DatagramSocket: ~Copyable {
    package struct Options: Sendable {
        /// Longer datagrams are dropped.
        package var longestBytes = Limits.datagramBytes
        /// Whether the kernel may split and join datagrams where it can (UDP GSO and GRO).
        package var offloads = true
        package var arrivingBufferBytes = Limits.arrivingBufferBytes
        package var departingBufferBytes = Limits.departingBufferBytes
        /// What sends, so that a test can stand in for a kernel in trouble.
        var transmit: Transmit = cl_datagram_send

        package init() {}
    }

    typealias Message = cl_datagram_message
    typealias Transmit = @convention(c) (Int32, UnsafeMutablePointer<Message>?, UInt32) -> Int32

    /// Readable if datagrams came, or errors: then `receive` is to be called.
    package let descriptor: Descriptor
    /// With the port that the system chose, if it had to.
    package let address: DatagramAddress
    private let arriving: ArrivingDatagrams
    private let departing: DepartingDatagrams
    private let errors: DatagramErrors

    /// Throws what the system says: EADDRINUSE, EADDRNOTAVAIL (also for a broadcast address), EACCES, ENODEV (an
    /// unknown scope).
    package init(bound address: DatagramAddress, options: Options = Options()) throws(Failure) {
        let descriptor = try DatagramSocket.open(address)
        let bound = try DatagramSocket.name(of: descriptor.number)
        guard NetworkInterface.isOwn(bound) else { throw .addressNotAvailable }
        let joins = options.offloads && cl_datagram_join(descriptor.number)
        let splits = options.offloads && cl_datagram_can_split(descriptor.number)
        cl_datagram_buffers(
            descriptor.number, Int32(clamping: options.arrivingBufferBytes),
            Int32(clamping: options.departingBufferBytes))
        errors = DatagramErrors(descriptor.number)
        arriving = ArrivingDatagrams(on: descriptor.number, longestBytes: options.longestBytes, joined: joins)
        departing = DepartingDatagrams(
            on: descriptor.number, family: bound.family, splits: splits, transmit: options.transmit)
        self.address = bound
        self.descriptor = descriptor
    }

    private static func open(_ address: DatagramAddress) throws(Failure) -> Descriptor {
        var place = cl_address()
        let length = address.write(to: &place)
        let result = cl_datagram_socket(&place, length)
        guard result >= 0 else { throw Failure(result: Int(result)) }
        return Descriptor(owning: result)
    }

    private static func name(of descriptor: Int32) throws(Failure) -> DatagramAddress {
        var place = cl_address()
        let result = cl_datagram_name(descriptor, &place)
        guard result >= 0 else { throw Failure(result: Int(result)) }
        guard let address = DatagramAddress(place) else { throw .invalid }
        return address
    }

    /// Takes what has come, up to a batch: `body` gets each datagram in order, and must not keep its bytes.
    package func receive(_ body: (UnsafeRawBufferPointer, DatagramAddress) -> Void) -> DatagramReception {
        arriving.receive(errors, body)
    }

    /// Nothing more can be appended before `flush`.
    package var isFull: Bool { departing.isFull }
    package var isEmpty: Bool { departing.isEmpty }

    /// Puts a datagram into the batch: the header and the payload. Without a header it is cheaper: the kernel gathers one part
    /// instead of two. The batch must not be full.
    package func append(_ header: PacketHeader, _ payload: UnsafeRawBufferPointer, to destination: DatagramAddress) {
        departing.append(header, payload, to: destination)
    }

    /// Sends the batch, and empties it whatever comes of it.
    package func flush() -> PacketFlush { departing.flush(errors) }

    /// What was lost since the last time.
    package func takeTroubles() -> PacketTroubles { errors.take() }

    /// Datagrams that came while the buffer of the socket was full, from the beginning; may wrap.
    package var dropped: UInt32 { cl_datagram_drops(descriptor.number) }
}

/// What one `receive` brought.
package struct DatagramReception: Sendable {
    package let datagrams: Int
    /// The batch was full, so there may be more.
    package let mayHaveMore: Bool
}

/// What became of a batch.
package struct PacketFlush: Sendable {
    package enum Obstacle: Sendable {
        /// Nothing more is taken: to be tried again when the socket is writable.
        case full
        /// The kernel has no memory or a queue below is full: to be tried again after `Limits.noBuffersPause`, because
        /// nothing tells when.
        case noBuffers
    }

    /// Packets from the front of the batch that are sent, or lost and counted. The others were not sent.
    package let settled: Int
    /// Why there are others; else nil.
    package let obstacle: Obstacle?

    package init(settled: Int, obstacle: Obstacle?) {
        self.settled = settled
        self.obstacle = obstacle
    }
}

extension DatagramAddress {
    /// Nil if it is of another family.
    init?(_ place: cl_address) {
        var isSix = false
        var high: UInt64 = 0
        var low: UInt64 = 0
        var port: UInt16 = 0
        var scope: UInt32 = 0
        let isKnown = withUnsafePointer(to: place) { cl_address_read($0, &isSix, &high, &low, &port, &scope) }
        guard isKnown else { return nil }
        self.init(family: isSix ? .ipv6 : .ipv4, high: high, low: low, port: port, scope: scope)
    }

    /// Returns the length.
    @discardableResult
    func write(to place: UnsafeMutablePointer<cl_address>) -> socklen_t {
        cl_address_write(place, family == .ipv6, high, low, port, scope)
    }
}
