// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// How many places of a bounded table each owner has. An owner gets no more than are left for all others together: the first
/// at most half of the table, the next half of the rest, so that nobody can use up what the others need, and a lone owner
/// is not held short. The last sixteenth is for those who are exempt: root and irmd's own user, who can then still look
/// and mend.
package struct Shares<Owner: Hashable & Sendable>: Sendable {
    package let capacity: Int
    package private(set) var used = 0
    private var places: [Owner: Int] = [:]

    package init(of capacity: Int) { self.capacity = capacity }

    package func count(of owner: Owner) -> Int { places[owner] ?? 0 }

    /// `weight`: with 2 the first gets at most a third of the table, and so on.
    package func hasRoom(for owner: Owner, isExempt: Bool = false, weight: Int = 1) -> Bool {
        isExempt ? used < capacity : count(of: owner) * weight < capacity - capacity / 16 - used
    }

    /// False if the owner has its share, by weight 1; then nothing is counted.
    @discardableResult
    package mutating func add(for owner: Owner, isExempt: Bool = false) -> Bool {
        guard hasRoom(for: owner, isExempt: isExempt) else { return false }
        used += 1
        places[owner, default: 0] += 1
        return true
    }

    /// One that `add` counted.
    package mutating func remove(for owner: Owner) {
        guard let index = places.index(forKey: owner) else { return }
        used -= 1
        if places.values[index] == 1 { places.remove(at: index) } else { places.values[index] -= 1 }
    }
}
