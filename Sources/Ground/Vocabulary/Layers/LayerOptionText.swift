// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Options of layers as people write and read them.

extension LayerOption {
    /// What a text stands for; nil for `none`, where there may be none. A path may still be relative.
    ///
    /// - Parameter interface: Finds the number of a network interface by its name.
    /// - Throws: `LayerFault`, with sentences for the user.
    package func value(
        of text: [UInt8], interface: DatagramAddress.InterfaceNumber
    ) throws(LayerFault) -> LayerValue? {
        let isNone = text == Array("none".utf8)
        switch row.kind {
        case .choice(let words, _):
            guard let place = words.firstIndex(where: { Array($0.utf8) == text }) else { throw unknown(text) }
            return .number(UInt64(place))
        case .number(let range, _):
            let number = UInt64(String(decoding: text, as: UTF8.self))
            guard let number, range.contains(number) else { throw unknown(text) }
            return .number(number)
        case .hexadecimal(let range, _):
            let written = String(decoding: text, as: UTF8.self)
            let digits = written.hasPrefix("0x") || written.hasPrefix("0X") ? written.dropFirst(2) : written[...]
            guard let number = UInt64(digits, radix: 16), range.contains(number) else {
                throw LayerFault("Invalid Ethertype: \"\(printable(text))\". Recommended range: 0xA000-0xEFFF.")
            }
            return .number(number)
        case .address:
            return .address(
                try address(text, "not an IP address.") { () throws(DatagramAddress.Fault) in
                    try DatagramAddress(text: text, port: DatagramParameters.defaultPort, interface: interface)
                })
        case .server:
            guard !isNone else { return nil }
            return .address(
                try address(text, "not an address of a DNS server. It is written ADDRESS, IPV4:PORT or [IPV6]:PORT.") {
                    () throws(DatagramAddress.Fault) in
                    try DatagramAddress(
                        endpoint: text, defaultPort: DatagramParameters.serverPort, interface: interface)
                })
        case .path:
            guard !isNone else { return nil }
            guard !text.isEmpty else { throw unknown(text) }
            return .text(text)
        case .interface:
            guard !text.isEmpty, text.count <= Limits.nameBytes else { throw unknown(text) }
            return .text(text)
        }
    }

    /// In the prototype's words, and what it can be. spec: irm-cli §2 bootstrap
    private func unknown(_ text: [UInt8]) -> LayerFault {
        LayerFault("Unknown parameter for \(row.word): \"\(printable(text))\". It must be \(values).")
    }

    private func address(
        _ text: [UInt8], _ nothing: String, _ parse: () throws(DatagramAddress.Fault) -> DatagramAddress
    ) throws(LayerFault) -> DatagramAddress {
        let address: DatagramAddress
        do throws(DatagramAddress.Fault) {
            address = try parse()
        } catch {
            switch error {
            case .noAddress: throw LayerFault("\"\(printable(text))\" is \(nothing)")
            case .noPort: throw LayerFault("The port in \"\(printable(text))\" is not a number from 1 to 65535.")
            case .noInterface(let name): throw LayerFault("There is no network interface \"\(printable(name))\".")
            case .notLinkLocal:
                throw LayerFault("\"\(printable(text))\" is not link-local, so it cannot name an interface.")
            }
        }
        if let unfitness = address.lacksScope ? .lacksScope : address.unfitness {
            throw LayerFault("\"\(printable(text))\" \(unfitness).")
        }
        return address
    }

    /// All that it can be, as in "must be".
    package var values: String {
        switch row.kind {
        case .choice(let words, _): LayerOption.listed(words)
        case .number(let range, _) where range.count == 1: "\(range.lowerBound)"
        case .number(let range, _): "a number, \(LayerOption.bounds(range, from: "from ") { "\($0)" })"
        case .hexadecimal(let range, _): "a number, \(LayerOption.bounds(range, from: "from ", hexadecimal))"
        case .address: "an IP address"
        case .server: "the address of a DNS server, or none"
        case .path: "a path, or none"
        case .interface: "the name of a network interface, of at most \(Limits.nameBytes) bytes"
        }
    }

    /// What it is, what it is by default, and what it can be: for usage texts, and compared with irm(8).
    package var explanation: String {
        let row = row
        return row.summary + explanationOfValues
            + (row.otherWords.isEmpty ? "" : "; also \(LayerOption.listed(row.otherWords))")
    }

    private var explanationOfValues: String {
        switch row.kind {
        case .choice(let words, _):
            words.count == 1
                ? ": \(words[0])"
                : ": "
                    + LayerOption.listed(words.enumerated().map { $1 + (usual == UInt64($0) ? " (default)" : "") })
        case .number(let range, _) where range.count == 1: ": \(range.lowerBound)"
        case .number(let range, _): ": " + number(in: range) { "\($0)" }
        case .hexadecimal(let range, _): ": " + number(in: range, hexadecimal)
        case .address, .interface: "; must be given"
        case .server: ": ADDRESS, IPV4:PORT or [IPV6]:PORT; none by default"
        case .path: "; none by default"
        }
    }

    private func number(in range: ClosedRange<UInt64>, _ text: (UInt64) -> String) -> String {
        (usual.map(text) ?? "") + " (\(LayerOption.bounds(range, text)))"
    }

    private static func bounds(
        _ range: ClosedRange<UInt64>, from: String = "", _ text: (UInt64) -> String
    ) -> String {
        guard range.upperBound < UInt64(Int64.max) else { return "at least \(text(range.lowerBound))" }
        return from + "\(text(range.lowerBound)) to \(text(range.upperBound))"
    }

    private static func listed(_ words: [String]) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
    }
}

/// With four digits, as Ethertypes are written.
private func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
