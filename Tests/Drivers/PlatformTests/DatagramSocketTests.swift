// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing
import Vocabulary

@testable import Platform

@Suite struct DatagramSocketTests {
    static let families: [DatagramAddress.Family] = [.ipv4, .ipv6]
    static let sizes = [0, 1, 3, 100, 1_396, 1_400, 1_500, 4_096, 8_948, 8_976, 20_000, 65_483, 65_503]

    @Test(arguments: families, [true, false])
    func datagramsOfAllSizesArriveInOrder(family: DatagramAddress.Family, offloads: Bool) throws {
        let sender = try Loopback.socket(family, offloads: offloads)
        let receiver = try Loopback.socket(family, offloads: offloads)
        for size in Self.sizes {
            // What finds room in the buffer that a socket gets everywhere.
            let payloads = (0..<min(20, 100_000 / max(size, 1))).map { Datagram.pattern($0, size) }
            let flushes = sender.send(payloads, to: [receiver.address])
            #expect(flushes.allSatisfy { $0.obstacle == nil })
            #expect(flushes.reduce(0) { $0 + $1.settled } == payloads.count)
            let arrived = receiver.receive(payloads.count)
            #expect(arrived.map(\.header) == (0..<UInt32(payloads.count)).map { $0 }, "\(size) bytes")
            #expect(arrived.map(\.payload) == payloads, "\(size) bytes")
            #expect(arrived.allSatisfy { $0.source == sender.address })
        }
        #expect(sender.takeTroubles().isEmpty)
        #expect(receiver.takeTroubles().isEmpty)
    }

    @Test(arguments: [true, false], [true, false])
    func eachSideMayLetTheKernelSplitOrJoin(splits: Bool, joins: Bool) throws {
        let sender = try Loopback.socket(offloads: splits)
        let receiver = try Loopback.socket(offloads: joins)
        let payloads = (0..<100).map { Datagram.pattern($0, 1_000) }
        _ = sender.send(payloads, to: [receiver.address])
        #expect(receiver.receive(100).map(\.payload) == payloads)
    }

