// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// The runtime directory of a running irmd: its lock and its socket, removed when it ends, and made again when somebody
/// else has removed them. Works on the directory that was opened and checked, whatever its path leads to later.
struct RuntimeSite: ~Copyable {
    enum Refusal: Error {
        case alreadyRunning(String)
        case failed(String)
    }

    /// Absolute, because children may have another working directory.
    let path: [UInt8]
    /// The last irmd here did not remove its socket.
    let wasStale: Bool
    /// Readable when something has changed in the directory. Nil: the kernel does not tell.
    private(set) var watch: OpenDescriptor?

    private var directory: Descriptor
    private var place: PlaceGuard
    private var lock: LockFile
    private var socket: BoundSocket
    /// Said already.
    private var trouble: String?

    /// The socket as it was bound, so that no other is removed.
    private struct BoundSocket: ~Copyable {
        let listener: Descriptor
        let identity: FileIdentity
        let wasStale: Bool
    }

    var listener: Int32 { socket.listener.number }

    init(_ path: [UInt8]) throws(Refusal) {
        let directory = try RuntimeSite.open(path)
        let absolute = RuntimeSite.path(of: directory.number) ?? path
        let place = try PlaceGuard(directory.number, absolute)
        let lock = try RuntimeSite.lock(directory.number, absolute)
        let socket = try RuntimeSite.listen(directory.number, absolute)
        self.path = absolute
        wasStale = socket.wasStale
        self.directory = directory
        self.place = place
        self.lock = lock
        self.socket = socket
        watch = RuntimeSite.watch(self.directory.number)
    }

    deinit {
        if RuntimeSite.isInPlace(socket.identity, directory.number) {
            unlinkat(directory.number, RuntimeDirectory.socketName, 0)
        }
    }

    // Somebody tidies.

    func forgetChanges() { if let watch { cl_forget_changes(watch.number) } }

    var isInOrder: Bool {
        isDirectoryInPlace && lock.isInPlace && RuntimeSite.isInPlace(socket.identity, directory.number)
    }

    /// Makes again what is missing, and returns what is to be said of it.
    mutating func restore() -> [(level: LogLevel, text: String)] {
        let shown = printable(path)
        do throws(Refusal) {
            var notices: [(level: LogLevel, text: String)] = []
            if !isDirectoryInPlace {
                try moveIn()
                notices.append((.warning, "\(shown) was removed or replaced, it is made again."))
            }
            if !lock.isInPlace {
                lock = try RuntimeSite.lock(directory.number, path)
                notices.append((.warning, "\(shown)/\(RuntimeDirectory.lockName) was removed, it is made again."))
            }
            if !RuntimeSite.isInPlace(socket.identity, directory.number) {
                socket = try RuntimeSite.listen(directory.number, path)
                notices.append((.warning, "\(shown)/\(RuntimeDirectory.socketName) was removed, it is made again."))
            }
            if trouble != nil { notices.append((.info, "\(shown) is in order again.")) }
            trouble = nil
            return notices
        } catch {
            let what: String
            switch error {
            case .alreadyRunning(let holder): what = "another irmd (\(holder)) runs in \(shown), end one of them"
            case .failed(let reason): what = reason
            }
            defer { trouble = what }
            return trouble == what ? [] : [(.error, "No new connections can reach this irmd: \(what).")]
        }
    }

    /// Into the directory that its path leads to now.
    private mutating func moveIn() throws(Refusal) {
        let directory = try RuntimeSite.open(path)
        try place.follow(directory.number)
        let lock = try RuntimeSite.lock(directory.number, path)
        let socket = try RuntimeSite.listen(directory.number, path)
        watch = RuntimeSite.watch(directory.number)
        // The directory may live on under another name.
        RuntimeSite.remove(self.socket.identity, self.directory.number)
        self.directory = directory
        self.lock = lock
        self.socket = socket
    }

    private var isDirectoryInPlace: Bool {
        guard let ours = try? FileIdentity(open: directory.number), ours.names > 0 else { return false }
        let found = withCString(path) { cl_open_directory($0) }
        guard found >= 0 else { return false }
        let there = Descriptor(owning: found)
        return (try? FileIdentity(open: there.number))?.isSame(as: ours) == true
    }

