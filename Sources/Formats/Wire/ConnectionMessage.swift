// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes

/// What two components say to each other first on a connection: who they are and which protocol they speak.
/// One proto2 message in one packet. spec: enrollment-cep §1
package struct ConnectionMessage: Hashable, Sendable {
    package var component: [UInt8]
    package var protocolName: [UInt8]
    package var version: UInt32
    /// 0 = protobuf, 1 = ASN.1, 2 = fixed.
    package var syntax: UInt32
    /// The sender's address in the layer; 0 = none.
    package var address: UInt64

    /// Names longer than this do not fit the structure of the C API. `OCEP_BUF_STRLEN`
    package static let nameBytes = 128

    package init(component: [UInt8], protocolName: [UInt8], version: UInt32, syntax: UInt32, address: UInt64) {
        self.component = component
        self.protocolName = protocolName
        self.version = version
        self.syntax = syntax
        self.address = address
    }

    package func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        writer.write(field: 1, bytes: component)
        writer.write(field: 2, bytes: protocolName)
        // int32 on the wire: negative numbers are sign-extended to 64 bits.
        writer.write(field: 3, varint: UInt64(bitPattern: Int64(Int32(bitPattern: version))))
        writer.write(field: 5, varint: UInt64(bitPattern: Int64(Int32(bitPattern: syntax))))
        writer.write(field: 8, varint: address)
        return writer.bytes
    }

    /// Throws if a required field is missing, or a name is too long or holds a NUL.
    ///
    /// The fields are listed here and in `encoded()`. One list for both would not do: a sender may put the fields in any order,
    /// repeat them, and add others.
    package init(decoding bytes: some Sequence<UInt8>) throws(MalformedMessage) {
        var reader = ProtobufReader(bytes)
        var component: [UInt8]?
        var protocolName: [UInt8]?
        var version: UInt32?
        var syntax: UInt32?
        var address: UInt64?
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let bytes)): component = bytes
            case (2, .bytes(let bytes)): protocolName = bytes
            case (3, .number(let number)): version = UInt32(truncatingIfNeeded: number)
            case (5, .number(let number)): syntax = UInt32(truncatingIfNeeded: number)
            case (8, .number(let number)): address = number
            case (1, _), (2, _), (3, _), (5, _), (8, _): throw .unknownValue
            default: continue
            }
        }
        guard let component, let protocolName, let version, let syntax, let address else { throw .length }
        guard max(component.count, protocolName.count) <= ConnectionMessage.nameBytes else { throw .length }
        guard !component.contains(0), !protocolName.contains(0) else { throw .unknownValue }
        self.init(
            component: component, protocolName: protocolName, version: version, syntax: syntax, address: address)
    }
}
