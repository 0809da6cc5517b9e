// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Testing
import Vocabulary

@Suite struct NegotiationTests {
    static let magic: [UInt8] = [0x4f, 0x37, 0x53, 0x31]
    /// The item of the example of the specification.
    static let example: [UInt8] =
        [0x01, 0x18, 0x01, 0x05, 0x00, 0x00, 0xa4, 0xde, 0x5c, 0x0a, 0x00, 0x00, 0x40, 0x00]
        + [0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x23, 0x10]
    static let exampleProperties = EndProperties(
        acknowledgementDelayMilliseconds: 5, firstSequence: SequenceNumber(0xa4de_5c0a), credit: 16_384,
        firstRoomBytes: 1_048_576, longestMessageBytes: 16_777_216, largestPacketBytes: 8_976)
    static let client = EndProperties.ours(firstSequence: 0x0102_0304, packetBytes: 8_976)
    static let server = EndProperties.ours(firstSequence: 0xfffe_fdfc, packetBytes: 8_948)

    /// The item that says which quality the client asked for.
    static func quality(_ inOrder: UInt8, _ noLoss: UInt8, _ noErrors: UInt8, _ timeout: [UInt8]) -> [UInt8] {
        [3, 8, inOrder, noLoss, noErrors, 0] + timeout
    }
    static let dataItem = quality(1, 1, 0, [0x00, 0x01, 0xd4, 0xc0])
    static let rawItem = quality(0, 0, 0, [0x00, 0x01, 0xd4, 0xc0])

    @Test("the properties of an end have the bytes of the example of the specification")
    func golden() {
        #expect(Self.exampleProperties.value == Array(Self.example.dropFirst(2)))
        #expect(EndProperties(reading: Array(Self.example.dropFirst(2))) == Self.exampleProperties)
        let request = Negotiation.Request(.data, own: Self.exampleProperties)
        #expect(request.data == Self.magic + Self.example + Self.dataItem)
        let raw = Negotiation.Request(.raw, own: Self.exampleProperties)
        #expect(raw.data == Self.magic + Self.rawItem)
    }

    @Test("each field at the edge of its range is valid, and beyond it is not; surplus bytes are skipped")
    func ranges() {
        func isValid(_ change: (inout EndProperties) -> Void) -> Bool {
            var properties = Self.exampleProperties
            change(&properties)
            let read = EndProperties(reading: properties.value + [0xff])
            #expect(read == nil || read == properties)
            return read != nil
        }
        for (value, valid) in [(UInt8(0), false), (1, true), (2, true), (255, true)] {
            #expect(isValid { $0.profile = value } == valid)
        }
        for (value, valid) in [(UInt8(0), false), (1, true), (100, true), (101, false)] {
            #expect(isValid { $0.acknowledgementDelayMilliseconds = value } == valid)
        }
        for (value, valid) in [(UInt32(0), false), (63, false), (64, true), (32_768, true), (32_769, false)] {
            #expect(isValid { $0.credit = value } == valid)
        }
        for (value, valid) in [(UInt32(65_535), false), (65_536, true), (1 << 30, true), (1 << 30 + 1, false)] {
            #expect(isValid { $0.firstRoomBytes = value } == valid)
        }
        for (value, valid) in [(UInt32(0), false), (1, true), (.max, true)] {
            #expect(isValid { $0.longestMessageBytes = value } == valid)
        }
        for (value, valid) in [(UInt32(63), false), (64, true), (.max, true)] {
            #expect(isValid { $0.largestPacketBytes = value } == valid)
        }
        #expect(EndProperties.ours(firstSequence: 1, packetBytes: 63) == nil)
    }

    @Test("two ends of this system agree on profile 1, and each knows itself and the other")
    func profile1() throws {
        let client = try #require(Self.client)
        let server = try #require(Self.server)
        let request = Negotiation.Request(.data, own: client)
        let response = try Negotiation.Response(to: request.data, .data, own: server)
        #expect(response.data == Self.magic + [1, 24] + server.value)
        #expect(response.result == .init(agreement: .profile1(own: server, peer: client), isOurs: true))
        let result = try request.result(of: response.data)
        #expect(result == .init(agreement: .profile1(own: client, peer: server), isOurs: true))
        #expect(client.acknowledgementDelayMilliseconds == 5 && client.credit == 32_768)
        #expect(client.firstRoomBytes == 1_048_576 && client.longestMessageBytes == 16_777_216)
    }