    // Parts.

    /// The directory must be ours and closed to writers, else others could put a socket of theirs in its place.
    private static func open(_ path: [UInt8]) throws(Refusal) -> Descriptor {
        let user = geteuid()
        let shown = printable(path)
        let advice = "; --runtime-dir or \(RuntimeDirectory.variable) can name another directory"
        if withCString(path, { mkdir($0, user == 0 ? 0o755 : 0o700) }) < 0 {
            let failure = Failure(errno: cl_errno())
            guard failure == .exists else { throw .failed("cannot create \(shown): \(failure)\(advice)") }
        }
        let opened = withCString(path) { cl_open_directory($0) }
        guard opened >= 0 else {
            throw .failed("cannot use \(shown): \(Failure(result: Int(opened)))\(advice)")
        }
        let directory = Descriptor(owning: opened)
        let identity: FileIdentity
        do throws(Failure) {
            identity = try FileIdentity(open: opened)
        } catch {
            throw .failed("cannot use \(shown): \(error)\(advice)")
        }
        guard identity.owner == UserID(user) || identity.owner == UserID(0) else {
            throw .failed("\(shown) belongs to user \(identity.owner)\(advice)")
        }
        guard !identity.isWritableByOthers else {
            throw .failed("\(shown) can be written by others: chmod go-w it\(advice)")
        }
        return directory
    }

    private static func lock(_ directory: Int32, _ path: [UInt8]) throws(Refusal) -> LockFile {
        do throws(LockFile.Refusal) {
            return try LockFile(RuntimeDirectory.lockName, in: directory)
        } catch {
            switch error {
            case .held(let holder): throw .alreadyRunning(holder ?? "starting")
            case .failed(let failure):
                throw .failed("cannot lock \(printable(path))/\(RuntimeDirectory.lockName): \(failure)")
            }
        }
    }

    /// A socket at which nobody listens is what an irmd that was killed has left.
    private static func listen(
        _ directory: Int32, _ path: [UInt8]
    ) throws(Refusal) -> BoundSocket {
        let shown = printable(path) + "/" + RuntimeDirectory.socketName
        let living = cl_connect_in(directory, RuntimeDirectory.socketName)
        if living >= 0 {
            let socket = Descriptor(owning: living)
            throw .alreadyRunning(PlaceGuard.holder(socket.number).map { "\($0.process)" } ?? "unknown")
        }
        // Its backlog is full, so there is one.
        guard living != -EAGAIN else { throw .alreadyRunning("busy") }
        guard living != -EPROTOTYPE else { throw .failed("something else listens at \(shown)") }
        _ = RefusedCall.taken()
        let wasStale = unlinkat(directory, RuntimeDirectory.socketName, 0) == 0
        let result = cl_listen_in(directory, RuntimeDirectory.socketName, 0o666)
        guard result >= 0 else {
            let cause = RefusedCall.taken().map { "\($0)" } ?? "\(Failure(result: Int(result)))"
            throw .failed("cannot listen at \(shown): \(cause)")
        }
        let listener = Descriptor(owning: result)
        do throws(Failure) {
            let identity = try FileIdentity(RuntimeDirectory.socketName, in: directory)
            return BoundSocket(listener: listener, identity: identity, wasStale: wasStale)
        } catch {
            throw .failed("cannot listen at \(shown): \(error)")
        }
    }

    private static func isInPlace(_ socket: FileIdentity, _ directory: Int32) -> Bool {
        (try? FileIdentity(RuntimeDirectory.socketName, in: directory))?.isSame(as: socket) == true
    }

    /// If it still is ours.
    private static func remove(_ socket: FileIdentity, _ directory: Int32) {
        if isInPlace(socket, directory) { unlinkat(directory, RuntimeDirectory.socketName, 0) }
    }

    private static func watch(_ directory: Int32) -> OpenDescriptor? {
        let result = cl_watch_directory(directory)
        return result >= 0 ? OpenDescriptor(Descriptor(owning: result)) : nil
    }

    private static func path(of directory: Int32) -> [UInt8]? {
        guard let path = ProcessFacts.readLink("/proc/self/fd/\(directory)"), path.first == UInt8(ascii: "/") else {
            return nil
        }
        return path
    }
}
