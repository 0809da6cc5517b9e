// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import LocalProtocol
import Testing
import Vocabulary

/// What must hold for every message type.
private func check<Message: LocalMessage & Equatable>(_ messages: [Message]) throws {
    for message in messages {
        let bytes = message.encoded()
        #expect(try Message(decoding: bytes) == message)
        #expect(bytes.count <= Limits.localMessageBytes)
        for count in 0..<bytes.count {
            #expect(throws: (any Error).self) { try Message(decoding: Array(bytes.prefix(count))) }
        }
        #expect(throws: (any Error).self) { try Message(decoding: bytes + [0]) }
    }
}

/// Nothing traps, and what is understood is what was written.
private func bombard<Message: LocalMessage & Equatable>(_ messages: [Message], seed: UInt64) {
    var numbers = Numbers(seed: seed)
    for _ in 0..<2_000 {
        var bytes = messages.randomElement(using: &numbers)?.encoded() ?? []
        switch Int.random(in: 0..<3, using: &numbers) {
        case 0:
            bytes = (0..<Int.random(in: 0..<200, using: &numbers)).map { _ in
                .random(in: .min ... .max, using: &numbers)
            }
        case 1:
            for _ in 0..<Int.random(in: 1..<4, using: &numbers) {
                bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = .random(in: .min ... .max, using: &numbers)
            }
        default: bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &numbers)..<bytes.count)
        }
        guard let message = try? Message(decoding: bytes) else { continue }
        #expect(message.encoded() == bytes)
    }
}

private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

@Suite struct CodingTests {
    @Test("every message comes back as it was; no truncation and no surplus is taken for one")
    func roundTrip() throws {
        try check(Samples.processMessages)
        try check(Samples.managerMessages)
        try check(Samples.ipcpRequests)
        try check(Samples.ipcpReplies)
    }

    @Test("random bytes and broken messages trap nothing", arguments: 1...10)
    func random(seed: Int) {
        bombard(Samples.processMessages, seed: UInt64(seed))
        bombard(Samples.managerMessages, seed: UInt64(seed))
        bombard(Samples.ipcpRequests, seed: UInt64(seed))
        bombard(Samples.ipcpReplies, seed: UInt64(seed))
    }

