// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes

/// The two messages with which the irmds of two hosts make a flow: who they are, and how it is encrypted. Layers carry
/// it behind their own request and reply and do not read it. spec: oap §1
package struct AuthenticationMessage: Hashable, Sendable {
    /// Chosen by the client at random, 16 bytes; the response has the same.
    package var id: [UInt8]
    /// The sender's clock, in nanoseconds since 1970.
    package var timestamp: UInt64
    package var cipher: CipherAlgorithm?
    package var keyDerivation: DigestAlgorithm?
    /// Of the signature; in a request also of `requestHash`.
    package var digest: DigestAlgorithm?
    /// X.509 in DER; empty: anonymous.
    package var certificate: [UInt8]
    package var keyExchange: KeyExchange
    /// Of the application; nobody sends any yet.
    package var payload: [UInt8]
    /// Of the complete request, in a response; empty in a request.
    package var requestHash: [UInt8]
    /// Over everything before it; only with a certificate.
    package var signature: [UInt8]

    /// A public key, or a secret encapsulated in one.
    package struct KeyExchange: Hashable, Sendable {
        /// F: no DER but the bytes themselves.
        package var isRaw = false
        /// R: the client has encapsulated, not the server.
        package var isEncapsulatedByClient = false
        /// At most `longest`.
        package var bytes: [UInt8] = []

        /// The length has 14 bits.
        package static let longest = 0x3FFF

        package init() {}
    }

    /// A message is a request or a response to one; the bytes do not say which.
    package enum Kind: Hashable, Sendable {
        case request
        /// With a hash of so many bytes.
        case response(hashBytes: Int)
    }

    package static let idBytes = 16
    /// Before what has a length of its own.
    package static let headerBytes = 36

    /// What an anonymous sender says who wants no encryption.
    package init(id: [UInt8], timestamp: UInt64) {
        precondition(id.count == Self.idBytes, "an id of \(id.count) bytes")
        self.id = id
        self.timestamp = timestamp
        certificate = []
        keyExchange = KeyExchange()
        payload = []
        requestHash = []
        signature = []
    }

    package func encoded() -> [UInt8] { signedBytes() + signature }

    /// All that the signature covers: all before it.
    package func signedBytes() -> [UInt8] {
        precondition(keyExchange.bytes.count <= KeyExchange.longest, "a key of \(keyExchange.bytes.count) bytes")
        precondition(max(certificate.count, payload.count) <= Int(UInt16.max), "too long for the message")
        var writer = ByteWriter()
        writer.write(bytes: id)
        writer.write(networkOrder: timestamp)
        writer.write(networkOrder: cipher?.rawValue ?? 0)
        writer.write(networkOrder: keyDerivation?.rawValue ?? 0)
        writer.write(networkOrder: digest?.rawValue ?? 0)
        writer.write(networkOrder: UInt16(certificate.count))
        writer.write(
            networkOrder: UInt16(keyExchange.bytes.count) | (keyExchange.isRaw ? 0x8000 : 0)
                | (keyExchange.isEncapsulatedByClient ? 0x4000 : 0))
        writer.write(networkOrder: UInt16(payload.count))
        writer.write(bytes: certificate)
        writer.write(bytes: keyExchange.bytes)
        writer.write(bytes: payload)
        writer.write(bytes: requestHash)
        return writer.bytes
    }

    /// Whatever is left behind the fields is the signature. Without a certificate nothing may be left; a certificate
    /// without a signature is understood, and is for whoever checks signatures to refuse.
    package init(decoding bytes: [UInt8], as kind: Kind) throws(MalformedMessage) {
        var reader = ByteReader(bytes)
        id = try reader.read(bytes: Self.idBytes)
        timestamp = try reader.readNetworkOrder()
        cipher = try Self.readAlgorithm(&reader)
        keyDerivation = try Self.readAlgorithm(&reader)
        digest = try Self.readAlgorithm(&reader)
        let certificateBytes = Int(try reader.readNetworkOrder(UInt16.self))
        let keyWord = try reader.readNetworkOrder(UInt16.self)
        let payloadBytes = Int(try reader.readNetworkOrder(UInt16.self))
        certificate = try reader.read(bytes: certificateBytes)
        keyExchange = KeyExchange()
        keyExchange.isRaw = keyWord & 0x8000 != 0
        keyExchange.isEncapsulatedByClient = keyWord & 0x4000 != 0
        keyExchange.bytes = try reader.read(bytes: Int(keyWord) & KeyExchange.longest)
        payload = try reader.read(bytes: payloadBytes)
        switch kind {
        case .request: requestHash = []
        case .response(let hashBytes): requestHash = try reader.read(bytes: hashBytes)
        }
        signature = reader.readRest()
        guard !certificate.isEmpty || signature.isEmpty else { throw .length }
    }

    /// 0 is none. A number that nobody has given makes the message invalid.
    private static func readAlgorithm<Algorithm: RawRepresentable<UInt16>>(
        _ reader: inout ByteReader
    ) throws(MalformedMessage) -> Algorithm? {
        let number = try reader.readNetworkOrder(UInt16.self)
        guard number != 0 else { return nil }
        guard let algorithm = Algorithm(rawValue: number) else { throw .unknownValue }
        return algorithm
    }
}
