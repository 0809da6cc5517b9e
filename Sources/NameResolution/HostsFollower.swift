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
        case failure(Failure)
        case version(Version)
    }

    private let path: [CChar]
    private let own: DatagramAddress
    private var found = Found.nothing
    /// Written so short before it was read that another write may have left the same status.
    private var isFresh = false
    private var told: HostsFile?

    init(path: [UInt8], own: DatagramAddress) {
        self.path = path.map(CChar.init(bitPattern:)) + [0]
        self.own = own
    }

    /// Nil: nothing has changed.
    mutating func look() -> IPCPEvent? {
        do throws(Failure) {
            // A pipe that nobody writes to shall not hold us.
            let result = cl_open(path, O_RDONLY | O_NONBLOCK, 0)
            guard result >= 0 else { throw Failure(result: Int(result)) }
            let file = Descriptor(owning: result)
            let version = try HostsFollower.version(of: file.number)
            guard found != .version(version) || isFresh else { return nil }
            isFresh = version.isFresh(at: Clock.wallTime())
            let bytes = try HostsFollower.read(file.number, version.bytes)
            found = .version(version)
            let hosts = HostsFile(
                parsing: bytes, for: own, interface: NetworkInterface.number, isBroadcast: NetworkInterface.isBroadcast,
                digest: { NameDigest.of($0, with: .md5) })
            defer { told = hosts }
            return told == hosts ? nil : .hosts(hosts)
        } catch {
            defer {
                found = .failure(error)
                told = nil
            }
            return found == .failure(error) ? nil : .noHosts(error)
        }
    }

    private static func version(of file: Int32) throws(Failure) -> Version {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Failure(errno: cl_errno()) }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else { throw .invalid }
        guard status.st_size <= Limits.hostsBytes else { throw .messageTooLong }
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
