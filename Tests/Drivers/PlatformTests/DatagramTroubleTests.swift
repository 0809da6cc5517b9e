// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing
import Vocabulary

@testable import Platform

/// What the network and the kernel do to a `DatagramSocket`. Kernels in trouble are played by functions that refuse what
/// they see in a message: which port it goes to, and of how many datagrams it is made.
@Suite struct PacketTroubleTests {
    @Test(arguments: [DatagramAddress.Family.ipv4, .ipv6], [true, false])
    func aPortWhereNobodyListensStopsNobody(family: DatagramAddress.Family, offloads: Bool) throws {
        let sender = try Loopback.socket(family, offloads: offloads)
        let receiver = try Loopback.socket(family, offloads: offloads)
        let deserted = try Loopback.deserted(family)
        let payloads = (0..<200).map { Datagram.pattern($0, 100) }
        let flushes = sender.send(payloads, to: [deserted, receiver.address])
        #expect(flushes.reduce(0) { $0 + $1.settled } == 200)
        #expect(flushes.allSatisfy { $0.obstacle == nil })
        #expect(receiver.receive(100).map(\.header) == (0..<200).filter { $0 % 2 == 1 }.map(UInt32.init))
        _ = sender.receive { _, _ in Issue.record("nobody sends") }
        // The kernel limits how many it tells.
        #expect(sender.takeTroubles()[.unreachable] > 0)
    }

    @Test func errorsAreHeardByReceivingToo() throws {
        let sender = try Loopback.socket()
        let other = try Loopback.socket()
        _ = sender.send([[1]], to: [try Loopback.deserted()])
        #expect(sender.isReady())
        #expect(sender.receive { _, _ in }.datagrams == 0)
        #expect(sender.takeTroubles()[.unreachable] == 1)
        #expect(sender.takeTroubles().isEmpty)
        // Neither readable nor in error any more.
        #expect(cl_poll_one(sender.descriptor, Int16(POLLIN), 0, nil, nil) == 0)
        _ = other.send([[2]], to: [sender.address])
        #expect(sender.receive(1).map(\.payload) == [[2]])
    }

    @Test func aDatagramThatCannotBeSentIsSkipped() throws {
        let sender = try Loopback.socket()
        let receiver = try Loopback.socket()
        let nowhere = DatagramAddress(family: .ipv6, high: 0, low: 1, port: 9)
        let tooLong = Datagram.pattern(0, 65_504)
        let flushes = sender.send([[1], tooLong, [3]], to: [receiver.address])
        #expect(flushes.map(\.settled) == [3])
        #expect(receiver.receive(2).map(\.payload) == [[1], [3]])
        #expect(sender.takeTroubles()[.tooLong] == 1)
        #expect(sender.send([[1], [2], [3]], to: [receiver.address, nowhere]).map(\.settled) == [3])
        #expect(receiver.receive(2).map(\.payload) == [[1], [3]])
        #expect(!sender.takeTroubles().isEmpty)
    }

    @Test(arguments: [EIO, EINVAL, EMSGSIZE])
    func whatTheKernelDoesNotSplitGoesOneByOne(error: Int32) throws {
        let transmit: DatagramSocket.Transmit =
            switch error {
            case EIO: { Kernel.send($0, $1, $2, unless: Kernel.isLong, -EIO) }
            case EINVAL: { Kernel.send($0, $1, $2, unless: Kernel.isLong, -EINVAL) }
            default: { Kernel.send($0, $1, $2, unless: Kernel.isLong, -EMSGSIZE) }
            }
        let sender = try Loopback.socket(transmit: transmit)
        let receiver = try Loopback.socket()
        // Short ones, which are copied together, long ones, and a short one behind them.
        let payloads = (0..<100).map { Datagram.pattern($0, $0 < 30 ? 200 : $0 == 99 ? 5 : 600) }
        for _ in 0..<3 {
            #expect(sender.send(payloads, to: [receiver.address]).map(\.settled) == [100])
            #expect(receiver.receive(100).map(\.payload) == payloads)
        }
        #expect(sender.takeTroubles().isEmpty)
    }

