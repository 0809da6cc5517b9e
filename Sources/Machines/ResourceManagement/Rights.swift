// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Who may do what. design: flow-memory §6
struct Rights: Sendable {
    /// irmd's own user.
    let manager: UserID
    /// The group `ouroboros`, if this host has it.
    let managers: GroupID?

    /// Management needs irmd's user, root, or the group.
    func mayManage(_ credentials: Credentials) -> Bool {
        if isSovereign(credentials.user) { return true }
        guard let managers else { return false }
        return credentials.group == managers || credentials.groups.contains(managers)
    }

    /// A process can be bound by its own user, irmd's user and root.
    func mayBind(processOf owner: UserID, by credentials: Credentials) -> Bool {
        owner == credentials.user || isSovereign(credentials.user)
    }

    /// A program binding serves processes of the user who bound it, and of root.
    static func serves(binder: UserID, processOf user: UserID) -> Bool { user == binder || user == .root }

    /// Root and irmd's user: no other user's rights bound theirs.
    func isSovereign(_ user: UserID) -> Bool { user == manager || user == .root }
}
