// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Which file it is, whatever its names are.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let number: UInt64
    package let owner: UserID
    package let mode: UInt32
    /// None: it was removed, and lives as long as it is open.
    package let names: UInt64

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        owner = UserID(status.st_uid)
        mode = UInt32(status.st_mode)
        names = UInt64(status.st_nlink)
    }

    package init(open descriptor: Int32) throws(Failure) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(errno: cl_errno()) }
        self.init(status)
    }

    /// Of a name in an open directory; of a link itself.
    package init(_ name: String, in directory: Int32) throws(Failure) {
        var status = stat()
        guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw Failure(errno: cl_errno()) }
        self.init(status)
    }

    package func isSame(as other: FileIdentity) -> Bool { device == other.device && number == other.number }

    package var isDirectory: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
    /// By others than its owner.
    package var isWritableByOthers: Bool { mode & 0o022 != 0 }
    package var isOpenToOthers: Bool { mode & 0o077 != 0 }
}
