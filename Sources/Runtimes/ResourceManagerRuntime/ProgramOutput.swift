// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// What a program writes that irmd started: a pipe of its own, never irmd's terminal or log file, which it could take over
/// or cut. Read in pieces into lines.
final class ProgramOutput {
    let process: ProcessID
    let user: UserID
    /// The name of the program.
    let name: String
    private let pipe: Descriptor
    private var rest: [UInt8] = []

    var number: Int32 { pipe.number }

    init(of process: ProcessID, _ user: UserID, _ program: [UInt8], _ pipe: consuming Descriptor) {
        self.process = process
        self.user = user
        let base = program.lastIndex(of: UInt8(ascii: "/")).map { program[($0 + 1)...] } ?? program[...]
        name = printable(base.prefix(Limits.reportedBytes))
        self.pipe = pipe
    }

    enum Reading {
        case more
        case nothingNow
        case ended
    }

    /// Reads what is there, up to a bound, and appends the lines that are complete; at the end also the last one.
    func read(into lines: inout [[UInt8]]) -> Reading {
        let (count, errno) = withUnsafeTemporaryAllocation(byteCount: Limits.outputBytes, alignment: 1) { buffer in
            let count = CLinux.read(pipe.number, buffer.baseAddress, buffer.count)
            let errno = cl_errno()
            if count > 0 { split(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &lines) }
            return (count, errno)
        }
        if count > 0 { return .more }
        if count < 0, errno == EAGAIN || errno == EINTR { return .nothingNow }
        if !rest.isEmpty { lines.append(rest) }
        rest = []
        return .ended
    }

    private func split(_ bytes: UnsafeRawBufferPointer, into lines: inout [[UInt8]]) {
        for byte in bytes {
            if byte != UInt8(ascii: "\n") { rest.append(byte) }
            guard byte == UInt8(ascii: "\n") || rest.count == Limits.outputLineBytes else { continue }
            if !rest.isEmpty { lines.append(rest) }
            rest.removeAll(keepingCapacity: true)
        }
    }
}
