// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Shims
import Vocabulary

/// Files that somebody has named to this daemon. A thread of its own opens each, and has from then on the rights of the user
/// who named the file.
enum NamedFile {
    /// Changes the rights of the calling thread for good.
    static func take(_ rights: FileRights) -> Result<Void, FileObstacle> {
        let own = geteuid()
        // Root may read what we may.
        if rights.user == .root || rights.user.rawValue == own { return .success(()) }
        guard own == 0 else { return .failure(.foreignRights(user: UserID(own))) }
        let groups = rights.groups.map(\.rawValue)
        let result = cl_thread_rights(rights.user.rawValue, rights.group.rawValue, groups, groups.count)
        return result == 0 ? .success(()) : .failure(.failure(Failure(result: Int(result))))
    }

    /// Nil: it can be read. Takes the rights.
    static func obstacle(at path: [UInt8], by rights: FileRights) -> FileObstacle? {
        do throws(FileObstacle) {
            try take(rights).get()
            let file = try open(path.map(CChar.init(bitPattern:)) + [0])
            _ = try status(of: file.number)
            return nil
        } catch {
            return error
        }
    }

    /// Looks before it opens, because to open a device or a pipe does something to it, and never waits for anybody: not for
    /// a writer, and not for who has a lease.
    static func open(_ path: [CChar]) throws(FileObstacle) -> Descriptor {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .failure(Failure(errno: cl_errno())) }
        guard isRegular(status) else { throw .notRegular }
        let result = cl_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard result >= 0 else { throw .failure(Failure(result: Int(result))) }
        let file = Descriptor(owning: result)
        guard !cl_is_made_up(file.number) else { throw .notRegular }
        return file
    }

    /// What the system says of an ordinary file that is no longer than `Limits.namedFileBytes`.
    static func status(of file: Int32) throws(FileObstacle) -> stat {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .failure(Failure(errno: cl_errno())) }
        guard isRegular(status) else { throw .notRegular }
        guard status.st_size <= Limits.namedFileBytes else { throw .tooLong }
        return status
    }

    private static func isRegular(_ status: stat) -> Bool { status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) }
}
