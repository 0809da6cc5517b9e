// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Forwarding
import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// The IPCP's ends of the flows of a layer's users, and the set that says which of them have packets.
package final class UpperPorts {
    private let set: FlowSet
    private let events = EventQueue()

    /// `look` has not come to an end: the descriptor does not say when to call it.
    package private(set) var mustLook = false
    private static let looks = 16

    package init() throws(Failure) {
        let set = FlowSets.create()
        guard let set else { throw .tableFull }
        self.set = set
    }

    deinit { FlowSets.destroy(set) }

    /// Readable when `look` may find something, unless `mustLook`.
    package var pollDescriptor: Int32 {
        get throws(Failure) { try FlowSets.pollDescriptor(set, for: .whoeverGoesOn) }
    }

    /// Maps an offered flow.
    package static func take(
        _ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> FlowPort {
        guard !arrival.lacksDescriptors else { throw .tooManyDescriptors }
        return FlowPort(try ProviderFlow.take(offer, &arrival))
    }

    package func add(_ port: FlowPort) throws(Failure) {
        mustLook = true
        try FlowSets.add(port.rawValue, to: set)
    }

    package func release(_ port: FlowPort) { try? FlowControl.deallocate(port.rawValue) }
    package func discard(_ port: FlowPort) { ProviderFlow.discard(port.rawValue) }

    /// Tells the mover which flows have packets. Until nothing is found, which arms the descriptor again; or until it has
    /// found something so often that it is the others' turn: a user can say all the time that it has packets.
    package func look(_ mover: inout PacketMover) {
        mustLook = true
        for _ in 0..<UpperPorts.looks {
            guard (try? FlowSets.wait(set, events, timeout: TimeSpan(nanoseconds: 0))) != nil else {
                mustLook = false
                return
            }
            while let (port, _, _) = events.takeAll() { mover.wake(FlowPort(port)) }
        }
    }
}