    @Test("names of 0 and 256 bytes, with a NUL, and failures that are none are refused")
    func bounds() {
        let good = ProcessMessage.taken(FlowID(1)).encoded()
        #expect((try? ProcessMessage(decoding: good)) != nil)
        for bytes in [[], [UInt8](repeating: 1, count: 256), [0x61, 0]] as [[UInt8]] {
            let message = [UInt8(6)] + Array(repeating: 0, count: 8)
            let length = [UInt8(bytes.count & 255), UInt8(bytes.count >> 8)]
            // deallocate with bytes behind it, and destroyName with such a name.
            #expect((try? ProcessMessage(decoding: message)) == nil)
            #expect(
                (try? ProcessMessage(decoding: [7] + Array(repeating: 0, count: 8) + [12] + length + bytes)) == nil)
        }
        #expect((try? ProcessMessage(decoding: [5, 1, 0, 0, 0, 0, 0, 0, 0])) == nil)
        #expect((try? ProcessMessage(decoding: [5, 1, 0, 0, 0, 255, 255, 255, 255])) == nil)
    }

    @Test("the greeting looks the same for ever: who speaks another version must still understand it")
    func greeting() {
        let bytes = ProcessMessage.hello(Hello(role: .call, program: Array("ab".utf8))).encoded()
        #expect(
            bytes == [
                0, 0x4f, 0x75, 0x72, 0x6f, 9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0x61, 0x62,
            ])
        #expect(Hello.version(in: bytes) == .current)
        #expect(Hello.version(in: Array(bytes.prefix(9))) == .current)
        #expect(Hello.version(in: Array(bytes.prefix(8))) == nil)
        #expect(ManagerMessage.versionRefused(ProtocolVersion(major: 2, minor: 3)).encoded() == [1, 2, 0, 3, 0])
    }

    @Test("what is bound, what is changed and what is told of the ends of a flow have these bytes")
    func golden() throws {
        let name = Samples.name(ServiceKind.self, "n")
        func bytes(_ management: ManagementRequest) -> [UInt8] {
            Array(ProcessMessage.manage(RequestID(1), management).encoded().dropFirst(9))
        }
        #expect(bytes(.listBindings(from: 258)) == [19, 2, 1, 0, 0])
        #expect(
            bytes(.setName(name, balancing: .spillover, wait: nil)) == [20, 1, 0, 0x6e, 1, 1, 0, 0, 0, 0])
        #expect(
            bytes(.setName(name, balancing: nil, wait: TimeSpan(nanoseconds: 2)))
                == [20, 1, 0, 0x6e, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes(.destroyFlow(FlowID(7))) == [21, 7, 0, 0, 0])
        #expect(bytes(.showFlow(FlowID(7))) == [22, 7, 0, 0, 0])
        let binding = BindingEntry(name: name, bound: .program([0x2f], UserID(2), arguments: [[0x61]]))
        #expect(
            Array(
                ManagerMessage.result(RequestID(1), .bindings([binding], total: 1)).encoded().dropFirst(9))
                == [8, 1, 0, 1, 0, 0x6e, 0, 1, 0, 0x2f, 2, 0, 0, 0, 1, 1, 0, 1, 0, 0x61, 1, 0, 0, 0])
        let taken = IPCPReply.taken(FlowID(1), authentication: [9], with: [0x68]).encoded()
        #expect(taken == [5, 1, 0, 0, 0, 1, 0, 9, 1, 0, 0x68])
        // A policy that is none, and a kind of binding that is none.
        #expect(
            (try? ProcessMessage(
                decoding: [7] + Array(repeating: 0, count: 8) + [20, 1, 0, 0x6e, 1, 2, 0, 0, 0, 0])) == nil)
        #expect(
            (try? ManagerMessage(
                decoding: [5] + Array(repeating: 0, count: 8) + [8, 1, 0, 1, 0, 0x6e, 3, 1, 0, 0, 0])) == nil)
    }

    @Test("what is asked of a flow, and the answer, have these bytes")
    func goldenStatistics() throws {
        let question = ManagerMessage.describeFlow(RequestID(9), FlowID(12), .second).encoded()
        #expect(question == [7, 9, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 1])
        let unknown = ProcessMessage.described(RequestID(9), nil).encoded()
        #expect(unknown == [8, 9, 0, 0, 0, 0, 0, 0, 0, 0])
        var statistics = FlowStatistics()
        statistics.kind = .profile1
        statistics.ending = .silent
        statistics.missing = 258
        let zeros = [UInt8](repeating: 0, count: 32 * 8)
        let numbers = [4, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0] + zeros + [2, 1, 0, 0, 0, 0, 0, 0]
        #expect(
            ProcessMessage.described(RequestID(9), statistics).encoded()
                == [8, 9, 0, 0, 0, 0, 0, 0, 0, 1, 35, 0] + numbers)
        let result = ManagerMessage.result(
            RequestID(9), .flow(Samples.flowEntry, client: .silent, server: .notHeld))
        #expect(Array(result.encoded().suffix(2)) == [1, 4])
        #expect(result.encoded()[9] == 9)
    }

    @Test("statistics of another version: fields that it does not have are 0, and further fields are skipped")
    func statisticsOfOtherVersions() throws {
        let head = ProcessMessage.described(RequestID(9), nil).encoded().dropLast()
        func answer(_ numbers: [UInt64]) throws -> FlowStatistics? {
            let bytes = head + [1, UInt8(numbers.count), 0] + numbers.flatMap { [UInt8($0), 0, 0, 0, 0, 0, 0, 0] }
            guard case .described(_, let statistics) = try ProcessMessage(decoding: Array(bytes)) else { return nil }
            return statistics
        }
        #expect(try answer([]) == FlowStatistics())
        let short = try #require(try answer([2, 0, 5]))
        #expect(short.kind == .raw && short.time == 5 && short.missing == 0)
        let long = try #require(try answer(Array(1...40)))
        #expect(long == FlowStatistics(numbers: Array(1...35)))
        #expect(long.missing == 35)
        // A kind that this version does not know is kept as it is.
        #expect(try answer([77])?.kind.rawValue == 77)
    }

    @Test("a request for a flow and an offer of one have these bytes")
    func goldenFlow() {
        let name = Samples.name(ServiceKind.self, "n")
        let quality = QualityOfService(
            delayMilliseconds: 1, bandwidth: 2, availability: 3, loss: 4, bitErrorRate: 5, inOrder: true,
            maximumGapMilliseconds: 6, timeoutMilliseconds: 7)
        let qualityBytes: [UInt8] =
            [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3] + [4, 0, 0, 0, 5, 0, 0, 0, 1] + [6, 0, 0, 0, 7, 0, 0, 0]
        let request = ProcessMessage.allocate(RequestID(9), name, quality, timeout: TimeSpan(nanoseconds: 8)).encoded()
        #expect(
            request == [1, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x6e] + qualityBytes + [1, 8, 0, 0, 0, 0, 0, 0, 0])
        let parties = FlowParties(
            name: name, user: UserID(10), group: GroupID(11), layer: Samples.name(LayerKind.self, "l"), address: [0x61])
        let offer = FlowOffer(
            flow: FlowID(12), end: .second, quality: quality, peer: ProcessID(13), parties: parties, link: LinkID(14),
            slot: LinkSlot(15), linkEnd: .first, linkIsIncluded: true, isExpedited: false, ringBytes: 16,
            queueBytes: 17, arrivingQueueBytes: 18, messageBytes: 19, role: .provider,
            terms: FlowTerms(packetLifetime: TimeSpan(nanoseconds: 20), avoidsCongestion: true, items: [21, 0]))
        let partiesBytes: [UInt8] = [1, 1, 0, 0x6e, 10, 0, 0, 0, 11, 0, 0, 0, 1, 1, 0, 0x6c, 1, 0, 0x61]
        #expect(
            ManagerMessage.offer(RequestID(9), offer).encoded()
                == [2, 9, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 1] + qualityBytes + [13, 0, 0, 0] + partiesBytes
                + [14, 0, 0, 0, 15, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 17, 0, 0, 0, 18, 0, 0, 0, 19, 0, 0, 0, 2]
                + [20, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 21, 0])
    }

    @Test("no configuration is spelled in two ways: a layer that has one hash is not said to have another")
    func oneSpelling() throws {
        let bytes: [UInt8] =
            [0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 13] + [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 85] + [0, 0, 1, 0, 0]
        let decoded = try? IPCPRequest(decoding: bytes)
        #expect(decoded.map { $0.encoded() == bytes } ?? true)
    }

    @Test("the configuration of each type of layer has these bytes")
    func configurations() throws {
        let layer = try #require(LayerName("l"))
        func bytes(_ hash: DirectoryHash, _ parameters: LayerConfiguration.Parameters) -> [UInt8] {
            var writer = ByteWriter()
            LayerConfiguration(layer: layer, hash: hash, parameters: parameters).write(to: &writer)
            return writer.bytes
        }
        func long(_ number: UInt8) -> [UInt8] { [number, 0, 0, 0, 0, 0, 0, 0] }
        let start: [UInt8] = [1, 0, 0x6c]
        #expect(bytes(.sha3x224, .local) == start + [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes(.usual, .broadcast) == start + [1, 0, 0, 0, 2, 0, 0, 0])
        var unicast = UnicastParameters()
        (unicast.linkState, unicast.searchFactor, unicast.replicas, unicast.congestion) = (2, 4, 5, 0)
        (unicast.recalculateSeconds, unicast.updateSeconds, unicast.timeoutSeconds) = (6, 7, 9)
        (unicast.expireSeconds, unicast.refreshSeconds, unicast.replicateSeconds) = (256, 10, 11)
        #expect(
            bytes(.sha3x512, .unicast(unicast))
                == start + [3, 0, 0, 0, 1, 0, 0, 0, 4, 8, 60, 2, 0, 0, 0] + long(6) + long(7) + long(9)
                + [4, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 10, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0])
        let device = [UInt8](arrayLiteral: 0x65)
        #expect(
            bytes(.usual, .ethernetLLC(device: device)) == start + [1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0x65])
        #expect(
            bytes(.usual, .ethernetDIX(device: device, etherType: 0xA000))
                == start + [1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0x65, 0, 0xA0])
        var datagram = DatagramParameters(own: DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0001, port: 3_435))
        let own: [UInt8] = [4, 0, 10, 0, 0, 1, 0x6b, 0x0d, 0, 0, 0, 0]
        #expect(bytes(.md5, .udp4(datagram)) == start + [4, 0, 0, 0, 5, 0, 0, 0] + own + [0, 0, 0, 0, 0])
        datagram.server = datagram.own.with(port: 53)
        (datagram.hosts, datagram.key) = ([0x2f], [0x2f, 0x6b])
        #expect(
            bytes(.md5, .udp4(datagram)) == start + [4, 0, 0, 0, 5, 0, 0, 0] + own + [1, 4, 0, 10, 0, 0, 1, 53, 0]
                + [0, 0, 0, 0, 1, 0, 0x2f, 2, 0, 0x2f, 0x6b])
    }

    @Test("a UDP layer has addresses of its kind, and paths that begin at the root")
    func datagramParameters() {
        let address = DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0001, port: 3_435)
        let good = DatagramParameters(own: address, hosts: Array("/h".utf8))
        func decoded(_ parameters: DatagramParameters) -> IPCPRequest? {
            let configuration = LayerConfiguration(
                layer: Samples.layer, hash: .md5, parameters: .udp4(parameters))
            return try? IPCPRequest(decoding: IPCPRequest.bootstrap(RequestID(1), configuration).encoded())
        }
        #expect(decoded(good) != nil)
        for path in ["h", "/h\0", "/" + String(repeating: "h", count: Limits.pathBytes)] {
            var bad = good
            bad.hosts = Array(path.utf8)
            #expect(decoded(bad) == nil)
            bad = good
            bad.key = Array(path.utf8)
            #expect(decoded(bad) == nil)
        }
        var bad = good
        bad.server = DatagramAddress(family: .ipv6, high: 0, low: 1, port: 53)
        #expect(decoded(bad) == nil)
        bad = good
        bad.own = DatagramAddress(family: .ipv6, high: 0, low: 1, port: 3_435)
        #expect(decoded(bad) == nil)
    }
}
