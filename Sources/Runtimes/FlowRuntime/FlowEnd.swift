// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// The private state of one end of a flow: positions, settings, locks. It is in memory that a forked child shares and
/// the peer never sees, so that parent and child can both use the flow. The memory of an end is used again for other
/// flows but never unmapped while the process lives: to take its locks is always safe.
struct FlowEnd: Equatable {
    /// The read lock and what it guards, the write lock and what it guards, and the settings, each in cache lines of
    /// its own.
    static let bytes = 512
    private let base: UnsafeMutableRawPointer

    init(at base: UnsafeMutableRawPointer) { self.base = base }

    var readLock: UnsafeMutablePointer<UInt32> { base.assumingMemoryBound(to: UInt32.self) }
    var receiving: UnsafeMutablePointer<Receiving> { (base + 64).assumingMemoryBound(to: Receiving.self) }
    var writeLock: UnsafeMutablePointer<UInt32> { (base + 192).assumingMemoryBound(to: UInt32.self) }
    var sending: UnsafeMutablePointer<Sending> { (base + 256).assumingMemoryBound(to: Sending.self) }
    var settings: UnsafeMutablePointer<FlowSettings> { (base + 384).assumingMemoryBound(to: FlowSettings.self) }
    /// Counts what a sleeper must hear of and the peer cannot keep from it: the flow's fate, its closing. Goes on counting
    /// when the end is used for another flow.
    var alarm: UnsafeMutablePointer<UInt32> { (base + 448).assumingMemoryBound(to: UInt32.self) }

    /// What the read lock guards.
    struct Receiving {
        var consumer = RingConsumer()
        /// Packets ever read, for those who look without the lock. Written and read atomically.
        var read: UInt64 = 0
        /// Bytes of the oldest message that were delivered already.
        var delivered = 0
        /// The last piece of a message filled its buffer exactly, so the next read says that the message has ended.
        var endIsDue = false
        var patience = Patience()
        /// Packets that this end had written when its last wait for a packet began.
        var writtenBefore: UInt64 = 0
        /// Of `FlowReceive.peek`.
        var held = HeldRecord()
        /// `FenceReason.sleepy` is set, and every writer knows.
        var writerFences = false
        /// The sum of all messages that were read, or discarded because they did not fit.
        var bytes: UInt64 = 0
    }

    /// What the write lock guards.
    struct Sending {
        var producer = RingProducer()
        var patience = Patience()
        /// Of `FlowTransmit.reserve`.
        var reservation = HeldRecord()
        /// The sum of all messages that were written.
        var bytes: UInt64 = 0
    }

    /// Wakes everybody who sleeps at this end.
    func raiseAlarm() {
        _ = cl_add32(alarm, 1)
        cl_futex_wake_all(alarm)
    }

    func reset(_ settings: FlowSettings) {
        receiving.pointee = Receiving()
        sending.pointee = Sending()
        self.settings.pointee = settings
    }
}

/// What `fccntl` sets, and what became of the flow. Words are read and written atomically, without a lock.
struct FlowSettings {
    /// FLOWF… bits.
    var flags: UInt32
    /// `Fate` bits.
    var fate: UInt32 = 0
    /// FRCTF… bits as set; they have no effect on a flow inside the host, which is lossless and in order anyway.
    var retransmission: UInt32
    /// Nanoseconds; `noTimeout` = wait for ever.
    var receiveTimeout = noTimeout
    var sendTimeout = noTimeout

    static let noTimeout = UInt64.max
}

/// What became of a flow, as this process was told by irmd, by the link, or by its own checks. Never by the peer.
enum Fate {
    /// The peer let go or died.
    static let down: UInt32 = 1
    /// The peer was silent for longer than `qos.timeout`.
    static let silent: UInt32 = 2
    /// The peer wrote impossible words into the shared memory.
    static let violated: UInt32 = 4
}

/// Memory for ends, 64 at a time. Guarded by the process lock.
struct FlowEndStore {
    private static let batch = 64
    private var free: [UnsafeMutableRawPointer] = []

    mutating func take(_ settings: FlowSettings) throws(Failure) -> FlowEnd {
        if free.isEmpty { try refill() }
        let end = FlowEnd(at: free.removeLast())
        end.reset(settings)
        return end
    }

    mutating func giveBack(_ end: FlowEnd) { free.append(UnsafeMutableRawPointer(end.readLock)) }

    /// In a forked child: what is free belongs to the parent, which goes on giving it out.
    mutating func forget() { free = [] }

    private mutating func refill() throws(Failure) {
        let size = FlowEnd.bytes * FlowEndStore.batch
        guard
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, Int32(MAP_SHARED) | Int32(MAP_ANONYMOUS), -1, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw .outOfMemory }
        for index in (0..<FlowEndStore.batch).reversed() {
            // All zeroes: the locks are free.
            free.append(base + index * FlowEnd.bytes)
        }
    }
}
