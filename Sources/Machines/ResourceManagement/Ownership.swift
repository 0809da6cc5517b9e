// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Who may change what. A name and an IPCP belong to the user who made them, and a flow to the users of its ends and of
/// its name: managers act on their own, irmd's user and root on all. Looking is for every manager. See ouroboros-security(7).
extension ResourceManager {
    func user(of requester: Requester) -> UserID {
        attachments.connections[requester.connection]?.credentials.user ?? identity.user
    }

    func user(of allocation: Allocation) -> UserID { book.calls[allocation.call]?.credentials.user ?? identity.user }

    /// What a message names is looked up in the system for managers only: a path can be one that never answers.
    package func mayManage(_ connection: ConnectionID) -> Bool {
        attachments.connections[connection].map { rights.mayManage($0.credentials) } ?? false
    }

    func isExempt(_ user: UserID) -> Bool { rights.isSovereign(user) }

    /// Why the request is not for this user; nil if it is.
    func trespass(_ request: ManagementRequest, by user: UserID) -> String? {
        guard !rights.isSovereign(user) else { return nil }
        switch request {
        case .bindProgram(_, let name, _, _, _), .bindProcess(_, let name), .destroyName(let name),
            .registerName(let name, _), .unregisterName(let name, _), .setName(let name, _, _):
            guard let owner = naming[name]?.owner, owner != user else { return nil }
            return "name \(name) is of uid \(owner), not yours"
        case .destroyIPCP(let ipcp), .bootstrapIPCP(let ipcp, _), .enrollIPCP(let ipcp, _),
            .connectIPCP(let ipcp, _, _, _), .disconnectIPCP(let ipcp, _, _):
            guard let owner = children[ipcp]?.owner, owner != user else { return nil }
            return "IPCP \(ipcp) is of uid \(owner), not yours"
        case .destroyFlow(let id):
            guard let flow = book.flows[id],
                ![flow.client.user, flow.server.user, naming[flow.name]?.owner].contains(user)
            else { return nil }
            return "flow \(id) is between processes of other users, to a name that is not yours"
        // Of these each binding is looked at (`mayUnbind`).
        case .unbindProgram, .unbindProcess: return nil
        case .createName, .createIPCP, .listIPCPs, .listNames, .listFlows, .listBindings, .status, .describeIPCP,
            .showFlow:
            return nil
        }
    }

    /// A binding is ended by the user whose program or process it is, and by the owner of the name.
    func mayUnbind(_ bound: UserID?, from name: ServiceName, _ requester: Requester) -> Bool {
        let user = user(of: requester)
        return rights.isSovereign(user) || bound == user || naming[name]?.owner == user
    }
}
