// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary
import Wire

/// Finds the place of an endpoint in a table by a keyed hash: open addressing, at most half full, so that a look is short
/// whatever is looked for. What is inserted is chance, and the key is a secret: nobody makes places meet. Its owner says
/// which endpoint a place has.
struct EndpointIndex: Sendable {
    private let key: UInt64
    /// Places; 0 is none. A power of two.
    private var slots = [UInt16](repeating: 0, count: 64)
    private var count = 0

    init(key: UInt64) { self.key = key | 1 }

    /// 0 if nobody has it.
    func find(_ id: EndpointID, _ endpoint: (UInt16) -> EndpointID) -> Int {
        var slot = home(of: id)
        while slots[slot] != 0 {
            if endpoint(slots[slot]) == id { return Int(slots[slot]) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return 0
    }

    /// The place has an endpoint that no other place has.
    mutating func insert(_ place: UInt16, _ endpoint: (UInt16) -> EndpointID) {
        count += 1
        if count * 2 > slots.count {
            let places = slots
            slots = [UInt16](repeating: 0, count: places.count * 2)
            for place in places where place != 0 { put(place, endpoint) }
        }
        put(place, endpoint)
    }

    private mutating func put(_ place: UInt16, _ endpoint: (UInt16) -> EndpointID) {
        var slot = home(of: endpoint(place))
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = place
    }

    /// The place is in the index. Those behind it move up, so that no look ends too early.
    mutating func remove(_ place: UInt16, _ endpoint: (UInt16) -> EndpointID) {
        let mask = slots.count - 1
        var hole = home(of: endpoint(place))
        while slots[hole] != place {
            precondition(slots[hole] != 0, "place \(place) is not in the index")
            hole = (hole + 1) & mask
        }
        count -= 1
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            // It may move to the hole unless that is before its home.
            let distance = (slot - home(of: endpoint(slots[slot]))) & mask
            if distance >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
    }

    private func home(of id: EndpointID) -> Int {
        Int(truncatingIfNeeded: (UInt64(id.rawValue) &* key) >> 32) & (slots.count - 1)
    }
}
