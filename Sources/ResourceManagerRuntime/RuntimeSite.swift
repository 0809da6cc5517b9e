// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// The runtime directory of a running irmd: its lock and its socket, removed when it ends.
struct RuntimeSite: ~Copyable {
    enum Refusal: Error {
        case alreadyRunning(String)
        case failed(String)
    }

    /// Absolute, because children may have another working directory.
    let directory: String
    let listener: Descriptor
    /// The last irmd here did not remove its socket.
    let wasStale: Bool
    private let lock: LockFile

    init(_ directory: String) throws(Refusal) {
        try RuntimeSite.prepare(directory)
        let directory = try RuntimeSite.absolute(directory)
        let lock: LockFile
        do throws(LockFile.Refusal) {
            lock = try LockFile(directory + "/" + RuntimeDirectory.lockName)
        } catch {
            switch error {
            case .held(let holder): throw .alreadyRunning(holder ?? "starting")
            case .failed(let failure):
                throw .failed("cannot lock \(directory)/\(RuntimeDirectory.lockName): \(failure)")
            }
        }
        let path = directory + "/" + RuntimeDirectory.socketName
        // Nobody listens on it: who holds the lock is the only irmd here.
        let wasStale = unlink(path) == 0
        let listener = cl_listen(path, 0o666)
        guard listener >= 0 else { throw .failed("cannot listen on \(path): \(Failure(result: Int(listener)))") }
        self.directory = directory
        self.listener = Descriptor(owning: listener)
        self.wasStale = wasStale
        self.lock = lock
    }

    deinit { unlink(directory + "/" + RuntimeDirectory.socketName) }

    private static func absolute(_ directory: String) throws(Refusal) -> String {
        guard let path = realpath(directory, nil) else {
            throw .failed("cannot use \(directory): \(Failure(errno: cl_errno()))")
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// The directory must be ours and closed to writers, else others could put a socket of theirs in its place.
    private static func prepare(_ directory: String) throws(Refusal) {
        let user = geteuid()
        if mkdir(directory, user == 0 ? 0o755 : 0o700) < 0 {
            let failure = Failure(errno: cl_errno())
            guard failure == .exists else { throw .failed("cannot create \(directory): \(failure)") }
        }
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .failed("cannot use \(directory): \(Failure(errno: cl_errno()))")
        }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) else {
            throw .failed("\(directory) is not a directory")
        }
        guard status.st_uid == user || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw .failed("\(directory) belongs to somebody else or can be written by others")
        }
    }
}
