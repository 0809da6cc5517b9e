// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// A list of numbers: a reader of another version skips what it does not know, and takes 0 for what is missing.
extension FlowStatistics: LocalCodable {
    package func write(to writer: inout ByteWriter) { numbers.write(to: &writer) }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        self.init(numbers: try [UInt64](reading: &reader))
    }
}

/// What came of asking the process at an end of a flow.
package enum FlowEndReport: Hashable, Sendable, LocalCodable {
    /// The process has answered.
    case statistics(FlowStatistics)
    /// The process did not answer in time.
    case silent
    /// The library of the process is of a version that cannot answer.
    case unable
    /// An IPCP, which carries the flow to another host, has this end. It is not asked.
    case provider
    /// The process does not have this end yet, or not any more.
    case notHeld

    /// Numbered from 0 in this order. The number stands before what the case carries.
    private enum Kind: UInt8 {
        case statistics, silent, unable, provider, notHeld
    }

    package func write(to writer: inout ByteWriter) {
        switch self {
        case .statistics(let a): writer.write(Kind.statistics, Self.statistics, a)
        case .silent: writer.write(Kind.silent.rawValue)
        case .unable: writer.write(Kind.unable.rawValue)
        case .provider: writer.write(Kind.provider.rawValue)
        case .notHeld: writer.write(Kind.notHeld.rawValue)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        let kind: Kind = try reader.readChoice()
        switch kind {
        case .statistics: self = try reader.read(Self.statistics)
        case .silent: self = .silent
        case .unable: self = .unable
        case .provider: self = .provider
        case .notHeld: self = .notHeld
        }
    }
}
