// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The flags of a flow, with the values of `ouroboros/fccntl.h`. spec: c-api §3
package enum FlowFlags {
    package static let readOnly: UInt32 = 0
    package static let writeOnly: UInt32 = 0o1
    package static let readWrite: UInt32 = 0o2
    package static let accessMode: UInt32 = 0o3
    package static let down: UInt32 = 0o4
    package static let readNonBlocking: UInt32 = 0o1000
    package static let writeNonBlocking: UInt32 = 0o2000
    /// No partial reads.
    package static let readWhole: UInt32 = 0o10000
    /// No partial writes; a write is always whole here.
    package static let writeWhole: UInt32 = 0o20000
    package static let initial = readWrite | writeWhole
    package static let all = accessMode | down | readNonBlocking | writeNonBlocking | readWhole | writeWhole
}

/// The flags of retransmission, with the values of `ouroboros/fccntl.h`. spec: c-api §6
package enum RetransmissionFlags {
    package static let reliable: UInt32 = 1
    package static let flowControl: UInt32 = 2
    package static let linger: UInt32 = 4
    package static let changeable = flowControl | linger
}