    @Test("raw flows negotiate nothing, and tell that both hosts are of this system")
    func raw() throws {
        let request = Negotiation.Request(.raw, own: Self.client)
        let response = try Negotiation.Response(to: request.data, .raw, own: Self.server)
        #expect(response.data == Self.magic)
        #expect(response.result == .init(agreement: .raw, isOurs: true))
        #expect(try request.result(of: response.data) == .init(agreement: .raw, isOurs: true))
        // Properties on a raw flow mean nothing.
        let surplus = try Negotiation.Response(to: Self.magic + Self.example, .raw, own: Self.server)
        #expect(surplus.data == Self.magic && surplus.result.agreement == .raw)
        #expect(try request.result(of: Self.magic + Self.example).agreement == .raw)
    }

    @Test("with a host of the prototype, which sends no data or a copy of ours, it is profile 0")
    func prototype() throws {
        let request = Negotiation.Request(.data, own: Self.client)
        let foreign = Negotiation.Result(agreement: .profile0, isOurs: false)
        for response in [[], request.data, [0], Array("O7S2".utf8) + Self.example] {
            #expect(try request.result(of: response) == foreign)
        }
        let raw = Negotiation.Request(.raw, own: nil)
        for response in [[], raw.data] {
            #expect(try raw.result(of: response) == .init(agreement: .raw, isOurs: false))
        }
        for data in [[], [0x4f], Array("anything".utf8)] {
            let response = try Negotiation.Response(to: data, .data, own: Self.server)
            #expect(response.data.isEmpty && response.result == foreign)
            let raw = try Negotiation.Response(to: data, .raw, own: Self.server)
            #expect(raw.data.isEmpty && raw.result == .init(agreement: .raw, isOurs: false))
        }
    }

    @Test("properties that cannot be true count as none in a request, and end the allocation in a response")
    func invalid() throws {
        let request = Negotiation.Request(.data, own: Self.client)
        var wrong = Self.example
        wrong[3] = 0
        for value in [wrong, [1, 23] + Array(Self.example[2..<25]), [1, 0]] {
            let response = try Negotiation.Response(to: Self.magic + value, .data, own: Self.server)
            #expect(response.data == Self.magic)
            #expect(response.result == .init(agreement: .profile0, isOurs: true))
            #expect(throws: Failure.encryption) { try request.result(of: Self.magic + value) }
        }
        // A later system may offer more, but what it chooses is what was offered.
        var later = Self.example
        later[2] = 2
        let response = try Negotiation.Response(to: Self.magic + later, .data, own: Self.server)
        guard case .profile1(_, let peer) = response.result.agreement else {
            Issue.record("no profile 1")
            return
        }
        #expect(peer.profile == 2)
        #expect(throws: Failure.encryption) { try request.result(of: Self.magic + later) }
    }

    @Test("items that are cut or repeated make data that mean nothing; unknown ones are skipped")
    func itemLists() throws {
        let unknown: [UInt8] = [200, 3, 1, 2, 3, 0, 0]
        let request = Negotiation.Request(.data, own: Self.client)
        for items in [unknown + Self.example, Self.example + unknown] {
            let response = try Negotiation.Response(to: Self.magic + items, .data, own: Self.server)
            #expect(response.result.isOurs && response.result.agreement != .profile0)
            #expect(try request.result(of: Self.magic + items).isOurs)
        }
        for items in [
            Self.example + Self.example, unknown + Self.example + unknown, Self.example + [7], Self.example + [7, 1],
        ] {
            let response = try Negotiation.Response(to: Self.magic + items, .data, own: Self.server)
            #expect(response.data.isEmpty)
            #expect(response.result == .init(agreement: .profile0, isOurs: false))
            #expect(try request.result(of: Self.magic + items) == .init(agreement: .profile0, isOurs: false))
        }
    }

