// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux

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
}
