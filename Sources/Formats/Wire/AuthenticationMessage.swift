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
        fileprivate static let raw: UInt16 = 0x8000
        fileprivate static let encapsulatedByClient: UInt16 = 0x4000

        package init() {}

        /// F, R and the length.
        fileprivate var word: UInt16 {
            UInt16(bytes.count) | (isRaw ? Self.raw : 0) | (isEncapsulatedByClient ? Self.encapsulatedByClient : 0)
        }
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
        var copy = self
        try? copy.visit(&writer, hashBytes: requestHash.count)
        return writer.bytes
    }

    /// Whatever is left behind the fields is the signature. Without a certificate nothing may be left; a certificate
    /// without a signature is understood, and is for whoever checks signatures to refuse.
    package init(decoding bytes: [UInt8], as kind: Kind) throws(MalformedMessage) {
        self.init(id: [UInt8](repeating: 0, count: Self.idBytes), timestamp: 0)
        var reader = ByteReader(bytes)
        switch kind {
        case .request: try visit(&reader, hashBytes: 0)
        case .response(let hashBytes): try visit(&reader, hashBytes: hashBytes)
        }
        signature = reader.readRest()
        guard !certificate.isEmpty || signature.isEmpty else { throw .length }
    }

    /// All fields but the signature, in the order of the bytes: the lengths stand before what they are the lengths of.
    private mutating func visit(_ fields: inout some NetworkFields, hashBytes: Int) throws(MalformedMessage) {
        try fields.next(&id, count: Self.idBytes)
        try fields.next(&timestamp)
        try fields.next(&cipher)
        try fields.next(&keyDerivation)
        try fields.next(&digest)
        var certificateBytes = UInt16(certificate.count)
        try fields.next(&certificateBytes)
        var keyWord = keyExchange.word
        try fields.next(&keyWord)
        var payloadBytes = UInt16(payload.count)
        try fields.next(&payloadBytes)
        try fields.next(&certificate, count: Int(certificateBytes))
        keyExchange.isRaw = keyWord & KeyExchange.raw != 0
        keyExchange.isEncapsulatedByClient = keyWord & KeyExchange.encapsulatedByClient != 0
        try fields.next(&keyExchange.bytes, count: Int(keyWord) & KeyExchange.longest)
        try fields.next(&payload, count: Int(payloadBytes))
        try fields.next(&requestHash, count: hashBytes)
    }
}

extension NetworkFields {
    /// 0 is none. A number that nobody has given makes the message invalid.
    fileprivate mutating func next<Algorithm: RawRepresentable<UInt16>>(
        _ algorithm: inout Algorithm?
    ) throws(MalformedMessage) {
        var number = algorithm?.rawValue ?? 0
        try next(&number)
        algorithm = number == 0 ? nil : Algorithm(rawValue: number)
        if number != 0, algorithm == nil { throw .unknownValue }
    }
}
