// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

/// A packet of FRCP as people read it.
struct PacketText: CustomStringConvertible {
    private let bytes: [UInt8]
    private let isProfile0: Bool

    init(_ bytes: [UInt8], isProfile0: Bool = false) {
        self.bytes = bytes
        self.isProfile0 = isProfile0
    }

    var description: String {
        guard let header = FRCPHeader(bytes.span) else { return "\(bytes.count) bytes" }
        if isProfile0 { return profile0(header) }
        var text = header.flags.contains(.data) ? "data" : header.flags.contains(.end) ? "abort" : "control"
        if header.flags.contains([.data, .end]) { text = "end" }
        if header.flags.contains(.data), header.flags.contains(.repeated) { text += " again" }
        if header.flags.contains(.rendezvous) { text += " asks" }
        text += " \(header.sequence.rawValue), acknowledges \(header.acknowledged.rawValue) + \(header.credit)"
        if header.flags.contains(.data) { return text + ", \(bytes.count - FRCPHeader.bytes) bytes" }
        guard let frame = Acknowledgement(bytes.span.extracting(FRCPHeader.bytes...)) else { return text }
        text += ", room \(frame.room), received \(frame.received), duplicates \(frame.duplicates)"
        if frame.bits.contains(.newestIsValid) { text += ", newest \(frame.newest.rawValue) after \(frame.delay) us" }
        for index in 0..<frame.rangeCount {
            let range = frame.range(index)
            text += ", +\(range.offset) \(range.length)"
        }
        return text
    }

    private func profile0(_ header: FRCPHeader) -> String {
        if header.flags.contains(.rendezvous) { return "profile 0, rendez-vous" }
        var text = "profile 0, " + (header.flags.contains(.data) ? "data" : "control")
        if header.flags.contains(.run) { text += ", run" }
        text += " \(header.sequence.rawValue)"
        if header.flags.contains(.acknowledges) { text += ", acknowledges \(header.acknowledged.rawValue)" }
        if header.flags.contains(.credits) { text += ", edge \(header.edge)" }
        return text + ", \(bytes.count - FRCPHeader.bytes) bytes"
    }
}
