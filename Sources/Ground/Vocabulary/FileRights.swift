// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Whose rights it takes to open a file that somebody named to a daemon: his own. The daemon's would open files that he
/// may not read, and tell him which there are.
package struct FileRights: Hashable, Sendable {
    package let user: UserID
    package let group: GroupID
    /// Supplementary groups.
    package let groups: [GroupID]

    package init(user: UserID, group: GroupID, groups: [GroupID] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }

    package static let nobody = FileRights(user: .nobody, group: GroupID(65_534))
}