    @Test func aFullSocketKeepsTheRestForLater() throws {
        let sender = try Loopback.socket(transmit: { Kernel.send($0, $1, $2, most: 1, -EAGAIN) })
        let receiver = try Loopback.socket()
        let payloads = Payloads()
        let bytes = payloads.keep([5])
        let longer = payloads.keep([5, 6])
        let longest = payloads.keep([5, 6, 7])
        // Three messages: of two, of one, and of one.
        for payload in [bytes, bytes, longer, longest] {
            sender.socket.append(PacketHeader(networkOrder: 1), payload, to: receiver.address)
        }
        let flush = sender.flush()
        #expect(flush.settled == 2)
        #expect(flush.obstacle == .full)
        #expect(sender.isEmpty)
        #expect(receiver.receive(2).count == 2)
        #expect(sender.takeTroubles().isEmpty)
        withExtendedLifetime(payloads) {}
    }

    @Test func wantOfBuffersAsksForAPause() throws {
        let sender = try Loopback.socket(transmit: { _, _, _ in -ENOBUFS })
        let flushes = sender.send([[1], [2]], to: [sender.address])
        #expect(flushes.map(\.settled) == [0])
        #expect(flushes.map(\.obstacle) == [.noBuffers])
        #expect(sender.takeTroubles().isEmpty)
    }

    @Test func anUnsplittableMessageThatMeetsNoRoomIsContinuedInTheMiddle() throws {
        // Of a message that is refused as a whole, pieces go until there is no room.
        let sender = try Loopback.socket(transmit: { descriptor, messages, count in
            guard let messages else { return -EINVAL }
            if Kernel.isLong(messages[0]) { return -EIO }
            return count > 3 ? cl_datagram_send(descriptor, messages, 4) : -EAGAIN
        })
        let receiver = try Loopback.socket()
        let flushes = sender.send((0..<10).map { Datagram.pattern($0, 50) }, to: [receiver.address])
        #expect(flushes.map(\.settled) == [8])
        #expect(flushes.map(\.obstacle) == [.full])
        #expect(receiver.receive(8).map(\.header) == Array(0..<8))
    }

    @Test(arguments: [
        (ENETDOWN, PacketTrouble.interfaceDown), (EADDRNOTAVAIL, .interfaceDown), (ENETUNREACH, .interfaceDown),
        (EHOSTUNREACH, .unreachable),
        (EPERM, .other),
    ])
    func whateverTheSystemSaysIsCounted(error: Int32, trouble: PacketTrouble) throws {
        let transmit: DatagramSocket.Transmit =
            switch error {
            case ENETDOWN: { _, _, _ in -ENETDOWN }
            case EADDRNOTAVAIL: { _, _, _ in -EADDRNOTAVAIL }
            case ENETUNREACH: { _, _, _ in -ENETUNREACH }
            case EHOSTUNREACH: { _, _, _ in -EHOSTUNREACH }
            default: { _, _, _ in -EPERM }
            }
        let sender = try Loopback.socket(transmit: transmit)
        #expect(sender.send([[1], [2], [3, 4]], to: [sender.address]).map(\.settled) == [3])
        #expect(sender.takeTroubles()[trouble] == 3)
    }

    @Test func whatFindsNoRoomAtTheReceiverIsKnownThere() throws {
        var options = DatagramSocket.Options()
        options.arrivingBufferBytes = 4_096
        options.departingBufferBytes = 4_096
        let receiver = Node(try DatagramSocket(bound: Loopback.address(.ipv4), options: options))
        let sender = try Loopback.socket()
        var sent = 0
        while receiver.dropped == 0, sent < 1_000_000 {
            sent += sender.send([Datagram.pattern(sent, 1_000)], to: [receiver.address])[0].settled
        }
        #expect(receiver.dropped > 0)
        #expect(receiver.receive(1).first?.payload.count == 1_000)
    }
}

/// A kernel that refuses.
enum Kernel {
    static func isLong(_ message: cl_datagram_message) -> Bool { message.header.msg_controllen > 0 }

    static func send(
        _ descriptor: Int32, _ messages: UnsafeMutablePointer<cl_datagram_message>?, _ count: UInt32,
        unless refused: (cl_datagram_message) -> Bool, _ result: Int32
    ) -> Int32 {
        guard let messages else { return -EINVAL }
        let allowed = (0..<Int(count)).first { refused(messages[$0]) } ?? Int(count)
        return allowed == 0 ? result : cl_datagram_send(descriptor, messages, UInt32(allowed))
    }

    /// As a call that is offered more than `most`; one that is offered as many or fewer is refused.
    static func send(
        _ descriptor: Int32, _ messages: UnsafeMutablePointer<cl_datagram_message>?, _ count: UInt32, most: UInt32,
        _ result: Int32
    ) -> Int32 {
        count > 2 * most ? cl_datagram_send(descriptor, messages, most) : result
    }
}
