// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary

/// Where the names of a UDP layer are, by the resolver of the system alone. Stands in for the directory that is being
/// made, behind the same calls.
package struct Directory: Sendable {
    package struct Answer: Hashable, Sendable {
        package let asker: RequestID
        package let address: DatagramAddress?
        package var failure: Failure { .name }
        package var reason: String { "the name is unknown in this layer" }
    }

    private let own: DatagramAddress
    private var registered: Set<[UInt8]> = []
    private var inquiries: [ResolutionID: RequestID] = [:]
    private var nextInquiry: UInt64 = 1
    private var answers: [Answer] = []

    package init?(_ parameters: LayerConfiguration.Parameters) {
        switch parameters {
        case .udp4(let address, _, let port), .udp6(let address, _, let port):
            guard let own = DatagramAddress(address, port: port) else { return nil }
            self.own = own
        case .local, .broadcast, .unicast, .ethernetLLC, .ethernetDIX: return nil
        }
    }

    package func begin(into actions: inout [IPCPAction]) {}

    package mutating func takeAnswers() -> [Answer] {
        defer { answers.removeAll() }
        return answers
    }

    package var deadline: Instant? { nil }

    package mutating func expire(now: Instant) {}

    package mutating func register(_ hash: [UInt8], into actions: inout [IPCPAction]) -> Bool {
        registered.insert(hash)
        return true
    }

    package mutating func unregister(_ hash: [UInt8], into actions: inout [IPCPAction]) -> Bool {
        registered.remove(hash) != nil
    }

    package mutating func look(
        up hash: [UInt8], for asker: RequestID, now: Instant, into actions: inout [IPCPAction]
    ) {
        let inquiry = ResolutionID(nextInquiry)
        nextInquiry += 1
        inquiries[inquiry] = asker
        let label = Array(hexadecimal(hash).utf8)
        actions.append(.resolve(inquiry, Inquiry(label: label, family: own.family, source: .system)))
    }

    package mutating func forget(_ hash: [UInt8]) {}

    package mutating func resolved(
        _ inquiry: ResolutionID, _ resolution: Resolution, now: Instant, into actions: inout [IPCPAction]
    ) {
        guard let asker = inquiries.removeValue(forKey: inquiry) else { return }
        var address: DatagramAddress?
        if case .address(let bytes, _) = resolution { address = DatagramAddress(bytes, port: own.port) }
        answers.append(Answer(asker: asker, address: address?.family == own.family ? address : nil))
    }

    package mutating func adopt(_ file: [UInt8]?, into actions: inout [IPCPAction]) {}
}

extension DatagramAddress {
    /// Without the port.
    var text: String {
        guard family == .ipv6 else { return bytes.map { String($0) }.joined(separator: ".") }
        return (0..<8).map { String(UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
