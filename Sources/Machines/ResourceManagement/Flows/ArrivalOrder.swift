// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule

/// Things in the order of their arrival, of which the first, the last and any other can go. Adding the newest takes
/// constant time, removing takes O(log n). A thing that goes from the middle leaves an empty place, until that comes to
/// an end of the queue or half of the places are empty. A thing that comes back to a place that is gone moves the places
/// behind it.
struct ArrivalOrder<Element: Sendable>: Sendable {
    private struct Slot: Sendable {
        let arrival: UInt64
        var element: Element?
    }

    /// By arrival; neither the first nor the last is empty.
    private var sorted = Deque<Slot>()
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// For tests.
    var places: Int { sorted.count }

    var first: Element? { sorted.first?.element }
    var last: Element? { sorted.last?.element }
    var inOrder: [Element] { sorted.compactMap(\.element) }

    /// `arrival`: a number of its own.
    mutating func insert(_ element: Element, arrival: UInt64) {
        let place = place(of: arrival)
        if place < sorted.count, sorted[place].arrival == arrival {
            if sorted[place].element == nil { count += 1 }
            sorted[place].element = element
        } else {
            sorted.insert(Slot(arrival: arrival, element: element), at: place)
            count += 1
        }
    }

    mutating func remove(arrival: UInt64) {
        let place = place(of: arrival)
        guard place < sorted.count, sorted[place].arrival == arrival, sorted[place].element != nil else { return }
        sorted[place].element = nil
        count -= 1
        while let first = sorted.first, first.element == nil { sorted.removeFirst() }
        while let last = sorted.last, last.element == nil { sorted.removeLast() }
        if sorted.count > 64, sorted.count > count * 2 { sorted.removeAll { $0.element == nil } }
    }

    /// Where the arrival is, or belongs.
    private func place(of arrival: UInt64) -> Int {
        guard let last = sorted.last, arrival <= last.arrival else { return sorted.count }
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].arrival < arrival { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
