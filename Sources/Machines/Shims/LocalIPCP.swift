// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Vocabulary

/// The layer of one host. Flows between its members need no IPCP in their path: this one knows the names and keeps the
/// books of the flows. design: flow-memory §6
package struct LocalIPCP: IPCPMachine {
    private enum State: Sendable {
        case initialised
        case bootstrapped(LayerConfiguration)
    }

    /// The descriptors of both ends, as the log counts them; the second when the flow is allocated.
    private struct LocalFlow: Sendable {
        let first: UInt32
        var second: UInt32?
    }

    private var state = State.initialised
    private var registered: Set<[UInt8]> = []
    private var flows: [FlowID: LocalFlow] = [:]
    /// Two for each flow id that there can be.
    private var descriptors = LowestFree(from: UInt32(Limits.firstDescriptor), below: 1 << 20)

    package init() {}

    package var deadline: Instant? { nil }

    package mutating func handle(
        _ event: IPCPEvent<NoLowerSide>, now: Instant, into actions: inout [IPCPAction<NoLowerSide>]
    ) {
        switch event {
        case .request(let request): answer(request, into: &actions)
        // A layer of one host carries no packets.
        case .offered, .ended, .timeout, .ending: break
        }
    }

    private mutating func answer(_ request: IPCPRequest, into actions: inout [IPCPAction<NoLowerSide>]) {
        switch request {
        case .bootstrap(let id, let configuration, _): bootstrap(id, configuration, into: &actions)
        case .enroll(let id, _): refuse(id, .notSupported, "a local layer has no other members", into: &actions)
        case .connect(let id, _, _, _), .disconnect(let id, _, _):
            refuse(id, .notSupported, "a local layer has no connections", into: &actions)
        case .register(let id, let hash): register(id, hash, into: &actions)
        case .unregister(let id, let hash): unregister(id, hash, into: &actions)
        case .query(let id, let hash, _):
            if registered.contains(hash) {
                actions.append(.reply(.succeeded(id)))
            } else {
                // An answer, not a mistake: nothing for the log.
                actions.append(.reply(.failed(id, .name, reason: Array("the name is not registered here".utf8))))
            }
        case .flowRequested(let flow, let hash): flowRequested(flow, hash, into: &actions)
        case .flowAllocated(let flow): flowAllocated(flow, into: &actions)
        case .flowEnded(let flow): flowEnded(flow, into: &actions)
        case .describe(let id): actions.append(.reply(.described(id, LayerStatus())))
        case .allocate, .accept, .reject, .askAgain, .recognised: break
        }
    }

    private mutating func bootstrap(
        _ id: RequestID, _ configuration: LayerConfiguration, into actions: inout [IPCPAction<NoLowerSide>]
    ) {
        guard case .initialised = state else {
            return refuse(id, .ipcpState, IPCPRefusal.bootstrapped, into: &actions)
        }
        guard configuration.parameters == .local else {
            return refuse(id, .ipcpType, IPCPRefusal.otherType(.local), into: &actions)
        }
        if let fault = configuration.fault { return refuse(id, .invalid, fault.description, into: &actions) }
        state = .bootstrapped(configuration)
        actions += [
            .report(.bootstrapping), .report(.bootstrapped(configuration)), .report(.layerType(.local)),
            .report(.layerHash(configuration.hash)), .reply(.succeeded(id)),
        ]
    }

    private mutating func register(_ id: RequestID, _ hash: [UInt8], into actions: inout [IPCPAction<NoLowerSide>]) {
        guard hasRightLength(hash, id, into: &actions) else { return }
        guard registered.count < Limits.names || registered.contains(hash) else {
            return refuse(id, .tableFull, "there are too many names", into: &actions)
        }
        registered.insert(hash)
        actions += [
            .report(.registering(hash: hash)), .report(.registered(hash: hash)), .reply(.succeeded(id)),
        ]
    }

    private mutating func unregister(_ id: RequestID, _ hash: [UInt8], into actions: inout [IPCPAction<NoLowerSide>]) {
        guard registered.remove(hash) != nil else {
            return refuse(id, .name, "the name is not registered here", into: &actions)
        }
        actions += [.report(.unregistered(hash: hash)), .reply(.succeeded(id))]
    }

    private mutating func hasRightLength(
        _ hash: [UInt8], _ id: RequestID, into actions: inout [IPCPAction<NoLowerSide>]
    ) -> Bool {
        guard case .bootstrapped(let configuration) = state else {
            refuse(id, .ipcpState, IPCPRefusal.notBootstrapped, into: &actions)
            return false
        }
        guard hash.count == configuration.hash.bytes else {
            refuse(id, .invalid, "a hash of this layer has \(configuration.hash.bytes) bytes", into: &actions)
            return false
        }
        return true
    }

    private mutating func refuse(
        _ id: RequestID, _ failure: Failure, _ reason: String, into actions: inout [IPCPAction<NoLowerSide>]
    ) {
        actions += [.report(.refused(reason)), .reply(.failed(id, failure, reason: Array(reason.utf8)))]
    }

    // Flows: irmd tells of them one way, and has them whatever we say.

    private mutating func flowRequested(_ flow: FlowID, _ hash: [UInt8], into actions: inout [IPCPAction<NoLowerSide>])
    {
        guard flows[flow] == nil, let first = descriptors.take() else { return }
        flows[flow] = LocalFlow(first: first)
        actions.append(.report(.allocatingFlow(hash: hash, descriptor(first), .local)))
    }

    private mutating func flowAllocated(_ flow: FlowID, into actions: inout [IPCPAction<NoLowerSide>]) {
        guard let known = flows[flow], known.second == nil, let second = descriptors.take() else { return }
        flows[flow]?.second = second
        actions.append(.report(.flowAllocated(descriptor(known.first), descriptor(second), .local)))
    }

    private mutating func flowEnded(_ flow: FlowID, into actions: inout [IPCPAction<NoLowerSide>]) {
        guard let known = flows.removeValue(forKey: flow) else { return }
        descriptors.giveBack(known.first)
        if let second = known.second { descriptors.giveBack(second) }
        actions.append(.report(.flowEnded(descriptor(known.first), known.second.map(descriptor), .local)))
    }

    private func descriptor(_ number: UInt32) -> FlowDescriptor { FlowDescriptor(Int32(number)) }
}
