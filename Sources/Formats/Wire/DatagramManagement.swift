// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What the IPCPs of a UDP layer say to each other about flows: a datagram to endpoint 0. There is no other message, and
/// none for the end of a flow. spec: udp-layer §3
package enum DatagramManagement: Hashable, Sendable {
    case request(FlowRequest)
    case reply(FlowReply)

    /// A flow to the name of this hash, please.
    package struct FlowRequest: Hashable, Sendable {
        /// Where the requester wants its packets.
        package var requester: EndpointID
        package var hash: [UInt8]
        package var quality: QualityOfService
        /// `AuthenticationMessage`, unread by the layer.
        package var authentication: [UInt8]

        package init(requester: EndpointID, hash: [UInt8], quality: QualityOfService, authentication: [UInt8]) {
            self.requester = requester
            self.hash = hash
            self.quality = quality
            self.authentication = authentication
        }
    }

    package struct FlowReply: Hashable, Sendable {
        /// As in the request: names the flow to the one who reads this.
        package var requester: EndpointID
        /// Where the responder wants its packets; says nothing in a refusal.
        package var responder: EndpointID
        /// 0: the flow is there. Else it is not, and this is a negative error number.
        package var response: Int32
        package var authentication: [UInt8]

        package init(requester: EndpointID, responder: EndpointID, response: Int32, authentication: [UInt8]) {
            self.requester = requester
            self.responder = responder
            self.response = response
            self.authentication = authentication
        }
    }

    /// Bytes before the hash of a request and before the authentication of a reply.
    package static let headerBytes = 47
    /// Bytes of a name's hash.
    package static let hashBytes = DatagramParameters.hash.bytes

    private static let requestCode: UInt8 = 1
    private static let replyCode: UInt8 = 2

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .request(let request):
            writer.write(networkOrder: EndpointID.management.rawValue)
            writer.write(networkOrder: request.requester.rawValue)
            writer.write(networkOrder: UInt32(0))
            writer.write(networkOrder: Int32(0))
            write(request.quality, code: Self.requestCode, to: &writer)
            writer.write(bytes: request.hash)
            writer.write(bytes: request.authentication)
        case .reply(let reply):
            writer.write(networkOrder: EndpointID.management.rawValue)
            writer.write(networkOrder: reply.requester.rawValue)
            writer.write(networkOrder: reply.responder.rawValue)
            writer.write(networkOrder: reply.response)
            write(nil, code: Self.replyCode, to: &writer)
            writer.write(bytes: reply.authentication)
        }
        return writer.bytes
    }

    /// Offset 16 to 46; the code stands in the midst of the quality, which a reply does not have.
    private func write(_ quality: QualityOfService?, code: UInt8, to writer: inout ByteWriter) {
        writer.write(networkOrder: quality?.bandwidth ?? 0)
        writer.write(networkOrder: quality?.delayMilliseconds ?? 0)
        writer.write(networkOrder: quality?.loss ?? 0)
        writer.write(networkOrder: quality?.bitErrorRate ?? 0)
        writer.write(networkOrder: quality?.maximumGapMilliseconds ?? 0)
        writer.write(networkOrder: quality?.timeoutMilliseconds ?? 0)
        writer.write(code)
        writer.write(quality?.availability ?? 0)
        writer.write(UInt8(quality?.inOrder == true ? 1 : 0))
    }

    /// Throws what spec udp-layer §7 says to drop, and an endpoint 0 where packets would be sent: they would be taken
    /// for management.
    package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
        guard bytes.count >= Self.headerBytes else { throw .length }
        var reader = ByteReader(bytes)
        guard try reader.readNetworkOrder(UInt32.self) == EndpointID.management.rawValue else { throw .unknownValue }
        let requester = EndpointID(try reader.readNetworkOrder())
        let responder = EndpointID(try reader.readNetworkOrder())
        let response = try reader.readNetworkOrder(Int32.self)
        let (quality, code) = try Self.readQuality(&reader)
        guard requester != .management else { throw .unknownValue }
        switch code {
        case Self.requestCode:
            let hash = try reader.read(bytes: Self.hashBytes)
            self = .request(
                FlowRequest(requester: requester, hash: hash, quality: quality, authentication: reader.readRest()))
        case Self.replyCode:
            guard response != 0 || responder != .management else { throw .unknownValue }
            self = .reply(
                FlowReply(
                    requester: requester, responder: responder, response: response, authentication: reader.readRest()))
        default: throw .unknownValue
        }
    }

    private static func readQuality(
        _ reader: inout ByteReader
    ) throws(MalformedMessage) -> (QualityOfService, code: UInt8) {
        var quality = QualityOfService()
        quality.bandwidth = try reader.readNetworkOrder()
        quality.delayMilliseconds = try reader.readNetworkOrder()
        quality.loss = try reader.readNetworkOrder()
        quality.bitErrorRate = try reader.readNetworkOrder()
        quality.maximumGapMilliseconds = try reader.readNetworkOrder()
        quality.timeoutMilliseconds = try reader.readNetworkOrder()
        let code = try reader.read(UInt8.self)
        quality.availability = try reader.read()
        quality.inOrder = try reader.read(UInt8.self) != 0
        return (quality, code)
    }
}
