// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import Platform
import Vocabulary

/// irmd's end of a connection, with what its other end has not read yet.
final class Port {
    let id: ConnectionID
    let process: ProcessID
    private let socket: Descriptor
    private var queue = Deque<[UInt8]>()

    var number: Int32 { socket.number }
    /// While the other end does not read, we do not read from it either.
    var isBlocked: Bool { !queue.isEmpty }

    init(_ id: ConnectionID, of process: ProcessID, _ socket: consuming Descriptor) {
        self.id = id
        self.process = process
        self.socket = socket
    }

    /// Sends now, or when there is room. Throws if the connection cannot be used any more.
    func send(_ message: [UInt8]) throws(Failure) {
        if queue.isEmpty, try sendNow(message, []) { return }
        guard queue.count < Limits.queuedMessages else { throw .tableFull }
        queue.append(message)
    }

    /// Sends now or not at all: descriptors do not wait for somebody who does not read.
    func send(_ message: [UInt8], with descriptors: [Int32]) throws(Failure) {
        guard queue.isEmpty, try sendNow(message, descriptors) else { throw .wouldBlock }
    }

    /// There may be room again.
    func sendQueued() throws(Failure) {
        while let message = queue.first {
            guard try sendNow(message, []) else { return }
            queue.removeFirst()
        }
    }

    private func sendNow(_ message: [UInt8], _ descriptors: [Int32]) throws(Failure) -> Bool {
        do throws(Failure) {
            try MessageSocket.send(message, descriptors: descriptors, on: number, nonBlocking: true)
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }
}
