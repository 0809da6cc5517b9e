// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Testing
import Vocabulary

@testable import ResourceManagerRuntime

@Suite struct PortTests {
    /// A port, and the socket at its other end.
    private func pair(_ loop: borrowing EventLoop) throws -> (Port, OpenDescriptor) {
        var ends: [Int32] = [-1, -1]
        try #require(cl_socketpair_seqpacket(&ends) == 0)
        try loop.add(ends[0], token: 1)
        return (Port(ProcessID(1), token: 1, Descriptor(owning: ends[0])), OpenDescriptor(Descriptor(owning: ends[1])))
    }

    private func inode(_ number: Int32) -> UInt {
        var status = stat()
        return fstat(number, &status) == 0 ? status.st_ino : 0
    }

    @Test("a message with descriptors waits behind those that were not read, and keeps them though they were closed")
    func descriptorsWait() throws {
        let loop = try EventLoop()
        let (port, other) = try pair(loop)
        let filler = [UInt8](repeating: 7, count: 1_000)
        var fillers = 0
        while !port.isBlocked {
            try port.send(filler, loop)
            fillers += 1
        }
        var ends: [Int32] = [-1, -1]
        try #require(cl_socketpair_seqpacket(&ends) == 0)
        let expected = ends.map(inode)
        try port.send([1, 2, 3], keeping: ends, loop)
        for end in ends { cl_close(end) }
        try port.send([4], loop)

        var arrivals: [[UInt8]] = []
        var inodes: [UInt] = []
        while arrivals.count < fillers + 2 {
            do {
                guard var arrival = try MessageSocket.receive(on: other.number, nonBlocking: true) else {
                    throw Failure.manager
                }
                arrivals.append(arrival.bytes)
                while let descriptor = arrival.takeDescriptor() {
                    #expect(arrivals.count == fillers + 1)
                    inodes.append(inode(descriptor.number))
                }
            } catch {
                guard error as? Failure == .wouldBlock else { throw error }
                try port.sendQueued(loop)
            }
        }
        #expect(arrivals.suffix(2) == [[1, 2, 3], [4]])
        #expect(inodes == expected)
        #expect(!port.isBlocked)
    }
}
