// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import Platform
import Vocabulary

/// irmd's end of a connection or of an IPCP's channel, with what its other end has not read yet.
final class Port {
    /// At the other end.
    let process: ProcessID
    let user: UserID
    /// Of the process that made the connection, until its greeting is heard: then the process is known by its number.
    var handle: ProcessHandleBox?
    private let token: UInt64
    /// While there is a queue.
    private let blockedInterest: EventLoop.Interest
    let number: Int32
    private var socket: Descriptor?
    private var queue = Deque<(message: [UInt8], descriptors: [OpenDescriptor])>()

    /// While the other end does not read, we do not read from it either.
    var isBlocked: Bool { !queue.isEmpty }

    /// `blockedInterest`: with `.readable`, if the other end may wait for us to read before it reads.
    init(
        _ process: ProcessID, of user: UserID = .root, token: UInt64, blockedInterest: EventLoop.Interest = .writable,
        _ socket: consuming Descriptor
    ) {
        self.process = process
        self.user = user
        number = socket.number
        self.token = token
        self.blockedInterest = blockedInterest
        self.socket = consume socket
    }

    /// Gives up the socket: the caller closes it. Nothing can be sent any more.
    func release() -> Int32? {
        guard let descriptor = socket.take() else { return nil }
        return descriptor.release()
    }

    /// Sends now, or when there is room. Throws if the connection cannot be used any more.
    func send(_ message: [UInt8], _ loop: borrowing EventLoop) throws(Failure) {
        if try begin(message, [], loop) { return }
        queue.append((message, []))
    }

    /// The same, with copies of the descriptors while they wait: their flow may end before it is sent. For who is sent few
    /// of them before he answers.
    func send(_ message: [UInt8], keeping descriptors: [Int32], _ loop: borrowing EventLoop) throws(Failure) {
        if try begin(message, descriptors, loop) { return }
        var copies: [OpenDescriptor] = []
        for descriptor in descriptors {
            let copy = cl_duplicate(descriptor)
            guard copy >= 0 else { throw Failure(result: Int(copy)) }
            copies.append(OpenDescriptor(Descriptor(owning: copy)))
        }
        queue.append((message, copies))
    }

    /// True: it is sent. Else it is to be queued.
    private func begin(
        _ message: [UInt8], _ descriptors: [Int32], _ loop: borrowing EventLoop
    ) throws(Failure) -> Bool {
        if queue.isEmpty {
            if try sendNow(message, descriptors) { return true }
            try loop.change(number, token: token, blockedInterest)
        }
        guard queue.count < Limits.queuedMessages else { throw .tableFull }
        return false
    }

    /// Sends now or not at all: descriptors do not wait for somebody who does not read.
    func send(_ message: [UInt8], with descriptors: [Int32]) throws(Failure) {
        guard queue.isEmpty, try sendNow(message, descriptors) else { throw .wouldBlock }
    }

    /// There may be room again.
    func sendQueued(_ loop: borrowing EventLoop) throws(Failure) {
        while let (message, descriptors) = queue.first {
            guard try sendNow(message, descriptors.map(\.number)) else { return }
            queue.removeFirst()
        }
        try loop.change(number, token: token, .readable)
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
