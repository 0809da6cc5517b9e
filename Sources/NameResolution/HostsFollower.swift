// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Cryptography
import IPCP
import Platform
import Vocabulary

/// Looks whether a hosts file has changed, and reads it then. By its status, which is the same on every file system and
/// behind every link, where inotify(7) tells of one inode.
struct HostsFollower {
    /// What changes with a file.
    private struct Version: Equatable {
        let device: UInt
        let inode: UInt
        let bytes: Int
        let modified: [Int]

        /// Also if it comes from the future.
        func isFresh(at now: WallTime) -> Bool { modified[0] >= Int(now.nanoseconds / 1_000_000_000) - 1 }
    }

    private enum Found: Equatable {
        case nothing
        case obstacle(HostsFile.Obstacle)
        case version(Version)
    }

    private let path: [CChar]
    private let own: DatagramAddress
    private let rights: FileRights
    private var hasRights: Result<Void, HostsFile.Obstacle>?
    private var found = Found.nothing
    /// Written so short before it was read that another write may have left the same status.
    private var isFresh = false
    private var told: HostsFile?
    /// Looks at a file that is being written, before what there is counts.
    private static let looks = 5
    private static let pause = TimeSpan(milliseconds: 20)

    /// Of a thread of its own, whose rights it changes for good.
    init(path: [UInt8], own: DatagramAddress, rights: FileRights) {
        self.path = path.map(CChar.init(bitPattern:)) + [0]
        self.own = own
        self.rights = rights
    }

    /// Nil: nothing has changed.
    mutating func look() -> IPCPEvent? {
        do throws(HostsFile.Obstacle) {
            try takeRights()
            guard let bytes = try changes() else { return nil }
            let hosts = HostsFile(
                parsing: bytes, for: own, interface: NetworkInterface.number, isBroadcast: NetworkInterface.isBroadcast,
                digest: { NameDigest.of($0, with: .md5) })
            defer { told = hosts }
            return told == hosts ? nil : .hosts(hosts)
        } catch {
            defer {
                found = .obstacle(error)
                told = nil
            }
            return found == .obstacle(error) ? nil : .noHosts(error)
        }
    }

    private mutating func takeRights() throws(HostsFile.Obstacle) {
        let result = hasRights ?? HostsFollower.take(rights)
        hasRights = result
        try result.get()
    }

    private static func take(_ rights: FileRights) -> Result<Void, HostsFile.Obstacle> {
        let own = geteuid()
        // Root may read what we may.
        if rights.user == .root || rights.user.rawValue == own { return .success(()) }
        guard own == 0 else { return .failure(.foreignRights(user: UserID(own))) }
        let groups = rights.groups.map(\.rawValue)
        let result = cl_thread_rights(rights.user.rawValue, rights.group.rawValue, groups, groups.count)
        return result == 0 ? .success(()) : .failure(.failure(Failure(result: Int(result))))
    }

    /// What the file holds, if that may be another than last time.
    private mutating func changes() throws(HostsFile.Obstacle) -> [UInt8]? {
        for _ in 0..<HostsFollower.looks {
            let file = try HostsFollower.open(path)
            let version = try HostsFollower.version(of: file.number)
            guard found != .version(version) || isFresh else { return nil }
            isFresh = version.isFresh(at: Clock.wallTime())
            let bytes: [UInt8]
            do throws(Failure) {
                bytes = try HostsFollower.read(file.number, version.bytes)
            } catch {
                throw .failure(error)
            }
            // A part of a file is none: who writes it may be in the middle.
            if try HostsFollower.version(of: file.number) == version, bytes.count == version.bytes {
                found = .version(version)
                return bytes
            }
            cl_sleep_nanoseconds(HostsFollower.pause.nanoseconds)
        }
        throw .unsteady
    }

    /// Looks before it opens, because to open a device or a pipe does something to it, and never waits for anybody: not for
    /// a writer, and not for who has a lease.
    private static func open(_ path: [CChar]) throws(HostsFile.Obstacle) -> Descriptor {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .failure(Failure(errno: cl_errno())) }
        guard isRegular(status) else { throw .notRegular }
        let result = cl_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard result >= 0 else { throw .failure(Failure(result: Int(result))) }
        let file = Descriptor(owning: result)
        guard !cl_is_made_up(file.number) else { throw .notRegular }
        return file
    }

    private static func isRegular(_ status: stat) -> Bool { status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) }

    private static func version(of file: Int32) throws(HostsFile.Obstacle) -> Version {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .failure(Failure(errno: cl_errno())) }
        guard isRegular(status) else { throw .notRegular }
        guard status.st_size <= Limits.hostsBytes else { throw .tooLong }
        return Version(
            device: status.st_dev, inode: status.st_ino, bytes: status.st_size,
            modified: [
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ])
    }

    /// At most `count` bytes: what is appended meanwhile makes another version.
    private static func read(_ file: Int32, _ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let result = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: filled), count - filled, filled)
            }
            guard result >= 0 else {
                let error = cl_errno()
                if error == EINTR { continue }
                throw Failure(errno: error)
            }
            guard result > 0 else { break }
            filled += result
        }
        return Array(bytes.prefix(filled))
    }
}
