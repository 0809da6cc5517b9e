// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import ManagementClient
import Vocabulary

/// One call of the C interface: what every function does around its own request.
enum Call {
    /// Runs the request on a connection of its own and says as a C result what came of it. Of irmd's failures
    /// only those in `specific` have a number of their own in this function; the others are EPERM. spec: c-api §9
    static func perform<Result: SignedInteger>(
        specific: [Failure] = [], _ request: (ManagementClient) throws(ManagementError) -> Result
    ) -> Result {
        // These functions are no cancellation points: a thread cancelled in the middle would lose the connection.
        var previous: Int32 = 0
        pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &previous)
        defer { pthread_setcancelstate(previous, nil) }
        do throws(ManagementError) {
            let result = try request(try ManagementClient())
            cl_set_last_reason(result < 0 ? String(cString: cl_error_text(Int32(clamping: result))) : "")
            return result
        } catch {
            return Result(failed(error, specific: specific))
        }
    }

    /// The result of a function that failed, whose reason is kept for `irm_last_error`.
    static func failed(_ error: ManagementError, specific: [Failure] = []) -> Int32 {
        cl_set_last_reason(error.reason)
        return -number(error.failure, specific: specific)
    }

    /// The same for arguments of which irmd is not asked.
    static func failed(_ failure: Failure, _ reason: String? = nil) -> Int32 {
        cl_set_last_reason(reason ?? String(cString: cl_error_text(failure.errno)))
        return -failure.errno
    }

    /// The result of a function that was given what cannot be meant.
    static var invalid: Int32 {
        failed(.invalid, "An argument is NULL, too long, or not one of the allowed values.")
    }

    /// The number that stands for a failure in C.
    static func number(_ failure: Failure, specific: [Failure] = []) -> Int32 {
        let everywhere: [Failure] = [.invalid, .manager, .outOfMemory]
        return everywhere.contains(failure) || specific.contains(failure) ? failure.errno : Failure.notPermitted.errno
    }
}

/// `irm_last_error(3)`.
@c @implementation
public func irm_last_error() -> UnsafePointer<CChar>! { cl_last_reason() }

/// The bytes of a C string; nil for NULL and for more than `limit` bytes.
func text(_ pointer: UnsafePointer<CChar>?, limit: Int = Limits.nameBytes) -> [UInt8]? {
    guard let pointer else { return nil }
    let count = strnlen(pointer, limit + 1)
    guard count <= limit else { return nil }
    return UnsafeBufferPointer(start: pointer, count: count).map(UInt8.init(bitPattern:))
}

/// The bytes of a C string in an array of fixed size; nil if no NUL ends it there.
func text<Storage>(in storage: Storage) -> [UInt8]? {
    withUnsafeBytes(of: storage) { bytes in
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        return Array(bytes[..<end])
    }
}

/// Stores a string of C, cut to what fits before the NUL.
func store<Storage>(_ bytes: [UInt8], in storage: inout Storage) {
    withUnsafeMutableBytes(of: &storage) { place in
        place.copyBytes(from: bytes.prefix(place.count - 1))
        place[min(bytes.count, place.count - 1)] = 0
    }
}

/// An array for `free(3)`, zeroed; the count, or -ENOMEM.
func export<Entry, Element>(
    _ entries: [Entry], to list: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>,
    _ fill: (Entry, UnsafeMutablePointer<Element>) -> Void
) -> Int {
    list.pointee = nil
    guard !entries.isEmpty else { return 0 }
    guard let memory = calloc(entries.count, MemoryLayout<Element>.stride) else {
        return -Int(Failure.outOfMemory.errno)
    }
    let elements = memory.bindMemory(to: Element.self, capacity: entries.count)
    for (index, entry) in entries.enumerated() { fill(entry, elements + index) }
    list.pointee = elements
    return entries.count
}
