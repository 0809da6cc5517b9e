// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Addresses with ports as people write them.
extension DatagramAddress {
    /// An address, or an address, a colon and a port; that of IPv6 is in brackets then, as in a URL (RFC 5952 §6), since
    /// it has colons itself. This is also how `description` writes it.
    package init(
        endpoint text: some Collection<UInt8>, defaultPort: UInt16, interface: InterfaceNumber = { _ in nil }
    ) throws(Fault) {
        let colon = UInt8(ascii: ":")
        let bytes = Array(text)
        let address: ArraySlice<UInt8>
        let rest: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw .noAddress }
            address = bytes[1..<end]
            rest = bytes[(end + 1)...]
            guard address.contains(colon), rest.isEmpty || rest.first == colon else { throw .noAddress }
        } else {
            // One colon: more are an address of IPv6.
            let end = bytes.count { $0 == colon } == 1 ? bytes.firstIndex(of: colon) : nil
            address = bytes[..<(end ?? bytes.count)]
            rest = bytes[(end ?? bytes.count)...]
        }
        let parsed = try DatagramAddress(text: address, port: defaultPort, interface: interface)
        guard !rest.isEmpty else {
            self = parsed
            return
        }
        guard let port = UInt16(decimal: rest.dropFirst()), port > 0 else { throw .noPort }
        self = parsed.with(port: port)
    }
}
