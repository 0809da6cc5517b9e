// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The sending half of a `DatagramSocket`: a batch of datagrams, of which those that follow each other to one destination
/// with one length are one message, which the kernel, or the interface, splits (UDP GSO). Short payloads are copied together,
/// because the kernel takes longer to gather two parts than we to copy some hundred bytes.
final class DepartingDatagrams {
    typealias Message = DatagramSocket.Message

    // Not private: Swift 6.3 fails to destroy it from another file if it is.
    struct Batch {
        var datagrams = 0
        var parts = 0
        var messages = 0
        /// How many more datagrams the last message may take.
        var room = 0
        var copiedBytes = 0
    }

    /// What a message is made of.
    struct Shape {
        var datagrams: Int
        var bytes: Int
        /// Length of all datagrams but the last.
        var pieceBytes: Int

        static let single = Shape(datagrams: 1, bytes: 0, pieceBytes: 0)
    }

    private let descriptor: Int32
    private let splits: Bool
    private let transmit: DatagramSocket.Transmit
    private let batch = KernelArray(repeating: Batch(), count: 1)
    /// The headers of long datagrams.
    private let headers: UnsafeMutableRawPointer
    /// Of each datagram its header and its payload, or all of it; one for all that stand one behind the other.
    private let parts = KernelArray(repeating: iovec(), count: 2 * Limits.datagramsPerBatch)
    /// Short datagrams.
    private let copies: UnsafeMutableRawPointer
    private let destinations: KernelArray<DatagramAddress>
    private let shapes = KernelArray(repeating: Shape.single, count: Limits.datagramsPerBatch)
    private let addresses = KernelArray(repeating: cl_address(), count: Limits.datagramsPerBatch)
    private let controls = KernelArray(repeating: cl_datagram_control(), count: Limits.datagramsPerBatch)
    private let messages = KernelArray(repeating: Message(), count: Limits.datagramsPerBatch)
    /// The datagrams of a message that the kernel did not split.
    private let pieces = KernelArray(repeating: Message(), count: DepartingDatagrams.mostPieces)
    private let pieceParts = KernelArray(repeating: iovec(), count: 2 * DepartingDatagrams.mostPieces)
    private let pieceShapes = KernelArray(repeating: Shape.single, count: DepartingDatagrams.mostPieces)
    private let refusals = SplitRefusals()

    /// What older kernels allow.
    private static let mostPieces = 64
    /// Of a message before it is split: a datagram with the headers of IPv6.
    private static let mostBytes = 65_487
    /// Longer ones are gathered faster than copied [1,400 bytes: 2.52 against 2.43 million in a second].
    private static let shortBytes = 512
    private static let attempts = 3

