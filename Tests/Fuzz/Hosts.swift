// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Shims
import Vocabulary

/// A hosts file, for layers of both kinds. The first byte chooses.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let all = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let first = all.first else { return 0 }
    let own =
        first & 1 == 0
        ? DatagramAddress(family: .ipv4, high: 0, low: 0x0A00_0001, port: 3_435)
        : DatagramAddress(family: .ipv6, high: 0xFD00 << 48, low: 1, port: 3_435)
    let text = all.dropFirst()
    var names: [[UInt8]] = []
    let file = HostsFile(parsing: text, for: own, interface: { $0.count == 4 ? 1 : nil }) { name in
        precondition(!name.isEmpty && name.count <= Limits.nameBytes && !name.contains(0), "\(name) is no name")
        names.append(name)
        return name
    }
    precondition(file.count <= names.count && file.mistakes.count <= file.mistakeCount)
    for name in names {
        guard let address = file.address(of: name) else { continue }
        precondition(address.family == own.family && address.port == own.port && address.unfitness == nil, "\(address)")
    }
    for mistake in file.mistakes { precondition(!"\(mistake)".utf8.contains { $0 < 0x20 }, "\(mistake)") }
    return 0
}
