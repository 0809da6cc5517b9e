// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// IP addresses as people write them.
extension DatagramAddress {
    /// Why a text is none.
    package enum Fault: Error, Hashable, Sendable {
        case noAddress
        /// What stands behind the address is not a number from 1 to 65535.
        case noPort
        /// Behind the `%`.
        case noInterface(name: [UInt8])
        /// With an interface, though it means the same host on all of them.
        case notLinkLocal
    }

    /// Finds the number of a network interface by its name.
    package typealias InterfaceNumber = (_ name: [UInt8]) -> UInt32?

    /// Dotted decimal, or the hexadecimal groups of RFC 4291; a link-local one may have an interface behind a `%`, by its
    /// name or its number (RFC 4007 §11). One that has none has a scope of 0.
    package init(
        text: some Collection<UInt8>, port: UInt16, interface: InterfaceNumber = { _ in nil }
    ) throws(Fault) {
        let parts = text.split(separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
        let bytes = parts.count == 1 ? DatagramAddress.ipv4(text) : nil
        guard let first = parts.first, let bytes = bytes ?? DatagramAddress.ipv6(first),
            let address = DatagramAddress(bytes, port: port)
        else { throw .noAddress }
        guard parts.count == 2 else {
            self = address
            return
        }
        guard address.isLinkLocal else { throw .notLinkLocal }
        let name = Array(parts[1])
        guard let scope = interface(name) ?? UInt32(decimal: name), scope > 0 else { throw .noInterface(name: name) }
        self = address.with(scope: scope)
    }

    private static func ipv4(_ text: some Collection<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in part.count <= 3 ? UInt8(decimal: part) : nil }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func ipv6(_ text: some Collection<UInt8>) -> [UInt8]? {
        // Nothing longer is an address: "1111:1111:1111:1111:1111:1111:255.255.255.255".
        guard text.count <= 45 else { return nil }
        let colon = UInt8(ascii: ":")
        var front: [UInt8] = []
        var rest = Array(text)[...]
        /// What stood before `::`.
        var gap: Int?
        if rest.starts(with: [colon, colon]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != colon }
            rest = rest.dropFirst(group.count)
            if rest.isEmpty, let last = ipv4(group) {
                front += last
                break
            }
            guard let number = UInt16(hexadecimal: group) else { return nil }
            front += [UInt8(number >> 8), UInt8(number & 0xff)]
            guard rest.popFirst() != nil else { break }
            if rest.first == colon {
                guard gap == nil else { return nil }
                gap = front.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let gap else { return front.count == 16 ? front : nil }
        guard front.count <= 14 else { return nil }
        return front[..<gap] + [UInt8](repeating: 0, count: 16 - front.count) + front[gap...]
    }
}

extension DatagramAddress: CustomStringConvertible {
    /// The address alone, as programs take it.
    package var addressText: String {
        guard family == .ipv6 else { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        let groups = (0..<8).map { index in
            let word = index < 4 ? high : low
            return UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (index % 4)))
        }
        let suffix = scope == 0 ? "" : "%\(scope)"
        guard let zeroes = DatagramAddress.longestRun(of: groups) else { return text(groups[...]) + suffix }
        return text(groups[..<zeroes.lowerBound]) + "::" + text(groups[zeroes.upperBound...]) + suffix
    }

    /// With the port.
    package var description: String { family == .ipv4 ? "\(addressText):\(port)" : "[\(addressText)]:\(port)" }

    private func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The zeroes that `::` stands for: the first of the longest runs, of at least two. RFC 5952 §4.2
    private static func longestRun(of groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        while start < groups.count {
            let run = start..<(groups[start...].firstIndex { $0 != 0 } ?? groups.count)
            if run.count >= 2, run.count > longest?.count ?? 0 { longest = run }
            start = run.upperBound + 1
        }
        return longest
    }
}

extension FixedWidthInteger {
    /// Nothing but digits, and no zero in front, which some take for octal.
    init?(decimal digits: some Collection<UInt8>) {
        guard digits.first != UInt8(ascii: "0") || digits.count == 1,
            digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        self.init(String(decoding: digits, as: UTF8.self))
    }

    /// One to four digits.
    fileprivate init?(hexadecimal digits: some Collection<UInt8>) {
        guard digits.count <= 4, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-") else {
            return nil
        }
        self.init(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
