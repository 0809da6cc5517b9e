// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Cryptography
import Platform
import Shims
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
        case obstacle(FileObstacle)
        case version(Version)
    }

    private let path: [CChar]
    private let own: DatagramAddress
    private let rights: FileRights
    private var hasRights: Result<Void, FileObstacle>?
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
    mutating func look() -> DatagramLower.Event? {
        do throws(FileObstacle) {
            try takeRights()
            guard let bytes = try changes() else { return nil }
            let hosts = HostsFile(
                parsing: bytes, for: own, interface: NetworkInterface.number, isBroadcast: NetworkInterface.isBroadcast,
                digest: { NameDigest.of($0, with: DatagramParameters.hash) })
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

    private mutating func takeRights() throws(FileObstacle) {
        let result = hasRights ?? NamedFile.take(rights)
        hasRights = result
        try result.get()
    }

    /// What the file holds, if that may be another than last time.
    private mutating func changes() throws(FileObstacle) -> [UInt8]? {
        for _ in 0..<HostsFollower.looks {
            let file = try NamedFile.open(path)
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

    private static func version(of file: Int32) throws(FileObstacle) -> Version {
        let status = try NamedFile.status(of: file)
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
