// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import Vocabulary

/// What can happen to a flow of a set, with the values of `ouroboros/fqueue.h`. spec: c-api §7
package enum FlowEvent: UInt32, Sendable {
    case packet = 1
    case down = 2
    case up = 4
    case allocated = 8
    case deallocated = 16
    case peerSilent = 32
    /// Only of sets that ask for it.
    case room = 64
}

/// A flow in its set: which, and what it was told already.
struct FlowMembership {
    /// Nil: in none.
    var set: Unmanaged<FlowSet>?
    /// Of all packets ever written to the flow, how many an event was made of.
    var announced: UInt64 = 0
    var toldDown = false
    var toldDeallocated = false
    var toldSilent = false
    /// Handed over, not looked at yet.
    var isReady = false
    /// Not armed.
    var isHot = false
    /// Looks at it while it was hot that found nothing.
    var quietLooks: UInt8 = 0
    var messages = NewMessages()
}

extension FlowPointer {
    /// Whether `collectEvents` would find anything.
    func hasEvents() -> Bool {
        guard let end = pointee.end else { return false }
        if newPackets(end) > 0 { return true }
        let peer = cl_load32_acquire(peerState)
        let fate = cl_load32_acquire(&end.settings.pointee.fate)
        let isDown = peer & EndState.down != 0
        let isGone = peer & EndState.gone != 0 || fate & (Fate.down | Fate.violated) != 0
        return isGone && !pointee.membership.toldDeallocated || isDown != pointee.membership.toldDown
            || fate & Fate.silent != 0 && !pointee.membership.toldSilent || hasRoomEvent(end)
    }

    /// One FLOW_PKT for each packet, as a count; then what became of the flow, each once. Packets that were read without
    /// waiting for their event make none any more. False if there was nothing. spec: c-api §7
    @discardableResult
    func collectEvents(_ descriptor: Int32, into queue: EventQueue) -> Bool {
        guard let end = pointee.end, hasEvents() else { return false }
        let packets = newPackets(end)
        if packets > 0 {
            pointee.membership.announced = pointee.membership.announcedBase(end) &+ packets
            if pointee.role == .user { pointee.membership.messages.count = 0 }
            queue.append(descriptor, .packet, count: packets)
        }
        let peer = cl_load32_acquire(peerState)
        let fate = cl_load32_acquire(&end.settings.pointee.fate)
        if peer & EndState.gone != 0 || fate & (Fate.down | Fate.violated) != 0 {
            if !pointee.membership.toldDeallocated {
                pointee.membership.toldDeallocated = true
                queue.append(descriptor, .deallocated, count: 1)
            }
        } else if (peer & EndState.down != 0) != pointee.membership.toldDown {
            pointee.membership.toldDown = !pointee.membership.toldDown
            queue.append(descriptor, pointee.membership.toldDown ? .down : .up, count: 1)
        }
        if fate & Fate.silent != 0, !pointee.membership.toldSilent {
            pointee.membership.toldSilent = true
            queue.append(descriptor, .peerSilent, count: 1)
        }
        if hasRoomEvent(end) {
            takeRoomEvent(end)
            queue.append(descriptor, .room, count: 1)
        }
        return true
    }

    /// Packets that no event was made of. Never more than a ring can hold, whatever the peer says.
    private func newPackets(_ end: FlowEnd) -> UInt64 {
        if pointee.layer != nil { return newLayerMessages() }
        guard pointee.role != .user else { return newMessages(end) }
        let written = cl_load64_acquire(pointee.arriving.written)
        let new = written &- pointee.membership.announcedBase(end)
        return new <= pointee.arriving.size / Ring.alignment ? new : 0
    }
}

extension FlowMembership {
    /// What was read counts as announced. A look without the lock: a reader that goes on meanwhile only makes it less.
    func announcedBase(_ end: FlowEnd) -> UInt64 {
        let read = cl_load64_relaxed(&end.receiving.pointee.read)
        return announced &- read < UInt64.max / 2 ? announced : read
    }
}

/// Events that `fevent` found and the program has not taken yet. Equal ones of a flow are one entry with a count, so there
/// is no limit that a set could overflow. A program takes one for each packet, so accesses are not checked for
/// exclusivity; a queue belongs to one thread.
package final class EventQueue {
    private struct Entry {
        let descriptor: Int32
        let event: FlowEvent
        let count: UInt64
    }

    @exclusivity(unchecked) private var entries: [Entry] = []
    /// Of the entries, how many were begun.
    @exclusivity(unchecked) private var begun = 0
    /// How often the event of the last that was begun can be taken still.
    @exclusivity(unchecked) private var left: UInt64 = 0
    @exclusivity(unchecked) private var descriptor: Int32 = -1
    @exclusivity(unchecked) private var event: FlowEvent?

    package init() {}

    package var isEmpty: Bool { left == 0 && begun == entries.count }

    /// The event that was taken last.
    package var current: FlowEvent? { event }

    func append(_ descriptor: Int32, _ event: FlowEvent, count: UInt64) {
        if begun == entries.count { forget() }
        entries.append(Entry(descriptor: descriptor, event: event, count: count))
    }

    /// The next event with its flow, and how often it happened there; nil if there are no more.
    package func takeAll() -> (descriptor: Int32, event: FlowEvent, count: Int)? {
        guard let descriptor = take(), let event else { return nil }
        defer { left = 0 }
        return (descriptor, event, Int(left) + 1)
    }

    /// The next event's flow; nil if there are no more.
    package func take() -> Int32? {
        if left > 0 {
            left -= 1
            return descriptor
        }
        return begin()
    }

    private func begin() -> Int32? {
        guard begun < entries.count else {
            event = nil
            return nil
        }
        let entry = entries[begun]
        begun += 1
        left = entry.count - 1
        descriptor = entry.descriptor
        event = entry.event
        return entry.descriptor
    }

    private func forget() {
        entries.removeAll(keepingCapacity: true)
        begun = 0
    }
}
