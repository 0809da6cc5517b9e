// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Cryptography
import Testing
import Vocabulary
import Wire

@testable import Authentication

@Suite struct AuthenticationTests {
    private let digest = RequestDigest()
    private let id = [UInt8](1...16)

    private func time(_ milliseconds: UInt64) -> WallTime {
        WallTime(nanoseconds: 1_800_000_000_000_000_000 + milliseconds * 1_000_000)
    }

    /// What the server makes of a request of `sent` that arrives at `now`.
    private func trouble(
        _ server: inout AuthenticationServer, sent: UInt64, now: UInt64,
        change: (inout AuthenticationMessage) -> Void = { _ in }
    ) -> AuthenticationTrouble? {
        var message = AuthenticationMessage(id: id, timestamp: time(sent).nanoseconds)
        change(&message)
        do throws(AuthenticationTrouble) {
            _ = try server.answer(message.encoded(), now: time(now), digest: digest)
            return nil
        } catch {
            return error
        }
    }

    @Test("a client and a server understand each other, in 36 and 84 bytes")
    func exchange() throws {
        var server = AuthenticationServer()
        let client = AuthenticationClient(id: id, now: time(0))
        #expect(client.request.count == 36)
        let answer = try server.answer(client.request, now: time(5), digest: digest)
        #expect(answer.count == 84)
        #expect(try client.check(answer, digest: digest).isEmpty)
    }

    @Test("what both say beside the authentication comes to the other")
    func payloads() throws {
        var server = AuthenticationServer()
        let client = AuthenticationClient(id: id, now: time(0), payload: [1, 2, 3])
        #expect(AuthenticationServer.payload(of: client.request) == [1, 2, 3])
        #expect(AuthenticationServer.payload(of: Array(client.request.dropLast())).isEmpty)
        let answer = try server.answer(client.request, payload: [4, 5], now: time(5), digest: digest)
        #expect(try client.check(answer, digest: digest) == [4, 5])
        #expect(client.isAnswered(by: answer) && !client.isAnswered(by: []))
        #expect(!AuthenticationClient(id: Array(id.reversed()), now: time(0)).isAnswered(by: answer))
    }

    @Test("what the prototype answered is what we would: hash of the request, by its own digest")
    func prototype() throws {
        // udp4-raw.pcap
        let request: [UInt8] =
            [
                0xf3, 0xad, 0x1e, 0x10, 0xbf, 0x5c, 0x12, 0x6f, 0x8f, 0x80, 0x8f, 0x65, 0x66, 0xaf, 0xe8, 0x83, 0x18,
                0xea, 0x05, 0xb9, 0xe4, 0x4c, 0x8f, 0xe7,
            ] + [UInt8](repeating: 0, count: 12)
        var server = AuthenticationServer()
        let now = WallTime(nanoseconds: 0x18ea_05b9_e473_7dcc)
        let answer = try server.answer(request, now: now, digest: digest)
        #expect(answer.prefix(24).suffix(8) == [0x18, 0xea, 0x05, 0xb9, 0xe4, 0x73, 0x7d, 0xcc])
        #expect(answer.dropFirst(36).prefix(4) == [0xd3, 0xa7, 0x62, 0x1c])
        #expect(answer.suffix(3) == [0x5f, 0x08, 0x53])
    }

    @Test("a request is fresh from 100 ms before its time to 20 s after it")
    func freshness() {
        for (now, expected) in [
            (10_000, nil), (9_900, nil), (9_899, .early), (0, .early), (30_000, nil), (30_001, .stale),
            (90_000, .stale),
        ] as [(UInt64, AuthenticationTrouble?)] {
            var server = AuthenticationServer()
            #expect(trouble(&server, sent: 10_000, now: now) == expected, "at \(now)")
        }
        // Nothing overflows at the ends of time.
        var server = AuthenticationServer()
        #expect(trouble(&server, sent: 0, now: 0) { $0.timestamp = .max } == .early)
        #expect(trouble(&server, sent: 0, now: 0) { $0.timestamp = 0 } == .stale)
    }

    @Test("a repetition is refused for as long as it is fresh, and forgotten then")
    func repetitions() {
        var server = AuthenticationServer()
        #expect(trouble(&server, sent: 10_000, now: 9_900) == nil)
        #expect(trouble(&server, sent: 10_000, now: 9_900) == .repeated)
        #expect(trouble(&server, sent: 10_000, now: 30_000) == .repeated)
        #expect(trouble(&server, sent: 10_001, now: 10_000) == nil)
        #expect(server.remembered == 2)
        #expect(trouble(&server, sent: 90_000, now: 90_000) == nil)
        #expect(server.remembered == 1)
    }

