// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// What `irm(8)` and `irm_*(3)` ask.
extension ResourceManager {
    mutating func manage(
        _ request: ManagementRequest, _ fact: SystemFact, _ requester: Requester, _ credentials: Credentials
    ) {
        guard rights.mayManage(credentials) else {
            report(.peer(.notPermitted(credentials.process, credentials.user)))
            return fail(
                requester, .notPermitted,
                "management is for uid \(identity.user), root, and members of the group ouroboros")
        }
        if let reason = trespass(request, by: credentials.user) { return fail(requester, .notPermitted, reason) }
        switch request {
        case .createIPCP(let name, let type): createIPCP(name, type, for: requester)
        case .destroyIPCP(let ipcp): destroyIPCP(ipcp, for: requester)
        case .bootstrapIPCP(let ipcp, let configuration):
            bootstrapIPCP(ipcp, configuration, by: credentials, for: requester)
        case .enrollIPCP(let ipcp, let destination): enrollIPCP(ipcp, destination, for: requester)
        case .connectIPCP(let ipcp, let destination, let component, let quality):
            connectIPCP(ipcp, destination, component, quality, for: requester)
        case .disconnectIPCP(let ipcp, let destination, let component):
            disconnectIPCP(ipcp, destination, component, for: requester)
        case .listIPCPs(let from): listIPCPs(from: from, for: requester)
        case .bindProgram(let program, let name, let autoStart, let arguments, let directory):
            let recipe = StartRecipe(
                arguments: arguments, directory: directory, group: credentials.group, groups: credentials.groups)
            bindProgram(
                program, fact, to: name, autoStart ? recipe : nil, user: credentials.user, for: requester)
        case .unbindProgram(let program, let otherwise, let name):
            unbindProgram(program, otherwise: otherwise, from: name, for: requester)
        case .bindProcess(let process, let name):
            bindProcess(process, fact, to: name, by: credentials, for: requester)
        case .unbindProcess(let process, let name): unbindProcess(process, from: name, for: requester)
        case .createName(let settings): createName(settings, for: requester)
        case .destroyName(let name): destroyName(name, for: requester)
        case .listNames(let from): listNames(from: from, for: requester)
        case .registerName(let name, let ipcp): registerName(name, with: ipcp, for: requester)
        case .unregisterName(let name, let ipcp): unregisterName(name, with: ipcp, for: requester)
        case .listFlows(let from): listFlows(from: from, for: requester)
        case .status: sendStatus(for: requester)
        case .describeIPCP(let ipcp): describeIPCP(ipcp, for: requester)
        case .listBindings(let from): listBindings(from: from, for: requester)
        case .setName(let name, let balancing, let wait): setName(name, balancing, wait, for: requester)
        case .destroyFlow(let flow): destroyFlow(flow, by: credentials.user, for: requester)
        case .showFlow(let flow): showFlow(flow, for: requester)
        }
    }
}
