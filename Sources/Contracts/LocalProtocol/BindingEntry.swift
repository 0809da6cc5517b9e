// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import Vocabulary

/// Something that is bound to a name.
package struct BindingEntry: Hashable, Sendable, LocalCodable {
    package enum Bound: Hashable, Sendable {
        /// All processes of the program that are this user's or root's. With arguments: irmd starts it with them when
        /// nobody accepts.
        case program([UInt8], UserID, arguments: [[UInt8]]?)
        /// With its program's base name if it is attached, else empty.
        case process(ProcessID, program: [UInt8])
        case ipcp(ProcessID, IPCPName)
    }

    package var name: ServiceName
    package var bound: Bound

    package init(name: ServiceName, bound: Bound) {
        self.name = name
        self.bound = bound
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(name)
        switch bound {
        case .program(let path, let user, let arguments):
            writer.write(UInt8(0))
            writer.write(string: path)
            writer.write(user)
            writer.write(optional: arguments) { writer, arguments in
                writer.write(list: arguments) { writer, argument in writer.write(string: argument) }
            }
        case .process(let process, let program):
            writer.write(UInt8(1))
            writer.write(process)
            writer.write(string: program)
        case .ipcp(let process, let name):
            writer.write(UInt8(2))
            writer.write(process)
            writer.write(name)
        }
    }

    package init(reading reader: inout ByteReader) throws(MalformedMessage) {
        name = try reader.read()
        switch try reader.read(UInt8.self) {
        case 0:
            bound = .program(
                try reader.readString(), try reader.read(),
                arguments: try reader.readOptional { reader throws(MalformedMessage) in
                    try reader.readList { reader throws(MalformedMessage) in try reader.readString() }
                })
        case 1: bound = .process(try reader.read(), program: try reader.readString())
        case 2: bound = .ipcp(try reader.read(), try reader.read())
        default: throw .unknownValue
        }
    }
}