    @Test("a request that says that it asked for something else than the layer said is refused")
    func contradiction() throws {
        let timeout: [UInt8] = [0x00, 0x01, 0xd4, 0xc0]
        for item in [
            Self.quality(0, 1, 0, timeout), Self.quality(1, 0, 0, timeout), Self.quality(1, 1, 1, timeout),
            Self.quality(1, 1, 0, [0, 0, 0, 0]),
        ] {
            for data in [Self.magic + item, Self.magic + Self.example + item] {
                #expect(throws: Failure.authentication) {
                    try Negotiation.Response(to: data, .data, own: Self.server)
                }
            }
        }
        // What is no 0 is true; what is cut says nothing, and neither does what is not ours.
        for data in [
            Self.magic + Self.quality(7, 9, 0, timeout), Self.magic + [3, 7, 0, 0, 0, 0, 0, 0, 0],
            Self.magic + [3, 0], Self.magic + [3, 8, 0, 0], Self.quality(0, 0, 1, timeout),
        ] {
            #expect(try Negotiation.Response(to: data, .data, own: Self.server).result.agreement == .profile0)
        }
    }

    @Test("where this end has no profile 1, both ends take profile 0")
    func lacking() throws {
        let able = Negotiation.Request(.data, own: Self.client)
        let response = try Negotiation.Response(to: able.data, .data, own: nil)
        #expect(response.data == Self.magic && response.result.agreement == .profile0)
        #expect(try able.result(of: response.data) == .init(agreement: .profile0, isOurs: true))
        let lacking = Negotiation.Request(.data, own: nil)
        #expect(lacking.data == Self.magic + Self.dataItem)
        #expect(try lacking.result(of: Self.magic + Self.example).agreement == .profile0)
    }

    @Test("every truncation and every damage is survived, and both ends are never of different profiles")
    func hostile() throws {
        let client = try #require(Self.client)
        let server = try #require(Self.server)
        let request = Negotiation.Request(.data, own: client)
        let whole = try Negotiation.Response(to: request.data, .data, own: server).data
        for count in 0..<request.data.count {
            let response = try Negotiation.Response(to: Array(request.data.prefix(count)), .data, own: server)
            let isWhole = count == Self.magic.count || count == Self.magic.count + 26
            #expect(response.result.isOurs == isWhole)
        }
        for count in 0..<whole.count {
            let result = try request.result(of: Array(whole.prefix(count)))
            #expect(result == .init(agreement: .profile0, isOurs: count == Self.magic.count))
        }
        var chance = RandomSource(seed: 7)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...80, using: &chance)
            let data = (Bool.random(using: &chance) ? Self.magic : []) + chance.bytes(count)
            let raised = try? Negotiation.Response(to: data, .data, own: server)
            if let raised { #expect(raised.data.isEmpty != raised.result.isOurs) }
            _ = try? request.result(of: data)
            _ = FlowAgreement(items: data)
        }
        for index in request.data.indices {
            for bit in 0..<8 {
                var damaged = request.data
                damaged[index] ^= 1 << UInt8(bit)
                guard let response = try? Negotiation.Response(to: damaged, .data, own: server) else { continue }
                let result = try request.result(of: response.data)
                switch (response.result.agreement, result.agreement) {
                case (.profile1, .profile1), (.profile0, .profile0): break
                default: Issue.record("byte \(index), bit \(bit): \(response.result) but \(result)")
                }
            }
        }
    }

    @Test("an agreement is the same after it was written and read; what is no agreement is none")
    func agreements() throws {
        let client = try #require(Self.client)
        let server = try #require(Self.server)
        let agreement = FlowAgreement.profile1(own: client, peer: server)
        #expect(agreement.items == [1, 24] + client.value + [2, 24] + server.value)
        #expect(FlowAgreement.raw.items.isEmpty && FlowAgreement.profile0.items == [4, 1, 0])
        for agreement in [agreement, .raw, .profile0] {
            #expect(FlowAgreement(items: agreement.items) == agreement)
        }
        for count in 1..<agreement.items.count {
            #expect(FlowAgreement(items: Array(agreement.items.prefix(count))) == nil)
        }
        for items: [UInt8] in [[4, 1, 1], [4, 0], [4, 2, 0, 0], [1, 24] + client.value + [4, 1, 0]] {
            #expect(FlowAgreement(items: items) == nil)
        }
    }
}
