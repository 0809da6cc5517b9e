// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// What `/proc` and the file system say of processes and programs that messages name.
enum ProcessFacts {
    /// What the machine must know to judge the message.
    /// `found`: of the process that `bindProcess` names.
    static func finding(
        for message: ProcessMessage, from process: ProcessID, _ found: inout ProcessHandleBox?
    ) -> Finding {
        switch message {
        case .hello(let hello):
            guard hello.role != .management else { return .nothing }
            return .program(program(of: process, announced: hello.program))
        case .manage(_, .bindProcess(let process, _)):
            guard process.rawValue > 0, let handle = try? ProcessHandle(process), let owner = owner(of: process),
                !handle.isOver
            else { return .nothing }
            found = ProcessHandleBox(process, handle)
            return .process(owner)
        case .manage(_, .bindProgram(let program, _, let autoStart, _, _)):
            return usability(of: program, autoStart: autoStart)
        case .manage, .allocate, .accept, .join, .taken, .refused, .deallocate: return .nothing
        }
    }

    // Programs.

    /// What the kernel says; for a script the script, because its interpreter says nothing of it. The process says itself
    /// which one: it could as well run another, and what is bound to a script is for processes of the binder's.
    private static func program(of process: ProcessID, announced: [UInt8]) -> [UInt8] {
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

    private static func usability(of program: [UInt8], autoStart: Bool) -> Finding {
        guard !program.contains(0), !program.isEmpty else { return .unusable(.invalid) }
        guard program.contains(UInt8(ascii: "/")) else {
            // By base name, whatever the path: nothing that could be started.
            return autoStart ? .unusable(.noEntry) : .program(program)
        }
        // Relative to what, only who asks can know.
        guard program.first == UInt8(ascii: "/") else { return .unusable(.invalid) }
        guard let path = canonical(program) else { return .unusable(.noEntry) }
        var status = stat()
        guard withCString(path, { stat($0, &status) }) == 0 else { return .unusable(.noEntry) }
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG), status.st_mode & 0o111 != 0 else {
            return .unusable(.notPermitted)
        }
        return .program(path)
    }

    // Processes.

    /// The process that made a connection. Throws ESRCH if it has ended.
    static func handle(of peer: Credentials, on socket: Int32) throws(Failure) -> ProcessHandleBox {
        let result = cl_peer_handle(socket, peer.process.rawValue)
        guard result >= 0 else { throw Failure(result: Int(result)) }
        let handle = ProcessHandle(owning: Descriptor(owning: result))
        guard !handle.isOver else { throw Failure(errno: ESRCH) }
        return ProcessHandleBox(peer.process, handle)
    }

    /// The effective user; nil if there is no such process.
    private static func owner(of process: ProcessID) -> UserID? {
        guard process.rawValue > 0, let text = readFile("/proc/\(process)/status") else { return nil }
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: Array("Uid:".utf8)) {
            let numbers = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }.dropFirst()
            return numbers.dropFirst().first.flatMap { UInt32(String(decoding: $0, as: UTF8.self)) }.map(UserID.init)
        }
        return nil
    }

    // Files.

    static func readLink(_ path: String) -> [UInt8]? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &target, target.count)
        return count > 0 ? target.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }

    private static func readFile(_ path: String) -> [UInt8]? {
        let file = cl_open(path, O_RDONLY, 0)
        guard file >= 0 else { return nil }
        defer { cl_close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        return count > 0 ? Array(bytes.prefix(count)) : nil
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
