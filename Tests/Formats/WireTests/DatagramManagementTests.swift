// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Testing
import Vocabulary

@testable import Wire

@Suite struct DatagramManagementTests {
    @Test("the request of the capture says what the specification says of it")
    func request() throws {
        let bytes = try Capture("udp4-raw").management[0]
        guard case .request(let request) = try DatagramManagement(decoding: bytes) else {
            Issue.record("no request")
            return
        }
        #expect(request.requester == EndpointID(0x40))
        #expect(request.hash == octets("7862c6fec5ecaef4aa2e3934725e23b3"))
        #expect(request.quality == .raw)
        #expect(request.authentication.count == 36)
    }

    @Test("the reply and the refusal of the captures say what the specification says of them")
    func replies() throws {
        let accepted = try DatagramManagement(decoding: try Capture("udp4-raw").management[1])
        guard case .reply(let reply) = accepted else {
            Issue.record("no reply")
            return
        }
        #expect(reply.requester == EndpointID(0x40) && reply.responder == EndpointID(0x40) && reply.response == 0)
        #expect(reply.authentication.count == 84)
        let refused = try Capture("oap-reject-nokex").management[1]
        #expect(refused.count == DatagramManagement.headerBytes)
        #expect(
            try DatagramManagement(decoding: refused)
                == .reply(
                    .init(
                        requester: EndpointID(0x41), responder: EndpointID(0x41), response: -1_008, authentication: []))
        )
    }

    @Test("in-order and loss of a data flow are where the capture has them")
    func quality() throws {
        let bytes = try Capture("udp4-frcp-data").management[0]
        guard case .request(let request) = try DatagramManagement(decoding: bytes) else {
            Issue.record("no request")
            return
        }
        #expect(request.quality == .data)
    }

    @Test("every management datagram of the captures is written as it was read", arguments: Capture.names)
    func golden(name: String) throws {
        let datagrams = try Capture(name).management
        #expect(datagrams.count == 2)
        for bytes in datagrams { #expect(try DatagramManagement(decoding: bytes).encoded() == bytes) }
    }

    @Test("no truncation is taken for a message, unless only authentication is missing", arguments: Capture.names)
    func truncations(name: String) throws {
        for bytes in try Capture(name).management {
            let whole = bytes[44] == 1 ? 63 : 47
            for count in 0..<bytes.count {
                let isMessage = (try? DatagramManagement(decoding: Array(bytes.prefix(count)))) != nil
                #expect(isMessage == (count >= whole))
            }
        }
    }

    @Test("unknown codes, other endpoints and endpoint 0 of a peer are refused")
    func refusals() throws {
        let capture = try Capture("udp4-raw")
        let request = capture.management[0]
        let reply = capture.management[1]
        func isRefused(_ bytes: [UInt8], _ change: (offset: Int, value: UInt8)...) -> Bool {
            var bytes = bytes
            for (offset, value) in change { bytes[offset] = value }
            return (try? DatagramManagement(decoding: bytes)) == nil
        }
        #expect(!isRefused(request))
        #expect(isRefused(request, (44, 0)) && isRefused(request, (44, 3)) && isRefused(request, (44, 255)))
        #expect(isRefused(request, (3, 1)) && isRefused(request, (7, 0)))
        #expect(isRefused(reply, (11, 0)))
        #expect(!isRefused(reply, (11, 0), (15, 1)))
    }

    @Test("whatever there is to say comes back as it was said", arguments: 1...10)
    func roundTrips(seed: Int) throws {
        var numbers = RandomSource(seed: UInt64(seed))
        for _ in 0..<200 {
            let request = DatagramManagement.request(
                .init(
                    requester: EndpointID(.random(in: 1 ... .max, using: &numbers)), hash: numbers.bytes(16...16),
                    quality: QualityOfService(
                        delayMilliseconds: .random(in: 0 ... .max, using: &numbers),
                        bandwidth: .random(in: 0 ... .max, using: &numbers),
                        availability: .random(in: 0 ... .max, using: &numbers),
                        loss: .random(in: 0 ... .max, using: &numbers),
                        bitErrorRate: .random(in: 0 ... .max, using: &numbers), inOrder: .random(using: &numbers),
                        maximumGapMilliseconds: .random(in: 0 ... .max, using: &numbers),
                        timeoutMilliseconds: .random(in: 0 ... .max, using: &numbers)),
                    authentication: numbers.bytes(0...200)))
            let reply = DatagramManagement.reply(
                .init(
                    requester: EndpointID(.random(in: 1 ... .max, using: &numbers)),
                    responder: EndpointID(.random(in: 1 ... .max, using: &numbers)),
                    response: .random(in: .min ... .max, using: &numbers), authentication: numbers.bytes(0...200)))
            #expect(try DatagramManagement(decoding: request.encoded()) == request)
            #expect(try DatagramManagement(decoding: reply.encoded()) == reply)
        }
    }

    @Test("the end of a flow has 47 bytes: both endpoints and the code; what follows is skipped")
    func gone() throws {
        let bytes = octets("00000000 11223344 55667788 00000000") + [UInt8](repeating: 0, count: 28) + [3, 0, 0]
        let gone = DatagramManagement.gone(.init(recipient: EndpointID(0x1122_3344), sender: EndpointID(0x5566_7788)))
        #expect(gone.encoded() == bytes && bytes.count == DatagramManagement.headerBytes)
        #expect(try DatagramManagement(decoding: bytes) == gone)
        #expect(try DatagramManagement(decoding: bytes + [9]) == gone)
        for count in bytes.indices {
            #expect(throws: MalformedMessage.length) { try DatagramManagement(decoding: Array(bytes.prefix(count))) }
        }
        for offset in [4, 8] {
            var nobody = bytes
            nobody.replaceSubrange(offset..<offset + 4, with: [0, 0, 0, 0])
            #expect(throws: MalformedMessage.unknownValue) { try DatagramManagement(decoding: nobody) }
        }
    }

    @Test("random and damaged bytes trap nothing, and what is understood can be written", arguments: 1...10)
    func random(seed: Int) throws {
        var numbers = RandomSource(seed: UInt64(seed))
        let datagrams = try Capture.names.flatMap { try Capture($0).management }
        for round in 0..<2_000 {
            var bytes = numbers.bytes(0...120)
            if round % 2 == 0 { bytes = numbers.damaged(try #require(datagrams.randomElement(using: &numbers))) }
            guard let message = try? DatagramManagement(decoding: bytes) else { continue }
            #expect(try DatagramManagement(decoding: message.encoded()) == message)
        }
    }
}
