// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// What an IPCP's daemon does for the lower side of its machine. One thread: nothing here waits.
package protocol LowerDriver: ~Copyable {
    associatedtype Machine: IPCPMachine

    /// When it wants a turn although nothing is ready: packets wait that may be moved now (the beginning of time) or later.
    var deadline: Instant? { mutating get }

    /// Something of its own is ready, of which the loop has said so with a token from `IPCPToken.firstOfDriver` on. What the
    /// machine is to hear is appended to `events`.
    mutating func attend(
        to readiness: EventLoop.Readiness, _ machine: inout Machine, now: Instant,
        events: inout [IPCPEvent<Machine.Lower>],
        actions: inout [IPCPAction<Machine.Lower>])
    /// At the end of each turn of the loop: moves packets. Returns the flows that have ended.
    mutating func move(_ machine: inout Machine, _ loop: borrowing EventLoop, now: Instant) throws(Failure)
        -> [FlowPort]
    /// What the machine wants done; the outcome, if it is there at once.
    mutating func perform(
        _ action: Machine.Lower.Action, _ machine: inout Machine, _ loop: borrowing EventLoop
    ) -> Machine.Lower.Event?
    /// Somebody is about to be told what the machine has counted.
    mutating func count(_ machine: inout Machine)

    /// Maps an end of a flow that irmd gives this IPCP.
    mutating func take(_ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival) throws(Failure) -> FlowPort
    /// It is mapped, and irmd knows: its packets are moved from now on.
    mutating func add(_ port: FlowPort) throws(Failure)
    mutating func release(_ port: FlowPort)
    mutating func discard(_ port: FlowPort)
}

/// What the loop calls the descriptors.
package enum IPCPToken {
    static let channel: UInt64 = 0
    static let signals: UInt64 = 1
    package static let firstOfDriver: UInt64 = 2
}

/// The driver of a machine that carries no packets.
package struct NoLowerDriver<Machine: IPCPMachine<NoLowerSide>>: LowerDriver, ~Copyable {
    package init() {}

    package var deadline: Instant? { nil }

    package mutating func attend(
        to readiness: EventLoop.Readiness, _ machine: inout Machine, now: Instant,
        events: inout [IPCPEvent<NoLowerSide>],
        actions: inout [IPCPAction<NoLowerSide>]
    ) {}

    package mutating func move(
        _ machine: inout Machine, _ loop: borrowing EventLoop, now: Instant
    ) throws(Failure) -> [FlowPort] { [] }

    package mutating func perform(
        _ action: Never, _ machine: inout Machine, _ loop: borrowing EventLoop
    ) -> Never? {}

    package mutating func count(_ machine: inout Machine) {}

    package mutating func take(
        _ offer: FlowOffer, _ arrival: inout MessageSocket.Arrival
    ) throws(Failure) -> FlowPort { throw .notSupported }
    package mutating func add(_ port: FlowPort) throws(Failure) { throw .notSupported }
    package mutating func release(_ port: FlowPort) {}
    package mutating func discard(_ port: FlowPort) {}
}
