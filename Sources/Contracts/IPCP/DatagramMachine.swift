// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The IPCP's end of a flow between it and a process of this host, by its descriptor in the IPCP.
package struct FlowPort: Identifier {
    package let rawValue: Int32
    @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// An IPCP whose packets travel in datagrams. The data path asks a question and gets one answer by value: no allocation,
/// no dictionary, no closure.
package protocol DatagramMachine<Lower>: IPCPMachine {
    /// Bytes of the longest datagram that the layer uses.
    static var longestDatagram: Int { get }
    /// A datagram came of which `header` are the first four bytes. `length`: of all of it.
    mutating func arriving(_ header: UInt32, length: Int, from source: DatagramAddress, now: Instant) -> Arrival
    /// A packet of `length` bytes came from a process.
    mutating func departing(_ length: Int, on port: FlowPort, now: Instant) -> Departure
    /// What the driver could not do.
    mutating func failed(_ trouble: DatagramTrouble, packets: Int)
}

/// What to do with a datagram.
package enum Arrival: Sendable {
    /// Without the header, to the process.
    case deliver(FlowPort)
    /// All of it is a message for the machine: a `datagram` of its lower side.
    case control
    /// It is counted.
    case drop
}

/// What to do with a packet.
package enum Departure: Sendable {
    /// With this header in front, in network order.
    case send(UInt32, to: DatagramAddress)
    /// It is counted.
    case drop
}
