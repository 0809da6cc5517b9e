// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Testing
import Vocabulary

@testable import Wire

@Suite struct AuthenticationMessageTests {
    /// The request of a capture, its response if there is one, and how long the hash in that is.
    private struct Exchange {
        let request: [UInt8]
        let response: [UInt8]
        let hashBytes: Int

        init(_ name: String) throws {
            let management = try Capture(name).management
            request = Array(management[0].dropFirst(63))
            response = Array(management[1].dropFirst(47))
            let message = try AuthenticationMessage(decoding: request, as: .request)
            hashBytes = (message.digest ?? .ofRequestsWithout).bytes
        }

        var messages: [([UInt8], AuthenticationMessage.Kind)] {
            response.isEmpty
                ? [(request, .request)] : [(request, .request), (response, .response(hashBytes: hashBytes))]
        }
    }

    @Test("the anonymous exchange of the capture has an id, a time, and a SHA-384 of the request")
    func anonymous() throws {
        let exchange = try Exchange("udp4-raw")
        let request = try AuthenticationMessage(decoding: exchange.request, as: .request)
        let id = octets("f3ad1e10bf5c126f8f808f6566afe883")
        #expect(request == AuthenticationMessage(id: id, timestamp: 0x18ea_05b9_e44c_8fe7))
        let response = try AuthenticationMessage(decoding: exchange.response, as: .response(hashBytes: 48))
        #expect(response.id == id && response.timestamp == 0x18ea_05b9_e473_7dcc)
        #expect(response.requestHash.starts(with: octets("d3a7621c")) && response.requestHash.count == 48)
        #expect(response.requestHash.suffix(3) == octets("5f0853"))
    }

    @Test("the encrypted exchange of the capture names its algorithms and brings a key")
    func encrypted() throws {
        let exchange = try Exchange("oap-X25519")
        let request = try AuthenticationMessage(decoding: exchange.request, as: .request)
        #expect(request.cipher == .aes256GCM && request.keyDerivation == .sha256 && request.digest == .sha256)
        #expect(request.keyExchange.bytes.starts(with: octets("302a300506032b656e032100030e225d")))
        #expect(!request.keyExchange.isRaw && !request.keyExchange.isEncapsulatedByClient)
        let response = try AuthenticationMessage(decoding: exchange.response, as: .response(hashBytes: 32))
        #expect(response.keyExchange.bytes.count == 44 && response.requestHash.starts(with: octets("ef0700f3")))
    }

    @Test("the signed exchange of the capture is divided as the specification says")
    func signed() throws {
        let exchange = try Exchange("oap-mutual-signed")
        let request = try AuthenticationMessage(decoding: exchange.request, as: .request)
        #expect(request.certificate.count == 301 && request.keyExchange.bytes.count == 44)
        #expect(request.signature.count == 71 && request.signedBytes().count == 381)
        let signed = try Exchange("oap-srv-signed")
        let response = try AuthenticationMessage(decoding: signed.response, as: .response(hashBytes: 32))
        #expect(response.certificate.count == 286 && response.signature.count == 72)
        #expect(response.cipher == .chaCha20Poly1305)
    }

    @Test("every message of the captures is written as it was read, and has no data", arguments: Capture.names)
    func golden(name: String) throws {
        for (bytes, kind) in try Exchange(name).messages {
            let message = try AuthenticationMessage(decoding: bytes, as: kind)
            #expect(message.encoded() == bytes && message.payload.isEmpty)
        }
    }

    @Test("a message that is cut anywhere but in its signature is refused", arguments: Capture.names)
    func truncations(name: String) throws {
        for (bytes, kind) in try Exchange(name).messages {
            let signed = try AuthenticationMessage(decoding: bytes, as: kind).signedBytes().count
            for count in 0..<signed {
                #expect(throws: MalformedMessage.self) {
                    try AuthenticationMessage(decoding: Array(bytes.prefix(count)), as: kind)
                }
            }
            if signed == bytes.count {
                #expect(throws: MalformedMessage.self) {
                    try AuthenticationMessage(decoding: bytes + [0], as: kind)
                }
            }
        }
    }

    @Test("an unknown cipher, key derivation or digest makes the message invalid")
    func numbers() throws {
        let bytes = try Exchange("udp4-raw").request
        for offset in [24, 26, 28] {
            var bytes = bytes
            bytes[offset] = 0x03
            #expect(throws: MalformedMessage.unknownValue) {
                try AuthenticationMessage(decoding: bytes, as: .request)
            }
        }
        for cipher in CipherAlgorithm.allCases {
            var message = try AuthenticationMessage(decoding: bytes, as: .request)
            message.cipher = cipher
            #expect(try AuthenticationMessage(decoding: message.encoded(), as: .request) == message)
        }
        for digest in DigestAlgorithm.allCases {
            var message = try AuthenticationMessage(decoding: bytes, as: .request)
            (message.digest, message.keyDerivation) = (digest, digest)
            #expect(try AuthenticationMessage(decoding: message.encoded(), as: .request) == message)
        }
    }

    @Test("whatever there is to say comes back as it was said", arguments: 1...10)
    func roundTrips(seed: Int) throws {
        var numbers = RandomSource(seed: UInt64(seed))
        for _ in 0..<200 {
            let hashBytes = Int.random(in: 0...1, using: &numbers) * 48
            var message = AuthenticationMessage(
                id: numbers.bytes(16...16), timestamp: .random(in: 0 ... .max, using: &numbers))
            message.cipher = CipherAlgorithm.allCases.randomElement(using: &numbers)
            message.keyDerivation = DigestAlgorithm.allCases.randomElement(using: &numbers)
            message.keyExchange.isRaw = .random(using: &numbers)
            message.keyExchange.isEncapsulatedByClient = .random(using: &numbers)
            message.keyExchange.bytes = numbers.bytes(0...300)
            message.payload = numbers.bytes(0...30)
            message.certificate = numbers.bytes(0...2)
            message.requestHash = numbers.bytes(hashBytes...hashBytes)
            if !message.certificate.isEmpty { message.signature = numbers.bytes(0...80) }
            let kind: AuthenticationMessage.Kind = hashBytes == 0 ? .request : .response(hashBytes: hashBytes)
            #expect(try AuthenticationMessage(decoding: message.encoded(), as: kind) == message)
        }
    }

    @Test("random and damaged bytes trap nothing, and what is understood is written as it was", arguments: 1...10)
    func random(seed: Int) throws {
        var numbers = RandomSource(seed: UInt64(seed))
        let messages = try Capture.names.flatMap { try Exchange($0).messages }
        for round in 0..<2_000 {
            var (bytes, kind) = try #require(messages.randomElement(using: &numbers))
            bytes = round % 2 == 0 ? numbers.damaged(bytes) : numbers.bytes(0...120)
            guard let message = try? AuthenticationMessage(decoding: bytes, as: kind) else { continue }
            #expect(message.encoded() == bytes)
        }
    }
}
