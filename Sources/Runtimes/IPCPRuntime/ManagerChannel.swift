// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import LocalProtocol
import Platform
import Vocabulary

/// An IPCP's channel to irmd, which it is born with (descriptor 3), and what irmd has not read yet: an irmd that is
/// stopped shall stop no packets.
package final class ManagerChannel {
    package static let descriptor: Int32 = 3

    private var queue = Deque<[UInt8]>()
    private var awaitsRoom = false

    package init() {}

    /// False if the program was not started by irmd.
    package static var isThere: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK)
    }

    /// Hands what irmd has sent to `body`, up to a bound, so that others get their turn. False: irmd has closed it.
    package func receive(
        _ log: Log, _ body: (IPCPRequest, inout MessageSocket.Arrival) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        for _ in 0..<64 {
            let next: MessageSocket.Arrival?
            do throws(Failure) {
                next = try MessageSocket.receive(on: ManagerChannel.descriptor, nonBlocking: true, incomplete: true)
            } catch {
                if ManagerChannel.isPassing(error) { return true }
                throw error
            }
            guard var arrival = next else { return false }
            if let request = try? IPCPRequest(decoding: arrival.bytes) {
                try body(request, &arrival)
            } else {
                log.write(.warning, "ipcpd/ipcp", "irmd sent \(arrival.bytes.count) bytes that are not a message.")
            }
        }
        return true
    }

    /// Sends now, or when there is room. Throws if irmd is gone, or has not read for far too long.
    package func send(_ reply: IPCPReply) throws(Failure) {
        let message = reply.encoded()
        if queue.isEmpty, try sendNow(message) { return }
        guard queue.count < Limits.queuedMessages else { throw .tableFull }
        queue.append(message)
    }

    /// At the end of each turn of the loop, in which the channel has this token: sends what waits, or waits for room.
    package func settle(_ loop: borrowing EventLoop, token: UInt64) throws(Failure) {
        while let message = queue.first, try sendNow(message) { queue.removeFirst() }
        guard awaitsRoom == queue.isEmpty else { return }
        awaitsRoom.toggle()
        try loop.change(
            ManagerChannel.descriptor, token: token, awaitsRoom ? [.readable, .writable] : .readable)
    }

    /// irmd shall not be told of strangers until it has read the rest.
    package var isCrowded: Bool { queue.count >= Limits.unsentReplies }

    /// Nothing to end for: it is tried again when something is ready, as it still is without memory.
    private static func isPassing(_ failure: Failure) -> Bool {
        switch failure {
        case .wouldBlock, .outOfMemory, .noBuffers, .interrupted: true
        default: false
        }
    }

    private func sendNow(_ message: [UInt8]) throws(Failure) -> Bool {
        do throws(Failure) {
            try MessageSocket.send(message, on: ManagerChannel.descriptor, nonBlocking: true)
            return true
        } catch {
            if ManagerChannel.isPassing(error) { return false }
            throw error
        }
    }
}
