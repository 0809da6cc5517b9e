// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// A program to be started as a child of this process, with a process group of its own, and with SIGTERM as its fate
/// when this process dies.
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

    package init(path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts it; returns when it runs. It gets `channel` as its descriptor 3, `input` as standard input (else ours, which
    /// is /dev/null in a daemon), and nothing else that is open here.
    package func start(channel: Int32? = nil, input: Int32? = nil) throws(Failure) -> ProcessID {
        let words = CStrings([path] + arguments + environment + (directory.map { [$0] } ?? []))
        let argumentWords = words.table(from: 1, count: arguments.count)
        let environmentWords = words.table(from: 1 + arguments.count, count: environment.count)
        let groups = identity?.groups.map(\.rawValue) ?? []
        let result = groups.withUnsafeBufferPointer { groups in
            argumentWords.withUnsafeBufferPointer { arguments in
                environmentWords.withUnsafeBufferPointer { environment in
                    var child = cl_child()
                    child.path = UnsafePointer(words[0])
                    child.argv = arguments.baseAddress
                    child.envp = environment.baseAddress
                    child.channel = channel ?? -1
                    child.input = input ?? 0
                    child.change_identity = identity != nil
                    child.uid = identity?.user.rawValue ?? 0
                    child.gid = identity?.group.rawValue ?? 0
                    child.groups = groups.baseAddress
                    child.group_count = Int32(groups.count)
                    child.directory = directory == nil ? nil : UnsafePointer(words[words.count - 1])
                    child.death_signal = SIGTERM
                    child.own_group = true
                    return cl_spawn(&child)
                }
            }
        }
        guard result > 0 else { throw Failure(result: Int(result)) }
        return ProcessID(result)
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
