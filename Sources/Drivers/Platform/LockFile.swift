// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Sees to it that one irmd runs in a directory. The lock is the kernel's, so it ends with its holder however that
/// ends; the file only says who the holder is. Nobody else can open the file, and so nobody else can hold the lock.
package struct LockFile: ~Copyable {
    package enum Refusal: Error {
        /// Nil if it has not written its pid yet.
        case held(by: String?)
        case failed(RefusedCall)
    }

    private let file: Descriptor
    private let name: String
    private let directory: Descriptor

    /// In an open directory.
    package init(_ name: String, in directory: Int32) throws(Refusal) {
        let copy = cl_duplicate(directory)
        guard copy >= 0 else { throw .failed(RefusedCall("fcntl", Failure(result: Int(copy)))) }
        let directory = Descriptor(owning: copy)
        // A holder may end, and a file be replaced, again and again; nobody shall keep us here.
        for _ in 0..<100 {
            let number = cl_open_at(directory.number, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard number >= 0 else { throw .failed(RefusedCall("open", Failure(result: Int(number)))) }
            let file = Descriptor(owning: number)
            guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
                let errno = cl_errno()
                guard errno == EWOULDBLOCK else { throw .failed(RefusedCall("flock", Failure(errno: errno))) }
                if LockFile.replaceOpened(file.number, name, directory.number) { continue }
                throw .held(by: LockFile.holder(file.number))
            }
            // A holder that ended meanwhile removed the file that we have locked: then it protects nothing.
            guard LockFile.isSame(file.number, name, directory.number) else { continue }
            let text = Array("\(getpid())\n".utf8)
            // It is new, or was made so; where it was not, it is not evidence to the next one either. What follows the
            // number means nothing.
            fchmod(file.number, 0o600)
            ftruncate(file.number, 0)
            guard pwrite(file.number, text, text.count, 0) == text.count else {
                let failure = Failure(errno: cl_errno())
                unlinkat(directory.number, name, 0)
                throw .failed(RefusedCall("write", failure))
            }
            self.file = file
            self.name = name
            self.directory = directory
            return
        }
        throw .failed(RefusedCall("flock", .busy))
    }

    /// If it still is ours, so that nobody's else is removed.
    deinit { if isInPlace { unlinkat(directory.number, name, 0) } }

    /// Whether the name still stands for the file that is locked.
    package var isInPlace: Bool { LockFile.isSame(file.number, name, directory.number) }

    /// Others can open a file that an earlier version made, and hold its lock for ever. Such a file is no evidence: another
    /// one takes its place, and whether an irmd lives is found out otherwise.
    private static func replaceOpened(_ file: Int32, _ name: String, _ directory: Int32) -> Bool {
        guard let identity = try? FileIdentity(open: file), identity.isOpenToOthers, isSame(file, name, directory)
        else {
            return false
        }
        return unlinkat(directory, name, 0) == 0
    }

    private static func holder(_ file: Int32) -> String? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &text, text.count, 0)
        guard count > 0 else { return nil }
        let digits = text.prefix(count).prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    private static func isSame(_ file: Int32, _ name: String, _ directory: Int32) -> Bool {
        guard let ours = try? FileIdentity(open: file), let theirs = try? FileIdentity(name, in: directory) else {
            return false
        }
        return ours.isSame(as: theirs)
    }
}
