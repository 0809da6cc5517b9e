// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

// What a process holds of a flow's memory between two calls. Who does is written twice: in the end's state, which a
// forked child shares, so that nobody else writes or reads there; and in the flow's entry, which it does not.

/// A record of a ring that somebody fills, or the oldest message, which somebody reads in place.
struct HeldRecord {
    /// Of the record that is filled, in the ring.
    private(set) var start: UInt64 = 0
    /// Of its payload, as they were reserved or checked.
    private(set) var bytes = 0
    /// 0: nobody. Written last, so that of one who dies meanwhile nothing is left.
    private var holder: pid_t = 0

    var isHeld: Bool { holder != 0 }
    var isOurs: Bool { holder == FlowProcess.shared.identity.rawValue }

    mutating func begin(at start: UInt64 = 0, bytes: Int) {
        self.start = start
        self.bytes = bytes
        cl_compiler_fence()
        holder = FlowProcess.shared.identity.rawValue
    }

    mutating func end() { holder = 0 }

    /// Why nobody else may write or read there now; nil if they may. Who has died holds nothing: his record was not
    /// published, or is still the oldest.
    mutating func refusal() -> Failure? {
        guard isHeld else { return nil }
        guard cl_has_ended(holder) else { return .busy }
        end()
        return nil
    }
}

/// What this process holds of a flow; bits in its entry.
enum Hold: UInt32 {
    case reservation = 1
    case message = 2
}

extension FlowPointer {
    /// With a lock of the end held. From here until `letGo` and `leaveSleep` the flow's memory stays.
    func hold(_ what: Hold) {
        enterSleep()
        holdAgain(what)
    }

    func holdAgain(_ what: Hold) { _ = cl_or32(&pointee.holds, what.rawValue) }

    /// False if it was not held.
    func letGo(_ what: Hold) -> Bool { cl_and32(&pointee.holds, ~what.rawValue) & what.rawValue != 0 }
}

extension UnsafeBufferPointer<iovec> {
    /// Bytes of all parts together. `.invalid` if that is no number of bytes, or a part with bytes has no place.
    func totalBytes() throws(Failure) -> Int {
        guard count <= 1_024 else { throw .invalid }
        var total = 0
        for part in self {
            guard part.iov_len == 0 || part.iov_base != nil, part.iov_len <= UInt(Int.max - total) else {
                throw .invalid
            }
            total += Int(part.iov_len)
        }
        return total
    }
}
