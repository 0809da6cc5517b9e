// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// The memory of flows and links, as long as irmd needs it.
struct FlowStore {
    private var segments: [FlowID: OpenDescriptor] = [:]
    private var links: [LinkID: OpenLink] = [:]

    mutating func create(_ flow: FlowID, at place: LinkPlace, _ provider: End?) throws(RefusedCall) {
        if place.linkIsNew { links[place.link] = try OpenLink() }
        // Its creation failed with another flow's.
        guard let link = links[place.link] else { throw RefusedCall("mmap", .outOfMemory) }
        segments[flow] = OpenDescriptor(try SegmentMemory.create())
        // Before anybody writes, it costs no barrier.
        if let provider { link.memory.requireFence(by: provider, in: place.slot) }
    }

    /// What goes with an offer; nil if it is not there any more.
    func descriptors(for offer: FlowOffer) -> [Int32]? {
        guard let segment = segments[offer.flow] else { return nil }
        guard offer.linkIsIncluded else { return [segment.number] }
        guard let link = links[offer.link], let memory = link.file, let socket = link.sockets[offer.linkEnd.index]
        else { return nil }
        return [segment.number, memory.number, socket.number]
    }

    mutating func releaseSegment(_ flow: FlowID) { segments[flow] = nil }
    func releaseSocket(_ link: LinkID, _ end: End) { links[link]?.release(end) }
    mutating func releaseLink(_ link: LinkID) { links[link] = nil }

    func markGone(_ link: LinkID, _ slot: LinkSlot, _ end: End, linkEnd: End) {
        links[link]?.memory.markGone(end, of: slot, linkEnd: linkEnd)
    }

    func reset(_ link: LinkID, _ slot: LinkSlot) { links[link]?.memory.reset(slot) }

    /// The entry with its packets counted.
    func counted(_ flow: ListedFlow) -> FlowSummary {
        var entry = flow.entry
        if let link = links[flow.link] {
            entry.client.sent = FlowTraffic(link.memory.traffic(from: .first, in: flow.slot))
            entry.server.sent = FlowTraffic(link.memory.traffic(from: .second, in: flow.slot))
        }
        return entry
    }
}

extension FlowTraffic {
    /// The words are the processes' own: whatever stands there, it is only shown.
    fileprivate init(_ traffic: LinkMemory.Traffic) {
        self.init(
            packets: traffic.packets, bytes: traffic.bytes, unreadPackets: traffic.unreadPackets,
            unreadBytes: traffic.unreadBytes)
    }
}

/// A descriptor in a table; closed when it leaves the table.
final class OpenDescriptor {
    private let descriptor: Descriptor
    var number: Int32 { descriptor.number }
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

/// A link. irmd keeps the mapping as long as the link lives, so that it can speak for an end that died; the descriptors
/// only until the processes have theirs, so that the end of a socket says that its process is gone.
private final class OpenLink {
    let memory: LinkMemory
    private(set) var file: OpenDescriptor?
    /// By end.
    private(set) var sockets: [OpenDescriptor?]

    init() throws(RefusedCall) {
        let file = try LinkMemory.create()
        var ends: [Int32] = [-1, -1]
        let result = cl_socketpair_seqpacket(&ends)
        guard result == 0 else { throw RefusedCall("socketpair", Failure(result: Int(result))) }
        // Bells are bytes. A descriptor from the other process would be closed here, and closing it may take long; before
        // Linux 6.16 a process that receives one closes it (`cl_receive_message`).
        for end in ends { _ = cl_refuse_descriptors(end) }
        let sockets = ends.map { OpenDescriptor(Descriptor(owning: $0)) }
        memory = try RefusedCall.named("mmap") { () throws(Failure) in try LinkMemory(mapping: file) }
        self.file = OpenDescriptor(file)
        self.sockets = sockets
    }

    func release(_ end: End) {
        sockets[end.index] = nil
        if sockets.allSatisfy({ $0 == nil }) { file = nil }
    }
}