    @Test(arguments: families)
    func datagramsOfDifferentLengthsStayWhatTheyAre(family: DatagramAddress.Family) throws {
        let sender = try Loopback.socket(family)
        let receiver = try Loopback.socket(family)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let few = [0, 1, 700, 1_200, Int.random(in: 0...9_000, using: &random)]
            let payloads = (0..<32).map { number in
                Datagram.pattern(number, Bool.random() ? 1_200 : few.randomElement(using: &random) ?? 0)
            }
            _ = sender.send(payloads, to: [receiver.address])
            #expect(receiver.receive(payloads.count).map(\.payload) == payloads)
        }
    }

    @Test(arguments: [true, false])
    func aBatchGoesToSeveralDestinations(offloads: Bool) throws {
        let sender = try Loopback.socket(offloads: offloads)
        let first = try Loopback.socket(offloads: offloads)
        let second = try Loopback.socket(offloads: offloads)
        let payloads = (0..<240).map { Datagram.pattern($0, 500) }
        let toBoth = [first.address, second.address, second.address]
        _ = sender.send(payloads, to: toBoth)
        #expect(first.receive(80).map(\.header) == (0..<240).filter { $0 % 3 == 0 }.map(UInt32.init))
        #expect(second.receive(160).map(\.header) == (0..<240).filter { $0 % 3 != 0 }.map(UInt32.init))
    }

    /// 127.255.255.255 is all hosts of the loopback network; a socket can be bound to it.
    @Test(arguments: [0x7fff_ffff, 0xffff_ffff, 0xe000_0001, 0xc000_0201] as [UInt64])
    func noSocketIsBoundToAnAddressThatIsNotOurs(_ low: UInt64) {
        let address = DatagramAddress(family: .ipv4, high: 0, low: low, port: 0)
        #expect(Loopback.refusal(address) == .addressNotAvailable)
        #expect(!NetworkInterface.isOwn(address))
    }

    @Test func allOfTheLoopbackNetworkIsOurs() {
        for low in [0x7f00_0001, 0x7f00_0002, 0x7fff_fffe] as [UInt64] {
            let address = DatagramAddress(family: .ipv4, high: 0, low: low, port: 0)
            #expect(NetworkInterface.isOwn(address) && !NetworkInterface.isBroadcast(address))
            #expect(Loopback.refusal(address) == nil)
        }
        #expect(NetworkInterface.isOwn(Loopback.address(.ipv6)))
        #expect(NetworkInterface.isBroadcast(DatagramAddress(family: .ipv4, high: 0, low: 0x7fff_ffff, port: 0)))
    }

    @Test func aFullBatchIsSentWhole() throws {
        let sender = try Loopback.socket()
        let receiver = try Loopback.socket()
        let byte = Payloads().keep([])
        var count = 0
        while !sender.socket.isFull {
            sender.socket.append(PacketHeader(networkOrder: UInt32(count)), byte, to: receiver.address)
            count += 1
        }
        #expect(count == Limits.datagramsPerBatch)
        #expect(sender.flush().settled == count)
        #expect(sender.isEmpty)
        #expect(receiver.receive(count).map(\.header) == (0..<UInt32(count)).map { $0 })
    }

    @Test(arguments: [true, false])
    func datagramsWithTheirHeadersMixWithOthers(offloads: Bool) throws {
        let sender = try Loopback.socket(offloads: offloads)
        let receiver = try Loopback.socket(offloads: offloads)
        let payloads = Payloads()
        for number in 0..<UInt32(100) {
            // Alone, in pairs, and in longer runs.
            if [0, 2, 3, 6, 7, 8, 9].contains(number % 13) {
                sender.socket.append(
                    PacketHeader(), payloads.keep([0, 0, 0, UInt8(number), 7, 8]), to: receiver.address)
            } else {
                sender.socket.append(PacketHeader(networkOrder: number), payloads.keep([7, 8]), to: receiver.address)
            }
        }
        #expect(sender.flush().settled == 100)
        let arrived = receiver.receive(100)
        #expect(arrived.map(\.header) == (0..<100).map { $0 })
        #expect(arrived.allSatisfy { $0.payload == [7, 8] })
        withExtendedLifetime(payloads) {}
    }

    @Test(arguments: [true, false])
    func emptyDatagramsAreNotLostBetweenOthers(offloads: Bool) throws {
        let sender = try Loopback.socket(offloads: offloads)
        let receiver = try Loopback.socket(offloads: offloads)
        let payloads = Payloads()
        let lengths = [0, 0, 5, 5, 0, 600, 600, 0, 600, 7, 0]
        for length in lengths {
            sender.socket.append(PacketHeader(), payloads.keep(Datagram.pattern(3, length)), to: receiver.address)
        }
        #expect(sender.flush().settled == lengths.count)
        var arrived: [[UInt8]] = []
        while arrived.count < lengths.count, receiver.isReady() {
            _ = receiver.receive { bytes, _ in arrived.append(Array(bytes)) }
        }
        #expect(arrived == lengths.map { Datagram.pattern(3, $0) })
        withExtendedLifetime(payloads) {}
    }

    @Test func anAnswerMayBeAppendedWhileReceiving() throws {
        let client = try Loopback.socket()
        let server = try Loopback.socket()
        let answer = Payloads()
        let bytes = answer.keep([1, 2, 3])
        _ = client.send([[9]], to: [server.address])
        #expect(server.isReady())
        _ = server.receive { request, source in server.socket.append(PacketHeader(networkOrder: 7), bytes, to: source) }
        #expect(server.flush().settled == 1)
        #expect(client.receive(1) == [Datagram(header: 7, payload: [1, 2, 3], source: server.address)])
        withExtendedLifetime(answer) {}
    }

    @Test(arguments: [true, false])
    func aDatagramThatIsTooLongIsCountedAndNoOther(offloads: Bool) throws {
        let sender = try Loopback.socket()
        let receiver = try Loopback.socket(offloads: offloads, longestBytes: 1_004)
        for payloads in [[1_000, 1_001, 1_000], [1_001, 1_001, 1_001, 1_001, 1_000]] {
            _ = sender.send(payloads.map { Datagram.pattern($0, $0) }, to: [receiver.address])
            let expected = payloads.filter { $0 == 1_000 }.count
            #expect(
                receiver.receive(expected).map(\.payload)
                    == Array(repeating: Datagram.pattern(1_000, 1_000), count: expected))
            #expect(receiver.takeTroubles()[.truncated] == payloads.count - expected)
        }
    }

    @Test func anEmptyDatagramIsOne() throws {
        let receiver = try Loopback.socket()
        let sender = try Loopback.socket()
        var place = cl_address()
        let length = receiver.address.write(to: &place)
        let sent = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(sender.descriptor, nil, 0, 0, $0, length)
            }
        }
        #expect(sent == 0)
        #expect(receiver.isReady())
        var lengths: [Int] = []
        #expect(receiver.receive { bytes, _ in lengths.append(bytes.count) }.datagrams == 1)
        #expect(lengths == [0])
    }

    @Test func anAddressThatCannotBeHadIsRefused() throws {
        let taken = try Loopback.socket()
        #expect(Loopback.refusal(taken.address) == Failure(errno: EADDRINUSE))
        let foreign = DatagramAddress(family: .ipv4, high: 0, low: 0xc000_0201, port: 0)
        #expect(Loopback.refusal(foreign) == Failure(errno: EADDRNOTAVAIL))
        let linkLocal = DatagramAddress(family: .ipv6, high: 0xfe80 << 48, low: 1, port: 0, scope: 0x7fff_ffff)
        #expect(Loopback.refusal(linkLocal) == Failure(errno: ENODEV))
    }

    @Test func theSamePortServesBothFamiliesApart() throws {
        let four = try Loopback.socket(.ipv4)
        #expect(Loopback.refusal(DatagramAddress(family: .ipv6, high: 0, low: 0, port: four.address.port)) == nil)
    }

    @Test func nothingThereIsNoError() throws {
        let socket = try Loopback.socket()
        let reception = socket.receive { _, _ in Issue.record("nothing was sent") }
        #expect(reception.datagrams == 0)
        #expect(!reception.mayHaveMore)
        #expect(socket.takeTroubles().isEmpty)
        #expect(socket.flush().settled == 0)
    }
}
