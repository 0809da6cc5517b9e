// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import Vocabulary

/// Where a flow is in a link.
package struct LinkPlace: Hashable, Sendable {
    package let link: LinkID
    package let slot: LinkSlot
    /// The end of the link that the flow's first end has.
    package let clientEnd: End
    package let linkIsNew: Bool
}

/// The links between processes that have flows with each other: at most one for a pair. A link without flows is kept for
/// the next one, but of each process only the last few (`surplus`). design: flow-memory §1
struct Links: Sendable {
    /// The lower pid is at the first end; in a link of a process with itself both are the same.
    private struct Pair: Hashable {
        let first: ProcessID
        let second: ProcessID

        init(_ one: ProcessID, _ other: ProcessID) {
            first = min(one, other)
            second = max(one, other)
        }
    }

    private struct Link: Sendable {
        let pair: Pair
        /// In whose share it counts.
        let owner: UserID
        var slots = LowestFree(from: 0, below: UInt32(Limits.slotsPerLink))
        var flows = 0
        /// Since it lost its last flow: a number that ascends.
        var pause: UInt64?
        /// The ends whose process has the link's descriptors.
        var delivered: Set<End> = []
    }

    /// The links of a process.
    private struct Ends: Sendable {
        var links: Set<LinkID> = []
        /// How many of them have no flow.
        var idle = 0
        /// Those, in the order in which they lost their last flow, and what was true before (`isCurrent`). Empty while there
        /// are too few links for a surplus.
        var pauses = Deque<Pause>()

        mutating func add(_ pause: Pause) {
            idle += 1
            if links.count > Limits.idleLinks { pauses.append(pause) }
        }

        var isLittered: Bool { pauses.count > 64 && pauses.count > idle * 2 }
    }

    private struct Pause: Sendable {
        let link: LinkID
        let number: UInt64
    }

    private var links: [LinkID: Link] = [:]
    private var ids: [Pair: LinkID] = [:]
    private var ends: [ProcessID: Ends] = [:]
    private var pauses: UInt64 = 0
    private var nextID: UInt32 = 1

    var count: Int { links.count }
    func contains(client: ProcessID, server: ProcessID) -> Bool { ids[Pair(client, server)] != nil }
    func owner(of link: LinkID) -> UserID? { links[link]?.owner }
    func contains(_ link: LinkID) -> Bool { links[link] != nil }

    /// A place for a flow between two processes; nil if they have as many as a link can hold.
    mutating func place(client: ProcessID, server: ProcessID, owner: UserID) -> LinkPlace? {
        let pair = Pair(client, server)
        let known = ids[pair]
        let id = known ?? add(pair, owner)
        guard let place = links.index(forKey: id), let slot = links.values[place].slots.take() else { return nil }
        links.values[place].flows += 1
        if links.values[place].pause != nil { endPause(of: id) }
        let clientEnd: End = client == pair.first ? .first : .second
        return LinkPlace(link: id, slot: LinkSlot(slot), clientEnd: clientEnd, linkIsNew: known == nil)
    }

    private mutating func add(_ pair: Pair, _ owner: UserID) -> LinkID {
        while nextID == 0 || links[LinkID(nextID)] != nil { nextID &+= 1 }
        let id = LinkID(nextID)
        nextID &+= 1
        links[id] = Link(pair: pair, owner: owner)
        ids[pair] = id
        for process in [pair.first, pair.second] {
            ends[process, default: Ends()].links.insert(id)
            if ends[process]?.links.count == Limits.idleLinks + 1 { orderPauses(of: process) }
        }
        return id
    }

    /// Whether the process at this end must still be sent the link's descriptors.
    func isMissing(at end: End, of link: LinkID) -> Bool { links[link]?.delivered.contains(end) == false }

    /// An offer with the descriptors was taken. True the first time.
    mutating func delivered(to end: End, of link: LinkID) -> Bool {
        links[link]?.delivered.insert(end).inserted ?? false
    }

    /// False if the link is gone.
    mutating func giveBack(_ slot: LinkSlot, of id: LinkID) -> Bool {
        guard let place = links.index(forKey: id) else { return false }
        links.values[place].slots.giveBack(slot.rawValue)
        links.values[place].flows -= 1
        if links.values[place].flows == 0 { beginPause(of: id, place) }
        return true
    }

    /// Not of a link that is closed, nor of one between a process and itself, of which there is no second.
    private mutating func beginPause(of id: LinkID, _ place: Dictionary<LinkID, Link>.Index) {
        let pair = links.values[place].pair
        guard pair.first != pair.second, ids[pair] == id else { return }
        pauses += 1
        links.values[place].pause = pauses
        let pause = Pause(link: id, number: pauses)
        ends[pair.first]?.add(pause)
        ends[pair.second]?.add(pause)
    }

    private mutating func endPause(of id: LinkID) {
        guard links[id]?.pause != nil, let pair = links[id]?.pair else { return }
        links[id]?.pause = nil
        ends[pair.first]?.idle -= 1
        ends[pair.second]?.idle -= 1
    }

    /// From now on there can be a surplus.
    private mutating func orderPauses(of process: ProcessID) {
        let idle = (ends[process]?.links ?? []).compactMap { id in links[id]?.pause.map { Pause(link: id, number: $0) }
        }
        ends[process]?.pauses = Deque(idle.sorted { $0.number < $1.number })
    }

    private func isCurrent(_ pause: Pause) -> Bool { links[pause.link]?.pause == pause.number }

    /// The link that has had no flow for the longest time, with the process's end of it, if the process has too many such
    /// links: each takes a descriptor of it.
    mutating func surplus(of process: ProcessID) -> (link: LinkID, end: End)? {
        if ends[process]?.isLittered == true {
            let current = Deque((ends[process]?.pauses ?? []).filter(isCurrent))
            ends[process]?.pauses = current
        }
        guard let idle = ends[process]?.idle, idle > Limits.idleLinks else { return nil }
        while let pause = ends[process]?.pauses.popFirst() {
            guard isCurrent(pause), let pair = links[pause.link]?.pair else { continue }
            return (pause.link, process == pair.first ? .first : .second)
        }
        return nil
    }

    /// Both ends.
    func processes(of id: LinkID) -> (ProcessID, ProcessID)? { (links[id]?.pair).map { ($0.first, $0.second) } }

    mutating func remove(_ id: LinkID) {
        endPause(of: id)
        guard let link = links.removeValue(forKey: id) else { return }
        if ids[link.pair] == id { ids[link.pair] = nil }
        for process in [link.pair.first, link.pair.second] {
            ends[process]?.links.remove(id)
            if ends[process]?.links.isEmpty == true { ends[process] = nil }
        }
    }

    /// The links that end with the process: what they have goes on, and no new flow comes to them.
    mutating func close(of process: ProcessID) -> [LinkID] {
        let all = ends[process]?.links ?? []
        // Those that the other end's process has closed are not among them.
        let open = all.filter { id in links[id].map { ids[$0.pair] == id } ?? false }
        for id in open {
            endPause(of: id)
            if let pair = links[id]?.pair { ids[pair] = nil }
        }
        return open.sorted()
    }
}
