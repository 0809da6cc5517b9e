// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Vocabulary

/// What this process knows of one flow. Everything but `end` and the counters is written before `end` is and stays as it
/// is until nobody uses the flow any more. Who holds one of the end's locks and still finds the end here can use the
/// flow's memory: closing takes both locks first.
struct OpenFlow {
    /// Nil: not open.
    var end: FlowEnd?
    /// What `end` was, from closing until the memory is given back.
    var closed: FlowEnd?
    var arriving: Ring
    var departing: Ring
    /// The flow's slot in the link's memory.
    var words: UnsafeMutableRawPointer
    var queueBytes: UInt64
    var arrivingQueueBytes: UInt64
    var messageBytes: Int
    var side: Vocabulary.End
    var isExpedited: Bool
    /// Behind each message but the empty one: 4 where it has a checksum, else 0.
    var trailerBytes: UInt8
    var role: FlowRole
    var number: LinkSlot
    var flow: FlowID
    var link: Unmanaged<Link>
    /// Between whom the flow is; nil at the end of an IPCP. Guarded by the process lock.
    var parties: Unmanaged<FlowPeer.Shared>?
    var segment: UnsafeMutableRawPointer
    var quality: QualityOfService
    /// Whose the flow is: not ours after a fork.
    var owner: ProcessID
    /// Of which irmd.
    var incarnation: UInt64
    /// Threads that sleep on the flow, and holds, so that its memory stays until the last has left; and `closing`.
    var sleepers: UInt32
    /// `Hold` bits.
    var holds: UInt32
    /// The memory of an end with FRCP; nil: the flow has no FRCP.
    var layer: LayerMemory?
    /// The program has let go, and what it wrote is still on its way: the end, which the service thread goes on with.
    var lingering: FlowEnd?
    /// When the service thread looks at `layer`, nanoseconds; `.max`: no timer is set. Guarded by the process lock.
    var layerTimer = UInt64.max
    var membership: FlowMembership
    var room: RoomWait
    var trim: RingTrim
    var vigil: Vigil?
    /// Of a provider: behind the last packet that was handed out. Used with the read lock held.
    var handedOut = RingConsumer()

    /// The number stays this flow's when the flow is closed. Guarded by the process lock.
    var keepsNumber = false

    /// In `sleepers`: the flow is closed. Nobody comes any more, and who leaves last tears it down.
    static var closing: UInt32 { 1 << 31 }

}

typealias FlowPointer = UnsafeMutablePointer<OpenFlow>

// Of the pointer, because a computed property of the entry may copy it whole before it looks.
extension FlowPointer {
    /// The words of ours and of the peer's.
    @inline(__always) var readerWait: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.readerWait(pointee.side))
    }
    @inline(__always) var writerWait: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.writerWait(pointee.side))
    }
    @inline(__always) var ownState: UnsafeMutablePointer<UInt32> { word(pointee.words, SlotLayout.state(pointee.side)) }
    @inline(__always) var peerState: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.state(pointee.side.other))
    }
    @inline(__always) var peerReaderWait: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.readerWait(pointee.side.other))
    }
    @inline(__always) var peerWriterWait: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.writerWait(pointee.side.other))
    }
    @inline(__always) var fenceRequiredByPeer: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.fenceRequired(pointee.side.other))
    }
    @inline(__always) var fenceRequired: UnsafeMutablePointer<UInt32> {
        word(pointee.words, SlotLayout.fenceRequired(pointee.side))
    }
}

/// Descriptor → flow. One array for all descriptors there can be, of which only what is used takes memory; so a look-up is
/// one addition, and never meets a table that moves.
enum FlowTable {
    /// Set once, before the first flow. Read without a lock.
    nonisolated(unsafe) private static var base: FlowPointer?

    /// EBADF for a number that is no flow descriptor, ENOTALLOC for one that is not open.
    static func entry(_ descriptor: Int32) throws(Failure) -> FlowPointer {
        guard descriptor >= 0, Int(descriptor) < Limits.descriptors else { throw .badDescriptor }
        guard let base else { throw .notAllocated }
        return base + Int(descriptor)
    }

    static func pointer(_ descriptor: Int32) -> FlowPointer? { base.map { $0 + Int(descriptor) } }

    static func prepare() throws(Failure) {
        guard base == nil else { return }
        let size = Limits.descriptors * MemoryLayout<OpenFlow>.stride
        let flags = Int32(MAP_PRIVATE) | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
        guard
            let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0),
            memory != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw .outOfMemory }
        base = memory.assumingMemoryBound(to: OpenFlow.self)
    }
}

/// Which descriptors are taken: the lowest free one is given out.
struct DescriptorNumbers {
    /// Empty until the first is taken.
    private var words: [UInt64] = []
    /// No word before this one has a free bit.
    private var lowest = Limits.firstDescriptor / 64
    /// One more than the highest that was ever given out.
    private(set) var end = Int32(Limits.firstDescriptor)

    mutating func take() -> Int32? {
        if words.isEmpty { words = [UInt64](repeating: 0, count: Limits.descriptors / 64) }
        while lowest < words.count, words[lowest] == .max { lowest += 1 }
        guard lowest < words.count else { return nil }
        let bit = (~words[lowest]).trailingZeroBitCount
        words[lowest] |= 1 << UInt64(bit)
        let number = Int32(lowest * 64 + bit)
        end = max(end, number + 1)
        return number
    }

    mutating func giveBack(_ number: Int32) {
        let index = Int(number) / 64
        words[index] &= ~(1 << UInt64(number % 64))
        lowest = min(lowest, index)
    }
}
