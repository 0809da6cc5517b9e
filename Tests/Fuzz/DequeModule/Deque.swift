// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Stands in for the deque of swift-collections, which the fuzzers are built without: slow, and as good.
public struct Deque<Element>: ExpressibleByArrayLiteral {
    private var elements: [Element] = []

    /// With these.
    public init(arrayLiteral elements: Element...) { self.elements = elements }

    /// How many there are.
    public var count: Int { elements.count }

    /// The oldest.
    public var first: Element? { elements.first }

    /// Behind all others.
    public mutating func append(_ element: Element) { elements.append(element) }

    /// The oldest, no longer in it.
    public mutating func popFirst() -> Element? { elements.isEmpty ? nil : elements.removeFirst() }
}

extension Deque: Sendable where Element: Sendable {}
