// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The sending half of a `DatagramSocket`: a batch of datagrams, of which those that follow each other to one destination
/// with one length are one message, which the kernel, or the interface, splits (UDP GSO).
struct DepartingDatagrams: ~Copyable {
    typealias Message = DatagramSocket.Message

    // Not private: Swift 6.3 fails to destroy it from another file if it is.
    struct Batch {
        var datagrams = 0
        var messages = 0
        /// Of the last message: how many more datagrams it may take, the length of all but its last one, and of it all.
        var room = 0
        var pieceBytes = 0
        var bytes = 0
    }

    private let descriptor: Int32
    private let splits: Bool
    private let transmit: DatagramSocket.Transmit
    private let batch = KernelArray(repeating: Batch(), count: 1)
    private let headers = KernelArray(repeating: UInt32(0), count: Limits.datagramsPerBatch)
    /// Of each datagram its header and its payload.
    private let parts = KernelArray(repeating: iovec(), count: 2 * Limits.datagramsPerBatch)
    private let destinations: KernelArray<DatagramAddress>
    private let addresses = KernelArray(repeating: cl_address(), count: Limits.datagramsPerBatch)
    private let controls = KernelArray(repeating: cl_datagram_control(), count: Limits.datagramsPerBatch)
    private let messages = KernelArray(repeating: Message(), count: Limits.datagramsPerBatch)
    /// The datagrams of a message that the kernel did not split.
    private let pieces = KernelArray(repeating: Message(), count: DepartingDatagrams.mostPieces)
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
            parts[2 * index] = iovec(iov_base: headers.base + index, iov_len: DepartingDatagrams.headerBytes)
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses.base + index)
        }
    }

    var isFull: Bool { batch[0].datagrams == Limits.datagramsPerBatch }
    var isEmpty: Bool { batch[0].datagrams == 0 }

    func append(header: UInt32, payload: UnsafeRawBufferPointer, to destination: DatagramAddress) {
        let index = batch[0].datagrams
        precondition(index < Limits.datagramsPerBatch, "the batch is full")
        headers[index] = header.bigEndian
        parts[2 * index + 1] = iovec(
            iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payload.count)
        batch[0].datagrams = index + 1
        let length = payload.count + DepartingDatagrams.headerBytes
        if joins(length, destination) {
            extend(by: length)
        } else {
            begin(at: index, length, destination)
        }
    }

    @inline(__always)
    private func joins(_ length: Int, _ destination: DatagramAddress) -> Bool {
        batch[0].room > 0 && length <= batch[0].pieceBytes && batch[0].bytes + length <= DepartingDatagrams.mostBytes
            && destinations[batch[0].messages - 1] == destination
    }

    private func extend(by length: Int) {
        let last = batch[0].messages - 1
        if messages[last].header.msg_iovlen == 2 {
            cl_datagram_split(messages.base + last, controls.base + last, UInt16(clamping: batch[0].pieceBytes))
        }
        messages[last].header.msg_iovlen += 2
        batch[0].bytes += length
        // Only the last piece may be shorter.
        batch[0].room = length < batch[0].pieceBytes ? 0 : batch[0].room - 1
    }

    private func begin(at index: Int, _ length: Int, _ destination: DatagramAddress) {
        let message = batch[0].messages
        destinations[message] = destination
        messages[message].header.msg_namelen = destination.write(to: addresses.base + message)
        messages[message].header.msg_iov = parts.base + 2 * index
        messages[message].header.msg_iovlen = 2
        messages[message].header.msg_control = nil
        messages[message].header.msg_controllen = 0
        batch[0].messages = message + 1
        batch[0].pieceBytes = length
        batch[0].bytes = length
        let mayBeSplit = splits && length <= refusals.longestPiece(to: destination)
        batch[0].room = mayBeSplit ? DepartingDatagrams.mostPieces - 1 : 0
    }

    func flush(_ errors: borrowing DatagramErrors) -> DatagramFlush {
        let flush = send(messages.base, batch[0].messages, errors)
        batch[0] = Batch()
        return flush
    }

    private func send(
        _ messages: UnsafeMutablePointer<Message>, _ count: Int, _ errors: borrowing DatagramErrors
    ) -> DatagramFlush {
        var settled = 0
        var next = 0
        var attempts = 0
        while next < count {
            let result = transmit(descriptor, messages + next, UInt32(count - next))
            if result > 0 {
                for index in next..<next + Int(result) { settled += messages[index].datagrams }
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
            if messages[next].datagrams > 1 && DepartingDatagrams.maySaySplitting(-result) {
                let flush = sendApart(messages + next, errors)
                settled += flush.settled
                if flush.obstacle != nil { return DatagramFlush(settled: settled, obstacle: flush.obstacle) }
            } else {
                errors.add(DatagramTrouble(errno: -result), messages[next].datagrams)
                settled += messages[next].datagrams
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
        _ message: UnsafeMutablePointer<Message>, _ errors: borrowing DatagramErrors
    ) -> DatagramFlush {
        if let place = message.pointee.header.msg_name?.assumingMemoryBound(to: cl_address.self),
            let destination = DatagramAddress(place.pointee), let parts = message.pointee.header.msg_iov
        {
            refusals.add(destination, parts[0].iov_len + parts[1].iov_len, now: Clock.now())
        }
        let count = message.pointee.datagrams
        for index in 0..<count {
            pieces[index].header = message.pointee.header
            pieces[index].header.msg_iov += 2 * index
            pieces[index].header.msg_iovlen = 2
            pieces[index].header.msg_control = nil
            pieces[index].header.msg_controllen = 0
        }
        return send(pieces.base, count, errors)
    }
}

extension cl_datagram_message {
    /// How many we made it of: each has two parts.
    fileprivate var datagrams: Int { Int(header.msg_iovlen) / 2 }
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
