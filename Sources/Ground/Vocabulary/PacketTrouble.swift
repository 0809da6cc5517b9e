// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Why packets were lost between a flow and the network. Counted, and shown by `irm status`.
package enum PacketTrouble: UInt8, Sendable, CaseIterable {
    /// The process does not read: its queue is full.
    case queueFull
    /// The process has let go of the flow.
    case flowEnded
    /// They came faster than this IPCP takes them, and the buffer of its socket was full.
    case socketFull
    /// The kernel has no memory for it (ENOBUFS).
    case noBuffers
    /// Longer than the path lets through, or than a datagram can be (EMSGSIZE).
    case tooLong
    /// The other host or its port cannot be reached: what we sent was answered so (ICMP).
    case unreachable
    /// The interface is down, or the address that the socket is bound to has gone, or the route.
    case interfaceDown
    /// It came, and was longer than those that the socket takes.
    case truncated
    /// Anything else that the system says.
    case other
}
