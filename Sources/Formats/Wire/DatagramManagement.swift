// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What the IPCPs of a UDP layer say to each other about flows: a datagram to endpoint 0. There is no other message.
/// spec: udp-layer §3
package enum DatagramManagement: Hashable, Sendable {
    case request(FlowRequest)
    case reply(FlowReply)
    case gone(FlowGone)

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

    /// The sender's end of a flow has gone. The prototype does not know this message and drops it.
    package struct FlowGone: Hashable, Sendable {
        /// Where the one who reads this wants the packets of the flow: names the flow to it.
        package var recipient: EndpointID
        /// Where the sender wanted them.
        package var sender: EndpointID

        package init(recipient: EndpointID, sender: EndpointID) {
            self.recipient = recipient
            self.sender = sender
        }
    }

    /// Bytes before the hash of a request and before the authentication of a reply.
    package static let headerBytes = 47
    /// Bytes of a name's hash.
    package static let hashBytes = DatagramParameters.hash.bytes

    /// What all messages begin with.
    private struct Header {
        /// The endpoint that the datagram is sent to.
        var destination = EndpointID.management.rawValue
        /// In the message that ends a flow, this is the endpoint of the recipient.
        var requester = EndpointID.management.rawValue
        /// A reply has it; in a request it is 0, like `response`. Of the end of a flow: the sender.
        var responder = EndpointID.management.rawValue
        var response: Int32 = 0
        /// A request has it; elsewhere all its fields are 0.
        var quality = QualityOfService(
            delayMilliseconds: 0, loss: 0, bitErrorRate: 0, maximumGapMilliseconds: 0, timeoutMilliseconds: 0)
        var code = request

        static let request: UInt8 = 1
        static let reply: UInt8 = 2
        static let gone: UInt8 = 3

        /// The fields in the order of the bytes: the code stands in the midst of the quality.
        mutating func visit(_ fields: inout some NetworkFields) throws(MalformedMessage) {
            try fields.next(&destination)
            try fields.next(&requester)
            try fields.next(&responder)
            try fields.next(&response)
            try fields.next(&quality.bandwidth)
            try fields.next(&quality.delayMilliseconds)
            try fields.next(&quality.loss)
            try fields.next(&quality.bitErrorRate)
            try fields.next(&quality.maximumGapMilliseconds)
            try fields.next(&quality.timeoutMilliseconds)
            try fields.next(&code)
            try fields.next(&quality.availability)
            var inOrder: UInt8 = quality.inOrder ? 1 : 0
            try fields.next(&inOrder)
            quality.inOrder = inOrder != 0
        }
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        var header = Header()
        switch self {
        case .request(let request):
            header.requester = request.requester.rawValue
            header.quality = request.quality
            try? header.visit(&writer)
            writer.write(bytes: request.hash)
            writer.write(bytes: request.authentication)
        case .reply(let reply):
            header.requester = reply.requester.rawValue
            header.responder = reply.responder.rawValue
            header.response = reply.response
            header.code = Header.reply
            try? header.visit(&writer)
            writer.write(bytes: reply.authentication)
        case .gone(let gone):
            header.requester = gone.recipient.rawValue
            header.responder = gone.sender.rawValue
            header.code = Header.gone
            try? header.visit(&writer)
        }
        return writer.bytes
    }

    /// Throws what spec udp-layer §7 says to drop, and an endpoint 0 where packets would be sent: they would be taken
    /// for management.
    package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
        var reader = ByteReader(bytes)
        var header = Header()
        try header.visit(&reader)
        let requester = EndpointID(header.requester)
        let responder = EndpointID(header.responder)
        guard header.destination == EndpointID.management.rawValue, requester != .management else {
            throw .unknownValue
        }
        switch header.code {
        case Header.request:
            let hash = try reader.read(bytes: Self.hashBytes)
            self = .request(
                FlowRequest(
                    requester: requester, hash: hash, quality: header.quality, authentication: reader.readRest()))
        case Header.reply:
            guard header.response != 0 || responder != .management else { throw .unknownValue }
            self = .reply(
                FlowReply(
                    requester: requester, responder: responder, response: header.response,
                    authentication: reader.readRest()))
        case Header.gone:
            guard responder != .management else { throw .unknownValue }
            self = .gone(FlowGone(recipient: requester, sender: responder))
        default: throw .unknownValue
        }
    }
}
