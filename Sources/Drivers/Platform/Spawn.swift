// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A program to be started as a child of this process, in a session of its own, and with SIGTERM as its fate when this
/// process dies.
package struct Spawn: Sendable {
    package struct Identity: Sendable {
        package let user: UserID
        package let group: GroupID
        package let groups: [GroupID]

        package init(user: UserID, group: GroupID, groups: [GroupID]) {
            self.user = user
            self.group = group
            self.groups = groups
        }
    }

    package var path: [UInt8]
    /// The program's own name is the first.
    package var arguments: [[UInt8]]
    /// `NAME=value`.
    package var environment: [[UInt8]]
    /// Nil = ours. Only root can ask for another.
    package var identity: Identity?
    package var directory: [UInt8]?
    /// A user's program, and none of ours: it gets the environment of a log-in, and no privilege of this process.
    package var isForeign = false

    package init(path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// What it has beside its arguments.
    package struct Streams: Sendable {
        /// Its descriptor 3.
        package var channel: Int32?
        /// Else ours, which is /dev/null in a daemon.
        package var input: Int32?
        /// Standard output and error, else ours.
        package var output: Int32?

        package init(channel: Int32? = nil, input: Int32? = nil, output: Int32? = nil) {
            self.channel = channel
            self.input = input
            self.output = output
        }
    }

    /// A child whose program may not run yet: its file or its directory may be on a disk that takes long.
    package final class Beginning {
        package let process: ProcessID
        private let report: Descriptor
        /// Readable when there is an outcome.
        package var descriptor: Int32 { report.number }

        fileprivate init(_ process: ProcessID, _ report: consuming Descriptor) {
            self.process = process
            self.report = report
        }

        package enum Outcome: Sendable {
            case pending
            /// Or it was killed, which its parent learns otherwise.
            case started
            case failed(RefusedCall)
        }

        package var outcome: Outcome {
            var call: UnsafePointer<CChar>?
            return switch cl_spawn_outcome(report.number, &call) {
            case 0: .started
            case 1: .pending
            case let error: .failed(RefusedCall(constant: call, Failure(result: Int(error))))
            }
        }
    }

    /// Starts it and waits until it runs.
    package func start(_ streams: Streams = Streams()) throws(RefusedCall) -> ProcessID {
        let beginning = try begin(streams)
        while true {
            switch beginning.outcome {
            case .started: return beginning.process
            case .pending: _ = cl_poll_one(beginning.descriptor, Int16(POLLIN), -1, nil, nil)
            case .failed(let refused):
                waitpid(beginning.process.rawValue, nil, 0)
                throw refused
            }
        }
    }

    /// Starts it. It gets its streams, and nothing else that is open here.
    package func begin(_ streams: Streams) throws(RefusedCall) -> Beginning {
        let words = CStrings([path] + arguments + environment + (directory.map { [$0] } ?? []))
        let argumentWords = words.table(from: 1, count: arguments.count)
        let environmentWords = words.table(from: 1 + arguments.count, count: environment.count)
        let groups = identity?.groups.map(\.rawValue) ?? []
        var report: Int32 = -1
        var call: UnsafePointer<CChar>?
        let result = groups.withUnsafeBufferPointer { groups in
            argumentWords.withUnsafeBufferPointer { arguments in
                environmentWords.withUnsafeBufferPointer { environment in
                    var child = cl_child()
                    child.path = UnsafePointer(words[0])
                    child.argv = arguments.baseAddress
                    child.envp = environment.baseAddress
                    child.channel = streams.channel ?? -1
                    child.input = streams.input ?? 0
                    child.output = streams.output ?? 0
                    child.change_identity = identity != nil
                    child.uid = identity?.user.rawValue ?? geteuid()
                    child.gid = identity?.group.rawValue ?? getegid()
                    child.groups = groups.baseAddress
                    child.group_count = Int32(groups.count)
                    child.directory = directory == nil ? nil : UnsafePointer(words[words.count - 1])
                    child.death_signal = SIGTERM
                    child.is_foreign = isForeign
                    child.has_account = isForeign
                    return cl_spawn(&child, &report, &call)
                }
            }
        }
        guard result > 0 else { throw RefusedCall(constant: call, Failure(result: Int(result))) }
        return Beginning(ProcessID(result), Descriptor(owning: report))
    }
}

/// Copies of strings as C takes them, alive as long as this is.
private final class CStrings {
    private let strings: [UnsafeMutablePointer<CChar>]

    init(_ strings: [[UInt8]]) {
        self.strings = strings.map { bytes in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[bytes.count] = 0
            return copy
        }
    }

    deinit { for string in strings { string.deallocate() } }

    var count: Int { strings.count }
    subscript(index: Int) -> UnsafeMutablePointer<CChar> { strings[index] }

    /// Some of them, and the null pointer that ends a table.
    func table(from first: Int, count: Int) -> [UnsafeMutablePointer<CChar>?] {
        Array(strings[first..<(first + count)]) + [nil]
    }
}
