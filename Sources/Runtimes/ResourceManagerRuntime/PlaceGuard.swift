// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// Says that an irmd lives in a directory when its files do not: somebody may have removed the lock, the socket, or all of
/// the directory. Two names outside the file system, of which the kernel knows the holder: one for the directory itself,
/// one for its path as this part of the system sees it.
///
/// Anybody can take such a name, so it is evidence only if its holder is root or this user; a stranger who takes it keeps
/// nobody from anything. The lock remains what decides between two that start at once.
struct PlaceGuard {
    private var byDirectory: OpenDescriptor?
    private let byPath: OpenDescriptor?

    init(_ directory: Int32, _ path: [UInt8]) throws(RuntimeSite.Refusal) {
        // The same path means something else in another mount namespace.
        let mounts = ProcessFacts.readLink("/proc/self/ns/mnt").map { String(decoding: $0, as: UTF8.self) } ?? ""
        byPath = try PlaceGuard.take("ouroboros/irmd/\(mounts)/\(PlaceGuard.digest(of: path))")
        byDirectory = try PlaceGuard.take(directory)
    }

    /// The path leads to another directory now.
    mutating func follow(_ directory: Int32) throws(RuntimeSite.Refusal) {
        byDirectory = try PlaceGuard.take(directory)
    }

    private static func take(_ directory: Int32) throws(RuntimeSite.Refusal) -> OpenDescriptor? {
        guard let identity = try? FileIdentity(open: directory) else { return nil }
        return try take("ouroboros/irmd/\(identity.device)/\(identity.number)")
    }

    /// Nil: a stranger has it, or there are no such names here.
    private static func take(_ name: String) throws(RuntimeSite.Refusal) -> OpenDescriptor? {
        let result = cl_listen_abstract(name)
        if result >= 0 { return OpenDescriptor(Descriptor(owning: result)) }
        guard result == -EADDRINUSE else { return nil }
        let connected = cl_connect_abstract(name)
        guard connected >= 0 else { return nil }
        let socket = Descriptor(owning: connected)
        guard let holder = holder(socket.number), holder.process.rawValue != getpid(),
            holder.user == UserID(0) || holder.user == UserID(geteuid())
        else { return nil }
        throw .alreadyRunning("\(holder.process)")
    }

    /// Who listens at the other end.
    static func holder(_ socket: Int32) -> (process: ProcessID, user: UserID)? {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        guard cl_peer(socket, &process, &user, &group) == 0 else { return nil }
        return (ProcessID(process), UserID(user))
    }

    /// A path may be longer than such a name. FNV-1a: it need not be hard to find another path, who can listen as this
    /// user needs no collision.
    private static func digest(of path: [UInt8]) -> UInt64 {
        path.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
