// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Sees to it that one irmd runs in a directory. The lock is the kernel's, so it ends with its holder however that
/// ends; the file only says who the holder is.
package struct LockFile: ~Copyable {
    package enum Refusal: Error {
        /// Nil if it has not written its pid yet.
        case held(by: String?)
        case failed(Failure)
    }

    private let file: Descriptor
    private let path: String

    package init(_ path: String) throws(Refusal) {
        self.path = path
        while true {
            let number = cl_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644)
            guard number >= 0 else { throw .failed(Failure(result: Int(number))) }
            let file = Descriptor(owning: number)
            guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
                let errno = cl_errno()
                guard errno == EWOULDBLOCK else { throw .failed(Failure(errno: errno)) }
                throw .held(by: LockFile.holder(file.number))
            }
            // A holder that ended meanwhile removed the file that we have locked: then it protects nothing.
            guard LockFile.isSame(file.number, path) else { continue }
            let text = Array("\(getpid())\n".utf8)
            guard ftruncate(file.number, 0) == 0, pwrite(file.number, text, text.count, 0) == text.count else {
                throw .failed(Failure(errno: cl_errno()))
            }
            self.file = file
            return
        }
    }

    /// While the lock is held, so that nobody's else is removed.
    deinit { unlink(path) }

    private static func holder(_ file: Int32) -> String? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &text, text.count, 0)
        guard count > 0 else { return nil }
        let digits = text.prefix(count).prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    private static func isSame(_ file: Int32, _ path: String) -> Bool {
        var ours = stat()
        var theirs = stat()
        guard fstat(file, &ours) == 0, lstat(path, &theirs) == 0 else { return false }
        return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev
    }
}
