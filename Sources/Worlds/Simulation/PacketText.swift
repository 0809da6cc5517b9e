// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol

/// A packet of FRCP as people read it.
struct PacketText: CustomStringConvertible {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var description: String {
        guard let header = FRCPHeader(bytes.span) else { return "\(bytes.count) bytes" }
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
}
