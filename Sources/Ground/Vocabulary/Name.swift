// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// A name that people give: 1 to 255 bytes without NUL. Any other byte is allowed, also what is not UTF-8.
/// `Kind` keeps the names of services, layers and IPCPs apart.
package struct Name<Kind>: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// Nil if there are no bytes, more than 255, or a NUL.
    package init?(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard !bytes.isEmpty, bytes.count <= Limits.nameBytes, !bytes.contains(0) else { return nil }
        self.bytes = bytes
    }

    package init?(_ text: String) { self.init(text.utf8) }

    /// For people, escaped so that no name can forge a line or pass for another.
    package var description: String { printable(bytes) }

    package static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension Name: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

package enum ServiceKind: Sendable {}
package enum LayerKind: Sendable {}
package enum IPCPKind: Sendable {}

/// What programs allocate flows to.
package typealias ServiceName = Name<ServiceKind>
package typealias LayerName = Name<LayerKind>
package typealias IPCPName = Name<IPCPKind>

/// Two lower-case hexadecimal digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return text
}
