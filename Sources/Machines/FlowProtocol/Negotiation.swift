// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// What the hosts of a flow say to each other beside its allocation, in the data field of OAP: that they are hosts of this
/// system, what their ends of the flow can do, and what the client's layer was asked for. spec: frcp-profile-1 §1
package enum Negotiation {
    /// The data of this system begin with this.
    private static let magic: [UInt8] = [0x4f, 0x37, 0x53, 0x31]
    private static let propertiesType: UInt8 = 1
    private static let qualityType: UInt8 = 3

    /// The items of data that are ours; nil if they are not, or an item is cut or repeated: then nothing was said.
    private static func items(of data: [UInt8]) -> ItemList? {
        guard data.starts(with: magic) else { return nil }
        return ItemList(reading: Array(data.dropFirst(magic.count)))
    }

    /// The data that the client sends with its request.
    package struct Request: Hashable, Sendable {
        /// The properties of the client's end; nil on raw flows.
        private let own: EndProperties?
        private let needsFlowControl: Bool
        package let data: [UInt8]

        /// - Parameter own: Of the client's end; not sent on raw flows. Nil: this end has no profile 1.
        package init(_ quality: QualityOfService, own: EndProperties?) {
            self.own = quality.inOrder ? own : nil
            needsFlowControl = quality.inOrder
            var items = ItemList()
            if let own = self.own { items.append(propertiesType, own.value) }
            // Also on raw flows: an in_order that was changed on the way makes a flow useless whichever it was. And a
            // response never has this item, so that a host that only copies the data of a request gives itself away.
            items.append(qualityType, QualityStatement(quality).value)
            data = magic + items.bytes
        }

        /// What the server has chosen.
        /// - Parameter response: The data of its response; empty if the server is no host of this system.
        /// - Throws: `Failure.encryption` (-1008) if the server speaks of its end, but not what can be true.
        package func result(of response: [UInt8]) throws(Failure) -> Result {
            // A 0.23 host may copy what it does not understand.
            guard let items = items(of: response), items[qualityType] == nil else {
                return Result(agreement: needsFlowControl ? .profile0 : .raw, isOurs: false)
            }
            guard needsFlowControl else { return Result(agreement: .raw, isOurs: true) }
            guard let own, let value = items[propertiesType] else {
                return Result(agreement: .profile0, isOurs: true)
            }
            guard let peer = EndProperties(reading: value), peer.profile == EndProperties.profile else {
                throw .encryption
            }
            return Result(agreement: .profile1(own: own, peer: peer), isOurs: true)
        }
    }

    /// What came of a request.
    package struct Result: Hashable, Sendable {
        package let agreement: FlowAgreement
        /// The other host is one of this system.
        package let isOurs: Bool

        package init(agreement: FlowAgreement, isOurs: Bool) {
            self.agreement = agreement
            self.isOurs = isOurs
        }
    }

    /// The data that the server sends with its response, and what both have agreed on then.
    package struct Response: Hashable, Sendable {
        /// Empty if the request had none that are ours.
        package let data: [UInt8]
        package let result: Result

        /// - Parameters:
        ///   - request: The data of the client's request; empty if the client is no host of this system.
        ///   - quality: What the layer says that the client asked for.
        ///   - own: Of the server's end. Nil: this end has no profile 1.
        /// - Throws: `Failure.authentication` (-1009) if the client says that it asked for something else.
        package init(to request: [UInt8], _ quality: QualityOfService, own: EndProperties?) throws(Failure) {
            let items = items(of: request)
            if let value = items?[qualityType], let stated = QualityStatement(reading: value),
                stated != QualityStatement(quality)
            {
                throw .authentication
            }
            var answer = ItemList()
            var agreement: FlowAgreement = quality.inOrder ? .profile0 : .raw
            if quality.inOrder, let own, let value = items?[propertiesType], let peer = EndProperties(reading: value) {
                answer.append(propertiesType, own.value)
                agreement = .profile1(own: own, peer: peer)
            }
            data = items == nil ? [] : magic + answer.bytes
            result = Result(agreement: agreement, isOurs: items != nil)
        }
    }
}

/// What the client says that its layer was asked for: the value of the item of type 3. Layers do not protect these fields,
/// and a flow whose ends differ in one of them is useless. spec: frcp-profile-1 §1
private struct QualityStatement: Hashable, Sendable {
    private let inOrder: Bool
    private let hasNoLoss: Bool
    private let hasNoErrors: Bool
    private let timeoutMilliseconds: UInt32

    init(_ quality: QualityOfService) {
        inOrder = quality.inOrder
        hasNoLoss = quality.loss == 0
        hasNoErrors = quality.bitErrorRate == 0
        timeoutMilliseconds = quality.timeoutMilliseconds
    }

    /// Nil if it is cut. What is no 0 means yes, as in the fields of the layers.
    init?(reading value: [UInt8]) {
        var reader = ByteReader(value)
        do throws(MalformedMessage) {
            inOrder = try reader.read(UInt8.self) != 0
            hasNoLoss = try reader.read(UInt8.self) != 0
            hasNoErrors = try reader.read(UInt8.self) != 0
            _ = try reader.read(UInt8.self)
            timeoutMilliseconds = try reader.readNetworkOrder()
        } catch {
            return nil
        }
    }

    var value: [UInt8] {
        var writer = ByteWriter()
        writer.write(inOrder)
        writer.write(hasNoLoss)
        writer.write(hasNoErrors)
        writer.write(UInt8(0))
        writer.write(networkOrder: timeoutMilliseconds)
        return writer.bytes
    }
}
