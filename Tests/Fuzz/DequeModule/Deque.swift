// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// As much of swift-collections' Deque as the parsers' modules use. Nothing that is fuzzed is in it.
public struct Deque<Element>: ExpressibleByArrayLiteral {
    private var elements: [Element] = []

    public init(arrayLiteral elements: Element...) { self.elements = elements }

    public var count: Int { elements.count }
    public var first: Element? { elements.first }

    public mutating func append(_ element: Element) { elements.append(element) }
    public mutating func popFirst() -> Element? { elements.isEmpty ? nil : elements.removeFirst() }
}

extension Deque: Sendable where Element: Sendable {}
