// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Stands in for the heap of swift-collections, which the fuzzers are built without: slow, and as good.
public struct Heap<Element: Comparable> {
    private var elements: [Element] = []

    /// Without elements.
    public init() {}

    /// With these.
    public init(_ elements: some Sequence<Element>) { self.elements = elements.sorted(by: >) }

    /// How many there are.
    public var count: Int { elements.count }

    /// All of them.
    public var unordered: [Element] { elements }

    /// The smallest.
    public var min: Element? { elements.last }

    /// Anywhere.
    public mutating func insert(_ element: Element) {
        elements.insert(element, at: elements.firstIndex { $0 <= element } ?? elements.endIndex)
    }

    /// The smallest, no longer in it.
    public mutating func popMin() -> Element? { elements.popLast() }

    /// The same of a heap that has elements.
    public mutating func removeMin() -> Element { elements.removeLast() }
}

extension Heap: Sendable where Element: Sendable {}