    @Test("beyond the bound the oldest are forgotten, and refused with all that were sent before them; new ones go on")
    func crowd() {
        let capacity = 4_096
        var server = AuthenticationServer(remembering: capacity)
        for number in 0..<capacity {
            #expect(trouble(&server, sent: 0, now: 0) { $0.timestamp += UInt64(number) } == nil)
        }
        // A stranger's flood is no reason to refuse another host.
        #expect(trouble(&server, sent: 10, now: 0) == nil)
        #expect(trouble(&server, sent: 10, now: 0) == .repeated)
        #expect(server.remembered == capacity)
        // The first one is forgotten, and is not accepted again.
        #expect(trouble(&server, sent: 0, now: 0) == .crowded)
        #expect(trouble(&server, sent: 0, now: 0) { $0.timestamp -= 1 } == .crowded)
        #expect(trouble(&server, sent: 0, now: 0) { $0.timestamp += 1 } == .repeated)
        #expect(trouble(&server, sent: 20_200, now: 20_200) == nil)
        #expect(server.remembered == 1)
    }

    @Test("a clock that is set back leaves nothing of a flood")
    func clockSetBack() {
        let hour: UInt64 = 3_600_000
        let capacity = 4_096
        var server = AuthenticationServer(remembering: capacity)
        for number in 0...capacity {
            #expect(trouble(&server, sent: hour, now: hour) { $0.timestamp += UInt64(number) } == nil)
        }
        #expect(trouble(&server, sent: hour, now: hour) == .crowded)
        #expect(trouble(&server, sent: 0, now: 0) == nil)
        #expect(trouble(&server, sent: 1, now: 1) == nil)
    }

    @Test("certificates and keys are refused, each with its error")
    func refusals() {
        var server = AuthenticationServer()
        #expect(trouble(&server, sent: 0, now: 0) { $0.certificate = [1] } == .clientCertificate)
        #expect(trouble(&server, sent: 1, now: 1) { $0.keyExchange.bytes = [1] } == .encryptionAsked)
        #expect(trouble(&server, sent: 2, now: 2) { $0.cipher = .aes256GCM } == nil)
        #expect(throws: AuthenticationTrouble.malformedRequest) {
            try server.answer([1, 2, 3], now: time(3), digest: digest)
        }
        #expect(AuthenticationTrouble.clientCertificate.failure == .authentication)
        #expect(AuthenticationTrouble.encryptionAsked.failure == .encryption)
    }

    @Test("every digest that a request can name is used, and the client's is SHA-384")
    func digests() throws {
        var server = AuthenticationServer()
        for (number, algorithm) in DigestAlgorithm.allCases.enumerated() {
            var message = AuthenticationMessage(id: id, timestamp: time(UInt64(number)).nanoseconds)
            message.digest = algorithm
            let answer = try server.answer(message.encoded(), now: time(20), digest: digest)
            #expect(answer.count == 36 + algorithm.bytes)
            #expect(
                Array(answer.dropFirst(36)) == digest.digest(of: message.encoded(), nid: algorithm.rawValue))
        }
        #expect(digest.digest(of: [], nid: 0) == digest.digest(of: [], nid: 673))
        #expect(digest.digest(of: [], nid: 1) == nil)
    }

    @Test("a response that answers another request, or wants what was not asked for, is refused")
    func responses() throws {
        var server = AuthenticationServer()
        let client = AuthenticationClient(id: id, now: time(0))
        let good = try server.answer(client.request, now: time(5), digest: digest)
        func trouble(_ change: (inout AuthenticationMessage) -> Void) throws -> AuthenticationTrouble? {
            var message = try AuthenticationMessage(decoding: good, as: .response(hashBytes: 48))
            change(&message)
            do throws(AuthenticationTrouble) {
                _ = try client.check(message.encoded(), digest: digest)
                return nil
            } catch {
                return error
            }
        }
        #expect(try trouble { $0.timestamp = 0 } == nil)
        #expect(try trouble { $0.digest = .sha512 } == nil)
        #expect(try trouble { $0.id[3] ^= 1 } == .otherRequest)
        #expect(try trouble { $0.requestHash[47] ^= 1 } == .otherHash)
        #expect(try trouble { $0.requestHash.removeLast() } == .malformedResponse)
        #expect(try trouble { $0.certificate = [1] } == .serverCertificate)
        #expect(try trouble { $0.cipher = .aes128CTR } == .encryptionImposed)
        #expect(try trouble { $0.keyExchange.bytes = [1] } == .encryptionImposed)
        for count in 0..<good.count {
            #expect(throws: AuthenticationTrouble.malformedResponse) {
                try client.check(Array(good.prefix(count)), digest: digest)
            }
        }
    }
}
