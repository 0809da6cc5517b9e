// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Where a host of a UDP layer wants the packets of one flow: chosen by the one who receives them. 0 is management.
/// spec: udp-layer §2
package struct EndpointID: Identifier {
    package let rawValue: UInt32
    @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// No end of a flow: a message for the IPCP itself.
    @inlinable package static var management: EndpointID { EndpointID(0) }
}