    init(on descriptor: Int32, family: DatagramAddress.Family, splits: Bool, transmit: DatagramSocket.Transmit) {
        self.descriptor = descriptor
        self.splits = splits
        self.transmit = transmit
        let nobody = DatagramAddress(family: family, high: 0, low: 0, port: 0)
        destinations = KernelArray(repeating: nobody, count: Limits.datagramsPerBatch)
        headers = .allocate(byteCount: PacketHeader.capacity * Limits.datagramsPerBatch, alignment: 64)
        // A header is written with all its capacity.
        copies = .allocate(
            byteCount: DepartingDatagrams.shortBytes * Limits.datagramsPerBatch + PacketHeader.capacity, alignment: 64)
        for index in 0..<Limits.datagramsPerBatch {
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses.base + index)
        }
    }

    deinit {
        headers.deallocate()
        copies.deallocate()
    }

    var isFull: Bool { batch[0].datagrams == messages.count }
    var isEmpty: Bool { batch[0].datagrams == 0 }

    func append(_ header: PacketHeader, _ payload: UnsafeRawBufferPointer, to destination: DatagramAddress) {
        let index = batch[0].datagrams
        precondition(index < messages.count, "the batch is full")
        let length = header.count + payload.count
        prepare(length, to: destination)
        if length <= DepartingDatagrams.shortBytes {
            add(copy(header, payload))
            return
        }
        if header.count > 0 {
            let place = headers + index * PacketHeader.capacity
            header.write(to: place)
            add(iovec(iov_base: place, iov_len: header.count))
        }
        add(payload.part)
    }

    private func copy(_ header: PacketHeader, _ payload: UnsafeRawBufferPointer) -> iovec {
        let place = copies + batch[0].copiedBytes
        header.write(to: place)
        if let start = payload.baseAddress { cl_copy(place + header.count, start, payload.count) }
        batch[0].copiedBytes += header.count + payload.count
        return iovec(iov_base: place, iov_len: header.count + payload.count)
    }

    /// A part of the last message.
    @inline(__always)
    private func add(_ part: iovec) {
        let last = batch[0].messages - 1
        let count = messages[last].header.msg_iovlen
        if count > 0, let before = parts[batch[0].parts - 1].iov_base,
            before + parts[batch[0].parts - 1].iov_len == part.iov_base
        {
            parts[batch[0].parts - 1].iov_len += part.iov_len
        } else {
            parts[batch[0].parts] = part
            batch[0].parts += 1
            messages[last].header.msg_iovlen = count + 1
        }
    }

    /// Finds the message for the next datagram.
    @inline(__always)
    private func prepare(_ length: Int, to destination: DatagramAddress) {
        batch[0].datagrams += 1
        if batch[0].room > 0, joins(length, destination) {
            extend(by: length)
        } else {
            begin(length, destination)
        }
    }

    /// Not an empty one: it would not be seen.
    @inline(__always)
    private func joins(_ length: Int, _ destination: DatagramAddress) -> Bool {
        let last = batch[0].messages - 1
        return length > 0 && length <= shapes[last].pieceBytes
            && shapes[last].bytes + length <= DepartingDatagrams.mostBytes && destinations[last] == destination
    }

    private func extend(by length: Int) {
        let last = batch[0].messages - 1
        if shapes[last].datagrams == 1 {
            let size = UInt16(clamping: shapes[last].pieceBytes)
            cl_datagram_split(messages.base + last, controls.base + last, size)
        }
        shapes[last].datagrams += 1
        shapes[last].bytes += length
        // Only the last piece may be shorter.
        batch[0].room = length < shapes[last].pieceBytes ? 0 : batch[0].room - 1
    }

    private func begin(_ length: Int, _ destination: DatagramAddress) {
        let message = batch[0].messages
        destinations[message] = destination
        shapes[message] = Shape(datagrams: 1, bytes: length, pieceBytes: length)
        messages[message].header.msg_namelen = destination.write(to: addresses.base + message)
        messages[message].header.msg_iov = parts.base + batch[0].parts
        messages[message].header.msg_iovlen = 0
        messages[message].header.msg_control = nil
        messages[message].header.msg_controllen = 0
        batch[0].messages = message + 1
        let mayBeSplit = splits && length <= refusals.longestPiece(to: destination)
        batch[0].room = mayBeSplit ? DepartingDatagrams.mostPieces - 1 : 0
    }

    func flush(_ errors: DatagramErrors) -> PacketFlush {
        let flush = send(messages.base, shapes.base, batch[0].messages, errors)
        batch[0] = Batch()
        return flush
    }

    private func send(
        _ messages: UnsafeMutablePointer<Message>, _ shapes: UnsafePointer<Shape>, _ count: Int,
        _ errors: DatagramErrors
    ) -> PacketFlush {
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
            if let obstacle = PacketFlush.Obstacle(errno: -result) {
                return PacketFlush(settled: settled, obstacle: obstacle)
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
                if flush.obstacle != nil { return PacketFlush(settled: settled, obstacle: flush.obstacle) }
            } else {
                errors.add(PacketTrouble(refusal: -result), shapes[next].datagrams)
                settled += shapes[next].datagrams
            }
            next += 1
        }
        return PacketFlush(settled: settled, obstacle: nil)
    }

    /// Whether the kernel may mean that it cannot split: pieces that do not fit the path, or an interface that leaves the
    /// checksums to us.
    private static func maySaySplitting(_ errno: Int32) -> Bool {
        errno == EINVAL || errno == EMSGSIZE || errno == EIO || errno == EOPNOTSUPP
    }

    /// One by one, what could not be sent as one message.
    private func sendApart(
        _ message: UnsafeMutablePointer<Message>, _ shape: Shape, _ errors: DatagramErrors
    ) -> PacketFlush {
        let header = message.pointee.header
        if let name = header.msg_name, let destination = DatagramAddress(name.load(as: cl_address.self)) {
            refusals.add(destination, shape.pieceBytes, now: Clock.now())
        }
        var part = header.msg_iov
        var offset = 0
        for index in 0..<shape.datagrams {
            pieces[index].header = header
            pieces[index].header.msg_iov = pieceParts.base + 2 * index
            pieces[index].header.msg_iovlen = 0
            pieces[index].header.msg_control = nil
            pieces[index].header.msg_controllen = 0
            var left = min(shape.pieceBytes, shape.bytes - index * shape.pieceBytes)
            while left > 0, let whole = part?.pointee, pieces[index].header.msg_iovlen < 2 {
                let taken = min(left, whole.iov_len - offset)
                let place = 2 * index + pieces[index].header.msg_iovlen
                pieceParts[place] = iovec(iov_base: whole.iov_base + offset, iov_len: taken)
                pieces[index].header.msg_iovlen += 1
                left -= taken
                offset += taken
                guard offset == whole.iov_len else { continue }
                part = part.map { $0 + 1 }
                offset = 0
            }
        }
        return send(pieces.base, pieceShapes.base, shape.datagrams, errors)
    }
}

extension PacketHeader {
    /// Its bytes, and zeroes up to its capacity.
    @inline(__always)
    fileprivate func write(to place: UnsafeMutableRawPointer) {
        place.storeBytes(of: word0.littleEndian, as: UInt64.self)
        place.storeBytes(of: word1.littleEndian, toByteOffset: 8, as: UInt64.self)
        place.storeBytes(of: word2.littleEndian, toByteOffset: 16, as: UInt64.self)
        place.storeBytes(of: word3.littleEndian, toByteOffset: 24, as: UInt64.self)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var part: iovec { iovec(iov_base: UnsafeMutableRawPointer(mutating: baseAddress), iov_len: count) }
}

extension PacketFlush.Obstacle {
    fileprivate init?(errno: Int32) {
        switch errno {
        // A call that sent nothing and says nothing has met no room.
        case 0, EAGAIN: self = .full
        case ENOBUFS, ENOMEM: self = .noBuffers
        default: return nil
        }
    }
}
