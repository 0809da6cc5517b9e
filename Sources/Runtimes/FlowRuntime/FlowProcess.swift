// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// An end of a flow. A process that allocates a flow to itself has both; and an irmd that was started again begins to
/// count anew.
struct FlowKey: Hashable {
    private let flow: FlowID
    private let end: End
    private let incarnation: UInt64

    init(_ flow: FlowID, _ end: End, _ incarnation: UInt64) {
        self.flow = flow
        self.end = end
        self.incarnation = incarnation
    }
}

/// Everything that this process holds of flows, behind one lock. The data path does not come here: it finds its entry
/// in the flow table and takes only the locks of one end.
///
/// Lock order: acceptors → session → process lock → read lock of an end → write lock of an end. The process lock is never
/// held asleep.
///
/// Sendable: every property is used under the lock, but for `session` and `acceptors`, which have their own.
final class FlowProcess: @unchecked Sendable {
    static let shared = FlowProcess()

    private let mutex = Lock()
    let session = ManagerSession()
    let acceptors = FlowAcceptorTable()
    var numbers = DescriptorNumbers()
    var ends = FlowEndStore()
    var byFlow: [FlowKey: Int32] = [:]
    /// The parties of the flow that came last.
    var lastParties: FlowPeer.Shared?
    var links: [LinkKey: Link] = [:]
    var sets: [ObjectIdentifier: FlowSet] = [:]
    var service = ServiceThread()
    /// This process without a system call; corrected in a forked child. Not getpid(), which a child in another PID
    /// namespace may have in common with its parent.
    var identity = ProcessID(cl_own_process())

    private init() {}

    func lock() { mutex.lock() }
    func unlock() { mutex.unlock() }

    func locked<Result, Problem: Error>(
        _ body: (FlowProcess) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        lock()
        defer { unlock() }
        return try body(self)
    }

    /// In a forked child: the only thread there is holds the lock since before the fork, and the parent's connections,
    /// links' bookkeeping of sets and service thread are not ours.
    func afterForkInChild() {
        cl_locks_after_fork(identity.rawValue)
        unlock()
        identity = ProcessID(cl_own_process())
        ends.forget()
        service.forget()
        session.forget()
        acceptors.afterForkInChild()
        var descriptor = Int32(Limits.firstDescriptor)
        while descriptor < numbers.end {
            if let entry = FlowTable.pointer(descriptor), entry.pointee.end != nil {
                // Threads and holds are the parent's.
                entry.pointee.sleepers = 0
                entry.pointee.holds = 0
                entry.pointee.trim = RingTrim()
                entry.pointee.vigil = nil
                entry.pointee.layerTimer = .max
                entry.pointee.room.isTimed = 0
            }
            descriptor += 1
        }
        for set in sets.values { set.afterForkInChild() }
    }
}
