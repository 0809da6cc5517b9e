// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Platform
import Vocabulary

extension LayerStatus {
    /// With the interfaces of link-local addresses by their names, as the user wrote them: an IPCP knows their numbers.
    var withInterfaceNames: LayerStatus {
        var status = self
        status.address = LayerStatus.withName(address)
        status.server = LayerStatus.withName(server)
        status.peers = peers.map(LayerStatus.withName)
        return status
    }

    /// One that has gone keeps its number.
    private static func withName(_ address: [UInt8]) -> [UInt8] {
        guard let sign = address.firstIndex(of: UInt8(ascii: "%")) else { return address }
        let digits = address[(sign + 1)...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let number = UInt32(String(decoding: digits, as: UTF8.self)),
            let name = NetworkInterface.name(of: number)
        else { return address }
        return address[...sign] + name + address[digits.endIndex...]
    }
}
