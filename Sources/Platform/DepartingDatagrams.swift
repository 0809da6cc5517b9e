// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The sending half of a `DatagramSocket`: a batch of datagrams, of which those that follow each other to one destination
/// with one length are one message, which the kernel, or the interface, splits (UDP GSO).
final class DepartingDatagrams {
    typealias Message = DatagramSocket.Message

    // Not private: Swift 6.3 fails to destroy it from another file if it is.
    struct Batch {
        var datagrams = 0
        var parts = 0
        var messages = 0
        /// Of the last message: how many more datagrams it may take, and its length.
        var room = 0
        var bytes = 0
    }

    /// What a message is made of.
    struct Shape {
        var datagrams: Int
        /// Of each datagram.
        var parts: Int
        /// Length of all datagrams but the last.
        var pieceBytes: Int

        static let single = Shape(datagrams: 1, parts: 1, pieceBytes: 0)
    }

    private let descriptor: Int32
    private let splits: Bool
    private let transmit: DatagramSocket.Transmit
    private let batch = KernelArray(repeating: Batch(), count: 1)
    private let headers = KernelArray(repeating: UInt32(0), count: Limits.datagramsPerBatch)
    /// Of each datagram its header and its payload, or all of it.
    private let parts = KernelArray(repeating: iovec(), count: 2 * Limits.datagramsPerBatch)
    private let destinations: KernelArray<DatagramAddress>
    private let shapes = KernelArray(repeating: Shape.single, count: Limits.datagramsPerBatch)
    private let addresses = KernelArray(repeating: cl_address(), count: Limits.datagramsPerBatch)
    private let controls = KernelArray(repeating: cl_datagram_control(), count: Limits.datagramsPerBatch)
    private let messages = KernelArray(repeating: Message(), count: Limits.datagramsPerBatch)
    /// The datagrams of a message that the kernel did not split.
    private let pieces = KernelArray(repeating: Message(), count: DepartingDatagrams.mostPieces)
    private let pieceShapes = KernelArray(repeating: Shape.single, count: DepartingDatagrams.mostPieces)
    private let refusals = SplitRefusals()

    /// What older kernels allow.
    private static let mostPieces = 64
    /// Of a message before it is split: a datagram with the headers of IPv6.
    private static let mostBytes = 65_487
    private static let headerBytes = 4
    private static let attempts = 3

