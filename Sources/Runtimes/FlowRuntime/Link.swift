// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Platform
import Vocabulary

/// A link within a process. One that has both ends (its flows go from itself to itself) has two links of the same id;
/// and an irmd that was started again begins to count anew.
struct LinkKey: Hashable {
    private let id: LinkID
    private let end: End
    private let incarnation: UInt64

    init(_ id: LinkID, _ end: End, _ incarnation: UInt64) {
        self.id = id
        self.end = end
        self.incarnation = incarnation
    }
}

/// What two processes share to wake each other: one for each pair, whatever number of flows. Guarded by the process lock.
/// Kept while its peer lives, also without flows: the next flow to the same peer needs it again.
final class Link {
    let key: LinkKey
    let memory: LinkMemory
    let socket: GuestDescriptor
    let end: End
    /// By which polls report the link. No other link of this process has or had it.
    let number: UInt64
    /// The socket has ended.
    var isPeerGone = false
    var flows = LinkFlows()
    /// Flow sets that rely on the bell, because they do not look at the ready bits by themselves just now.
    var listeners = 0
    var liveness = LinkLiveness()
    /// The service thread hears the bell: there are flows that it looks after.
    var ringsService = false

    /// With the process lock held, as for everything here.
    nonisolated(unsafe) private static var lastNumber: UInt64 = 0

    init(key: LinkKey, memory: consuming LinkMemory, socket: GuestDescriptor, end: End) {
        Link.lastNumber += 1
        number = Link.lastNumber
        self.key = key
        self.memory = memory
        self.socket = socket
        self.end = end
    }

    deinit { socket.close() }

    private var armed: UnsafeMutablePointer<UInt32> { word(memory.base, LinkLayout.bell(end)) }

    /// Asks to be rung.
    func arm() { WakeUp.arm(armed) }

    /// Takes what the bell left in the socket; level-triggered polls would see it for ever. Other sets may rely on it.
    func silence() {
        socket.silence()
        if listeners > 0 { arm() }
    }

    /// Whether any flow of this link was rung. A look at memory, no more.
    func hasReady() -> Bool {
        let upper = longWord(memory.base, LinkLayout.upperBits(end))
        for index in 0..<LinkLayout.upperWords where cl_load64_acquire(upper + index) != 0 { return true }
        return false
    }

    /// Takes the ready bits and hands each flow to `body`. The upper level is cleared before the lower one, so a ringer
    /// in between leaves at worst a bit that finds nothing.
    func takeReady(_ body: (Int32) -> Void) {
        let upper = longWord(memory.base, LinkLayout.upperBits(end))
        let lower = longWord(memory.base, LinkLayout.lowerBits(end))
        for upperIndex in 0..<LinkLayout.upperWords where cl_load64_acquire(upper + upperIndex) != 0 {
            var lowerSet = cl_exchange64(upper + upperIndex, 0)
            while lowerSet != 0 {
                let lowerIndex = upperIndex * 64 + lowerSet.trailingZeroBitCount
                lowerSet &= lowerSet &- 1
                var slots = cl_exchange64(lower + lowerIndex, 0)
                while slots != 0 {
                    let slot = LinkSlot(UInt32(lowerIndex * 64 + slots.trailingZeroBitCount))
                    slots &= slots &- 1
                    if let descriptor = flows[slot] { body(descriptor) }
                }
            }
        }
    }
}

/// The descriptors of a link's flows. Slots are given out from the lowest, so the array has few holes.
struct LinkFlows {
    private var bySlot: [Int32] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(slot: LinkSlot) -> Int32? {
        let index = Int(slot.rawValue)
        guard index < bySlot.count, bySlot[index] >= 0 else { return nil }
        return bySlot[index]
    }

    mutating func insert(_ descriptor: Int32, at slot: LinkSlot) {
        let index = Int(slot.rawValue)
        if index >= bySlot.count { bySlot += repeatElement(-1, count: index + 1 - bySlot.count) }
        if bySlot[index] < 0 { count += 1 }
        bySlot[index] = descriptor
    }

    mutating func remove(at slot: LinkSlot) {
        guard self[slot] != nil else { return }
        bySlot[Int(slot.rawValue)] = -1
        count -= 1
    }

    var descriptors: some Sequence<Int32> { bySlot.lazy.filter { $0 >= 0 } }
}

/// Whether the process at the other end of a link runs: it bumps a word every quarter of the shortest timeout of its
/// flows. spec: c-api §10 keepalive, design: flow-memory §4
struct LinkLiveness {
    /// The shortest `qos.timeout` of the link's flows, in nanoseconds; nil = nobody asks.
    var timeout: UInt64?
    private var lastSeen: UInt32 = 0
    private var lastChange = Instant(nanoseconds: 0)
    private(set) var nextTick = Instant(nanoseconds: .max)

    /// A flow of this timeout has come. `isFirst`: there was none just now, so nobody has been watched.
    mutating func watch(timeout flow: UInt64, isFirst: Bool, memory: borrowing LinkMemory, end: End, now: Instant) {
        if timeout == nil || isFirst {
            lastSeen = cl_load32_relaxed(word(memory.base, LinkLayout.heartbeat(end.other)))
            lastChange = now
        }
        timeout = min(timeout ?? .max, flow)
        nextTick = min(nextTick, now + TimeSpan(nanoseconds: (timeout ?? .max) / 4))
    }

    /// Nobody asks any more. Not at the last flow's end but at the next tick, so that flows that come and go one after
    /// the other do not set the timer anew each time.
    mutating func stop() {
        timeout = nil
        nextTick = Instant(nanoseconds: .max)
    }

    /// Bumps ours, looks at the peer's. Returns how long the peer has been silent.
    mutating func tick(memory: borrowing LinkMemory, end: End, now: Instant) -> TimeSpan {
        guard let timeout else { return TimeSpan(nanoseconds: 0) }
        _ = cl_add32(word(memory.base, LinkLayout.heartbeat(end)), 1)
        let seen = cl_load32_relaxed(word(memory.base, LinkLayout.heartbeat(end.other)))
        // A tick of ours that comes much too late says that we were stopped, not the peer: give it a fresh start.
        let slept = now.since(nextTick).nanoseconds > timeout / 2
        if seen != lastSeen || slept {
            lastSeen = seen
            lastChange = now
        }
        let silence = now.since(lastChange)
        // The next look: a quarter from now, or when the silence would be long enough, whichever is first.
        let quarter = now + TimeSpan(nanoseconds: max(timeout / 4, 1_000_000))
        let verdict = lastChange + TimeSpan(nanoseconds: timeout)
        nextTick = verdict > now ? min(quarter, verdict) : quarter
        return silence
    }
}
