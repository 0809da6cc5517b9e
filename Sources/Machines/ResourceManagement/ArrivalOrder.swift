// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import HeapModule

/// Things in the order of their arrival, of which the first, the last and any other can go, each in O(log n). What goes
/// from the middle leaves its number behind until that comes to an end of the heap, or half of the heap is such numbers.
struct ArrivalOrder<Element: Sendable>: Sendable {
    private var numbers = Heap<UInt64>()
    private var elements: [UInt64: Element] = [:]

    var isEmpty: Bool { elements.isEmpty }
    var count: Int { elements.count }
    /// For tests.
    var places: Int { numbers.count }

    var first: Element? { numbers.min.flatMap { elements[$0] } }
    var last: Element? { numbers.max.flatMap { elements[$0] } }
    /// All of them, sorted anew.
    var inOrder: [Element] { elements.sorted { $0.key < $1.key }.map(\.value) }

    /// `arrival`: a number of its own.
    mutating func insert(_ element: Element, arrival: UInt64) {
        if elements.updateValue(element, forKey: arrival) == nil { numbers.insert(arrival) }
    }

    mutating func remove(arrival: UInt64) {
        guard elements.removeValue(forKey: arrival) != nil else { return }
        if numbers.count > 64, numbers.count > elements.count * 2 { numbers = Heap(elements.keys) }
        while let first = numbers.min, elements[first] == nil { numbers.removeMin() }
        while let last = numbers.max, elements[last] == nil { numbers.removeMax() }
    }
}
