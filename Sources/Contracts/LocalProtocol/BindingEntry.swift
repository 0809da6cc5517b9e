// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// Something that is bound to a name.
package struct BindingEntry: Hashable, Sendable, FieldCodable {
    package enum Bound: Hashable, Sendable, LocalCodable {
        /// All processes of the program that are this user's or root's. With arguments: irmd starts it with them when
        /// nobody accepts.
        case program([UInt8], UserID, arguments: [[UInt8]]?)
        /// With its program's base name if it is attached, else empty.
        case process(ProcessID, program: [UInt8])
        case ipcp(ProcessID, IPCPName)

        /// Numbered from 0 in this order. The number stands before what the case carries.
        private enum Kind: UInt8 {
            case program, process, ipcp
        }

        package func write(to writer: inout ByteWriter) {
            switch self {
            case .program(let a, let b, let c): writer.write(Kind.program, Self.program, a, b, c)
            case .process(let a, let b): writer.write(Kind.process, Self.process, a, b)
            case .ipcp(let a, let b): writer.write(Kind.ipcp, Self.ipcp, a, b)
            }
        }

        package init(reading reader: inout ByteReader) throws(MalformedMessage) {
            let kind: Kind = try reader.readChoice()
            switch kind {
            case .program: self = try reader.read(Self.program)
            case .process: self = try reader.read(Self.process)
            case .ipcp: self = try reader.read(Self.ipcp)
            }
        }
    }

    package var name: ServiceName
    package var bound: Bound

    package init(name: ServiceName, bound: Bound) {
        self.name = name
        self.bound = bound
    }

    package init<Coder: FieldCoder<Self>>(_ field: Coder, _ bytes: inout Coder.Bytes) throws(MalformedMessage) {
        self.init(name: try field(\.name, &bytes), bound: try field(\.bound, &bytes))
    }
}
