// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The receiving half of a `DatagramSocket`: buffers that are used again and again, and the splitting of what the
/// kernel has joined.
final class ArrivingDatagrams {
    private let descriptor: Int32
    private let longestBytes: Int
    private let buffer: UnsafeMutableRawPointer
    private let stride: Int
    private let parts: KernelArray<iovec>
    private let addresses: KernelArray<cl_address>
    private let controls: KernelArray<cl_datagram_control>
    private let messages: KernelArray<cl_datagram_message>
    /// How many messages are received at once: fewer if they are long, so that they stay in the cache until they are copied.
    private let width: KernelArray<Int>
    private let longMessages: Int
    /// Receptions since the errors were last looked for.
    private let unheard = KernelArray(repeating: 0, count: 1)

    private static let controlBytes = MemoryLayout<cl_datagram_control>.size
    /// Errors take their room from the buffer of the socket, so they must not wait for a pause in what comes.
    private static let receptionsBetweenErrors = 64
    /// Bytes of a message of which many are received at once.
    private static let shortMessage = 8_192
    private static let attempts = 3

    init(on descriptor: Int32, longestBytes: Int, joined: Bool) {
        self.descriptor = descriptor
        self.longestBytes = longestBytes
        let count = Limits.datagramsPerReception
        longMessages = joined ? Limits.joinedMessagesPerBatch : count
        width = KernelArray(repeating: longMessages, count: 1)
        let capacity = joined ? 1 << 16 : longestBytes
        // Not a power of two: the beginnings of all buffers would meet in a few lines of the cache.
        stride = (capacity + 63) / 64 * 64 + 192
        buffer = .allocate(byteCount: stride * count, alignment: 64)
        parts = KernelArray(repeating: iovec(), count: count)
        addresses = KernelArray(repeating: cl_address(), count: count)
        controls = KernelArray(repeating: cl_datagram_control(), count: count)
        messages = KernelArray(repeating: cl_datagram_message(), count: count)
        for index in 0..<count {
            parts[index] = iovec(iov_base: buffer + index * stride, iov_len: capacity)
            messages[index].header.msg_name = UnsafeMutableRawPointer(addresses.base + index)
            messages[index].header.msg_iov = parts.base + index
            messages[index].header.msg_iovlen = 1
            messages[index].header.msg_control = joined ? UnsafeMutableRawPointer(controls.base + index) : nil
            prepare(index)
        }
    }

    deinit { buffer.deallocate() }

    /// The kernel has written its lengths over ours.
    private func prepare(_ index: Int) {
        messages[index].header.msg_namelen = socklen_t(MemoryLayout<cl_address>.size)
        let hasControl = messages[index].header.msg_control != nil
        messages[index].header.msg_controllen = hasControl ? ArrivingDatagrams.controlBytes : 0
    }

    func receive(
        _ errors: DatagramErrors, _ body: (UnsafeRawBufferPointer, DatagramAddress) -> Void
    ) -> DatagramReception {
        unheard[0] += 1
        if unheard[0] >= ArrivingDatagrams.receptionsBetweenErrors { collect(errors) }
        let count = fetch(errors)
        var datagrams = 0
        var bytes = 0
        for index in 0..<count {
            bytes += Int(messages[index].length)
            datagrams += deliver(index, errors, body)
            prepare(index)
        }
        let mayHaveMore = count == width[0]
        width[0] = bytes > longMessages * ArrivingDatagrams.shortMessage ? longMessages : messages.count
        return DatagramReception(datagrams: datagrams, mayHaveMore: mayHaveMore)
    }

    @discardableResult
    private func collect(_ errors: DatagramErrors) -> Bool {
        unheard[0] = 0
        return errors.collect()
    }

    /// How many messages came. An error that came back from the network is told here, once, in place of them.
    private func fetch(_ errors: DatagramErrors) -> Int {
        for _ in 0..<ArrivingDatagrams.attempts {
            let result = cl_datagram_receive(descriptor, messages.base, UInt32(width[0]))
            if result >= 0 { return Int(result) }
            let heard = collect(errors)
            if result == -EAGAIN { return 0 }
            if !heard { errors.add(PacketTrouble(errno: -result)) }
        }
        return 0
    }

    /// How many datagrams the message was.
    private func deliver(
        _ index: Int, _ errors: DatagramErrors, _ body: (UnsafeRawBufferPointer, DatagramAddress) -> Void
    ) -> Int {
        guard let source = DatagramAddress(addresses[index]) else { return 0 }
        let length = min(Int(messages[index].length), stride)
        let bytes = UnsafeRawBufferPointer(start: buffer + index * stride, count: length)
        let joined = messages[index].header.msg_control == nil ? 0 : Int(cl_datagram_joined(messages.base + index))
        let isCut = messages[index].header.msg_flags & Int32(MSG_TRUNC) != 0
        let step = joined > 0 ? joined : length
        var offset = 0
        var count = 0
        // Once also for an empty datagram.
        repeat {
            let end = min(offset + step, length)
            if end - offset > longestBytes || isCut && end == length {
                errors.add(.truncated)
            } else {
                body(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]), source)
                count += 1
            }
            offset = end
        } while offset < length
        return count
    }
}
