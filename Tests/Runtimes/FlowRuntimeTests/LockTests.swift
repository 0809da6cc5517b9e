// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Foundation
import Testing

/// The locks of a flow's end, in memory that processes share.
@Suite(.timeLimit(.minutes(2))) struct LockTests {
    private final class Shared: @unchecked Sendable {
        let lock = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        /// Guarded by the lock.
        var count = 0

        init() { lock.initialize(to: 0) }
        deinit { lock.deallocate() }
    }

    @Test func oneAtATime() {
        let shared = Shared()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20_000 {
                _ = cl_lock(shared.lock)
                shared.count += 1
                cl_unlock(shared.lock)
            }
        }
        #expect(shared.count == 160_000)
        #expect(shared.lock.pointee == 0)
    }

    @Test func aThreadThatDiedHoldsNothing() {
        let shared = Shared()
        let hasEnded = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            _ = cl_lock(shared.lock)
            hasEnded.signal()
        }
        hasEnded.wait()
        #expect(cl_lock(shared.lock), "its holder was found dead")
        cl_unlock(shared.lock)
        #expect(!cl_lock(shared.lock), "it was given back")
        cl_unlock(shared.lock)
        #expect(shared.lock.pointee == 0)
    }

    /// Also if nobody has waited for it yet.
    @Test func aProcessThatDiedHoldsNothing() {
        let shared = Shared()
        var report: Int32 = -1
        let process = "/bin/true".withCString { path in
            let words: [UnsafeMutablePointer<CChar>?] = [nil]
            return words.withUnsafeBufferPointer { none in
                var child = cl_child()
                var call: UnsafePointer<CChar>?
                child.path = path
                child.argv = none.baseAddress
                child.envp = none.baseAddress
                child.channel = -1
                return cl_spawn(&child, &report, &call)
            }
        }
        #expect(process > 0)
        defer { cl_close(report) }
        shared.lock.pointee = UInt32(process)
        #expect(cl_lock(shared.lock))
        #expect(shared.lock.pointee != UInt32(process))
        #expect(cl_has_ended(process) && !cl_has_ended(getpid()))
        #expect(waitpid(process, nil, 0) == process)
    }
}