    init(on descriptor: Int32, family: DatagramAddress.Family, splits: Bool, transmit: DatagramSocket.Transmit) {
        self.descriptor = descriptor
        self.splits = splits
        self.transmit = transmit
        let nobody = DatagramAddress(family: family, high: 0, low: 0, port: 0)
        destinations = KernelArray(repeating: nobody, count: Limits.datagramsPerBatch)
        for index in 0..<Limits.datagramsPerBatch {
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses.base + index)
        }
    }

    var isFull: Bool { batch[0].datagrams == headers.count }
    var isEmpty: Bool { batch[0].datagrams == 0 }

    func append(header: UInt32, payload: UnsafeRawBufferPointer, to destination: DatagramAddress) {
        let index = batch[0].datagrams
        precondition(index < headers.count, "the batch is full")
        headers[index] = header.bigEndian
        let part = batch[0].parts
        parts[part] = iovec(iov_base: headers.base + index, iov_len: DepartingDatagrams.headerBytes)
        parts[part + 1] = payload.part
        append(2, payload.count + DepartingDatagrams.headerBytes, to: destination)
    }

    func append(_ datagram: UnsafeRawBufferPointer, to destination: DatagramAddress) {
        precondition(batch[0].datagrams < headers.count, "the batch is full")
        parts[batch[0].parts] = datagram.part
        append(1, datagram.count, to: destination)
    }

    @inline(__always)
    private func append(_ count: Int, _ length: Int, to destination: DatagramAddress) {
        if joins(count, length, destination) {
            extend(by: length)
        } else {
            begin(count, length, destination)
        }
        messages[batch[0].messages - 1].header.msg_iovlen += count
        shapes[batch[0].messages - 1].datagrams += 1
        batch[0].parts += count
        batch[0].datagrams += 1
    }

    @inline(__always)
    private func joins(_ count: Int, _ length: Int, _ destination: DatagramAddress) -> Bool {
        guard batch[0].room > 0 else { return false }
        let last = batch[0].messages - 1
        return length <= shapes[last].pieceBytes && count == shapes[last].parts
            && batch[0].bytes + length <= DepartingDatagrams.mostBytes && destinations[last].isSame(destination)
    }

    private func extend(by length: Int) {
        let last = batch[0].messages - 1
        if shapes[last].datagrams == 1 {
            let size = UInt16(clamping: shapes[last].pieceBytes)
            cl_datagram_split(messages.base + last, controls.base + last, size)
        }
        batch[0].bytes += length
        // Only the last piece may be shorter.
        batch[0].room = length < shapes[last].pieceBytes ? 0 : batch[0].room - 1
    }

    private func begin(_ count: Int, _ length: Int, _ destination: DatagramAddress) {
        let message = batch[0].messages
        destinations[message] = destination
        shapes[message] = Shape(datagrams: 0, parts: count, pieceBytes: length)
        messages[message].header.msg_namelen = destination.write(to: addresses.base + message)
        messages[message].header.msg_iov = parts.base + batch[0].parts
        messages[message].header.msg_iovlen = 0
        messages[message].header.msg_control = nil
        messages[message].header.msg_controllen = 0
        batch[0].messages = message + 1
        batch[0].bytes = length
        let mayBeSplit = splits && length <= refusals.longestPiece(to: destination)
        batch[0].room = mayBeSplit ? DepartingDatagrams.mostPieces - 1 : 0
    }

    func flush(_ errors: DatagramErrors) -> DatagramFlush {
        let flush = send(messages.base, shapes.base, batch[0].messages, errors)
        batch[0] = Batch()
        return flush
    }

    private func send(
        _ messages: UnsafeMutablePointer<Message>, _ shapes: UnsafePointer<Shape>, _ count: Int,
        _ errors: DatagramErrors
    ) -> DatagramFlush {
        var settled = 0
        var next = 0
        var attempts = 0
        while next < count {
            let result = transmit(descriptor, messages + next, UInt32(count - next))
            if result > 0 {
                for index in next..<next + Int(result) { settled += shapes[index].datagrams }
                next += Int(result)
                attempts = 0
                continue
            }
            if let obstacle = DatagramFlush.Obstacle(errno: -result) {
                return DatagramFlush(settled: settled, obstacle: obstacle)
            }
            // It may have come back from the network for a datagram that was sent before: it is told once, in place of
            // sending this one.
            attempts += 1
            let heard = errors.collect()
            if attempts < DepartingDatagrams.attempts && (heard || attempts == 1) { continue }
            attempts = 0
            if shapes[next].datagrams > 1 && DepartingDatagrams.maySaySplitting(-result) {
                let flush = sendApart(messages + next, shapes[next], errors)
                settled += flush.settled
                if flush.obstacle != nil { return DatagramFlush(settled: settled, obstacle: flush.obstacle) }
            } else {
                errors.add(DatagramTrouble(refusal: -result), shapes[next].datagrams)
                settled += shapes[next].datagrams
            }
            next += 1
        }
        return DatagramFlush(settled: settled, obstacle: nil)
    }

    /// Whether the kernel may mean that it cannot split: pieces that do not fit the path, or an interface that leaves the
    /// checksums to us.
    private static func maySaySplitting(_ errno: Int32) -> Bool {
        errno == EINVAL || errno == EMSGSIZE || errno == EIO || errno == EOPNOTSUPP
    }

    /// One by one, what could not be sent as one message.
    private func sendApart(
        _ message: UnsafeMutablePointer<Message>, _ shape: Shape, _ errors: DatagramErrors
    ) -> DatagramFlush {
        let header = message.pointee.header
        if let name = header.msg_name, let destination = DatagramAddress(name.load(as: cl_address.self)) {
            refusals.add(destination, shape.pieceBytes, now: Clock.now())
        }
        for index in 0..<shape.datagrams {
            pieces[index].header = header
            pieces[index].header.msg_iov += shape.parts * index
            pieces[index].header.msg_iovlen = shape.parts
            pieces[index].header.msg_control = nil
            pieces[index].header.msg_controllen = 0
        }
        return send(pieces.base, pieceShapes.base, shape.datagrams, errors)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var part: iovec { iovec(iov_base: UnsafeMutableRawPointer(mutating: baseAddress), iov_len: count) }
}

extension DatagramAddress {
    /// As `==`, which is a call into another module.
    @inline(__always)
    fileprivate func isSame(_ other: DatagramAddress) -> Bool {
        low == other.low && high == other.high && port == other.port && scope == other.scope
            && isSix == other.isSix
    }

    @inline(__always)
    private var isSix: Bool {
        switch family {
        case .ipv4: false
        case .ipv6: true
        }
    }
}

extension DatagramFlush.Obstacle {
    fileprivate init?(errno: Int32) {
        switch errno {
        // A call that sent nothing and says nothing has met no room.
        case 0, EAGAIN: self = .full
        case ENOBUFS, ENOMEM: self = .noBuffers
        default: return nil
        }
    }
}
