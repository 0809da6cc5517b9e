// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// The network interfaces of this host (of this process's network namespace), by name and by number.
package enum NetworkInterface {
    package static func number(of name: [UInt8]) -> UInt32? {
        guard !name.contains(0) else { return nil }
        let number = if_nametoindex(name.map(CChar.init(bitPattern:)) + [0])
        return number == 0 ? nil : number
    }

    package static func name(of number: UInt32) -> [UInt8]? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(number, &name) != nil else { return nil }
        return name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    }

    /// What the kernel's routes say of an address; nil if it does not say, as where netlink(7) is not allowed.
    private static func route(to address: DatagramAddress) -> Int32? {
        var place = cl_address()
        address.write(to: &place)
        let result = cl_route_type(&place)
        return result > 0 ? result : nil
    }

    /// Whether datagrams to the address come to this host and to no other. A socket can be bound to others: to the
    /// broadcast address of a network, and where net.ipv4.ip_nonlocal_bind is set, to any. True if nothing is known, and
    /// of the one that stands for all.
    package static func isOwn(_ address: DatagramAddress) -> Bool {
        address.isUnspecified || route(to: address).map { $0 == cl_route_local } ?? true
    }

    /// All hosts of a network hear what is sent there.
    package static func isBroadcast(_ address: DatagramAddress) -> Bool {
        address.family == .ipv4 && route(to: address) == cl_route_broadcast
    }
}
