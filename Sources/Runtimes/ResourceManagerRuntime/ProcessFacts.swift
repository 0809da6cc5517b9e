// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// What `/proc` and the file system say of processes and programs that messages name.
enum ProcessFacts {
    // Programs.

    /// What the kernel says; for a script the script, because its interpreter says nothing of it. The process says itself
    /// which one: it could as well run another, and what is bound to a script is for processes of the binder's.
    static func program(of process: ProcessID, announced: [UInt8]) -> [UInt8] {
        guard var executable = readLink("/proc/\(process)/exe") else { return announced }
        // The file was replaced or removed while it runs.
        let deleted = Array(" (deleted)".utf8)
        if executable.suffix(deleted.count).elementsEqual(deleted) { executable.removeLast(deleted.count) }
        guard isInterpreter(executable), !announced.isEmpty, !isInterpreter(announced) else { return executable }
        // Only words are compared: a file that a stranger names is not touched, it might be one that never answers.
        let slash = UInt8(ascii: "/")
        guard announced.contains(slash) else { return announced }
        if announced.first == slash { return normal(announced) }
        return readLink("/proc/\(process)/cwd").map { normal($0 + [slash] + announced) } ?? announced
    }

    /// An absolute path without `.`, `..` and empty components.
    private static func normal(_ path: [UInt8]) -> [UInt8] {
        var components: [ArraySlice<UInt8>] = []
        for component in path.split(separator: UInt8(ascii: "/")) where component != [UInt8(ascii: ".")] {
            if component == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        return components.flatMap { [UInt8(ascii: "/")] + $0 }
    }

    private static func isInterpreter(_ file: [UInt8]) -> Bool {
        let name = fileName(file)
        return name.withUnsafeBytes { bytes in
            bytes.baseAddress.map { cl_is_interpreter($0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? false
        }
    }

    /// `startedFor`: the user as whom it shall be started; nil: nobody.
    static func usability(of program: [UInt8], startedFor user: UserID?) -> SystemFact {
        guard !program.contains(0), !program.isEmpty else { return .unusable(.invalid) }
        guard program.contains(UInt8(ascii: "/")) else {
            // By base name, whatever the path: nothing that could be started.
            return user != nil ? .unusable(.noEntry) : .program(program)
        }
        // Relative to what, only who asks can know.
        guard program.first == UInt8(ascii: "/") else { return .unusable(.invalid) }
        guard let path = canonical(program) else { return .unusable(.noEntry) }
        var status = stat()
        guard withCString(path, { stat($0, &status) }) == 0 else { return .unusable(.noEntry) }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG), status.st_mode & 0o111 != 0 else {
            return .unusable(.notPermitted)
        }
        if let user, let part = changeable(path, for: user) { return .changeable(part) }
        return .program(path)
    }

    /// The part of a path without links that users other than this one, root and ours can change; nil if there is none.
    private static func changeable(_ path: [UInt8], for user: UserID) -> [UInt8]? {
        var end = path.count
        while true {
            let part = end == 0 ? [UInt8(ascii: "/")] : Array(path.prefix(end))
            var status = stat()
            guard withCString(part, { stat($0, &status) }) == 0 else { return part }
            guard status.st_uid == 0 || status.st_uid == user.rawValue || status.st_uid == geteuid() else {
                return part
            }
            // In a directory with the sticky bit nobody replaces what is another's. A user's own groups are for the user
            // to choose; root's programs are for nobody else to write.
            let isDirectory = status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
            let isSticky = isDirectory && status.st_mode & 0o1000 != 0
            let forbidden: mode_t = user == .root && status.st_gid != 0 ? 0o022 : 0o002
            guard isSticky || status.st_mode & forbidden == 0 else { return part }
            guard end > 0 else { return nil }
            end = path.prefix(end).lastIndex(of: UInt8(ascii: "/")) ?? 0
        }
    }

    // Processes.

    /// The process that made a connection. Throws ESRCH if it has ended.
    static func handle(of peer: Credentials, on socket: Int32) throws(Failure) -> ProcessHandleBox {
        let result = cl_peer_handle(socket)
        let handle: ProcessHandle
        if result >= 0 {
            handle = ProcessHandle(peer.process, owning: Descriptor(owning: result))
        } else {
            guard result == -ENOPROTOOPT else { throw Failure(result: Int(result)) }
            handle = try ProcessHandle(peer.process)
            // The number may be another process's by now; at least it is never another user's.
            guard owner(of: peer.process) == peer.user else { throw Failure(errno: ESRCH) }
        }
        guard !handle.isOver else { throw Failure(errno: ESRCH) }
        return ProcessHandleBox(peer.process, handle)
    }

    /// A process of which no more than its number is known.
    static func process(_ process: ProcessID) -> (SystemFact, ProcessHandleBox?) {
        guard process.rawValue > 0, let handle = try? ProcessHandle(process), let owner = owner(of: process),
            !handle.isOver
        else { return (.nothing, nil) }
        return (.process(owner, number: process), ProcessHandleBox(process, handle))
    }

    /// A number of a process in another PID namespace than ours.
    struct ContainedNumber: Hashable {
        let namespace: [UInt8]
        let number: ProcessID

        func with(_ number: ProcessID) -> ContainedNumber { ContainedNumber(namespace: namespace, number: number) }
    }

    /// Nil in our own namespace.
    static func containedNumber(of process: ProcessID) -> ContainedNumber? {
        guard let numbers = status(of: process, "NSpid:"), numbers.count > 1, let own = numbers.last else { return nil }
        // Where the name of the namespace must not be seen, its processes are known by their number alone.
        return ContainedNumber(
            namespace: readLink("/proc/\(process)/ns/pid") ?? [], number: ProcessID(Int32(truncatingIfNeeded: own)))
    }

    /// The effective user; nil if there is no such process.
    private static func owner(of process: ProcessID) -> UserID? {
        guard let users = status(of: process, "Uid:"), users.count > 1 else { return nil }
        return UserID(users[1])
    }

    /// The numbers of a line.
    private static func status(of process: ProcessID, _ line: String) -> [UInt32]? {
        guard process.rawValue > 0, let text = readFile("/proc/\(process)/status") else { return nil }
        for found in text.split(separator: UInt8(ascii: "\n")) where found.starts(with: Array(line.utf8)) {
            return found.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }.dropFirst()
                .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
        }
        return nil
    }

    // Files.

    static func readLink(_ path: String) -> [UInt8]? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = cl_read_link(path, &target, target.count)
        return count > 0 ? target.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }

    /// To its end, however many groups a process has; nil if it is longer than the status of any process.
    static func readFile(_ path: String) -> [UInt8]? {
        let file = cl_open(path, O_RDONLY, 0)
        guard file >= 0 else { return nil }
        defer { cl_close(file) }
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while text.count < 1 << 20 {
            let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { return nil }
            if count == 0 { return text.isEmpty ? nil : text }
            text += bytes.prefix(count)
        }
        return nil
    }

    private static func canonical(_ path: [UInt8]) -> [UInt8]? {
        guard let found = withCString(path, { realpath($0, nil) }) else { return nil }
        defer { free(found) }
        return Array(UnsafeRawBufferPointer(start: found, count: strlen(found)))
    }

    private static func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            // Never empty: it ends with a zero.
            buffer.baseAddress.map(body) ?? body([0])
        }
    }

    private static func fileName(_ path: [UInt8]) -> ArraySlice<UInt8> {
        path.lastIndex(of: UInt8(ascii: "/")).map { path[($0 + 1)...] } ?? path[...]
    }
}
