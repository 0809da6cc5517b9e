// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The addresses and names of a hosts file, by the hashes of the names. Whoever reads the file makes it, away from the
/// thread that packets wait for, and brings the arithmetic of the hashes.
package struct HostsFile: Hashable, Sendable {
    /// A line that is not an address and names.
    package struct Mistake: Hashable, Sendable {
        package enum Fault: Error, Hashable, Sendable {
            case noAddress
            case noInterface
            case notLinkLocal
            /// An address, but of no host that the layer reaches.
            case unfit(DatagramAddress.Unfitness)
            case noName
            case longName
            case tooManyNames
            /// The file begins like one of UTF-16, of which no line means anything.
            case notBytes
        }

        /// From 1.
        package let line: Int
        package let fault: Fault
        /// The word that it is about.
        package let word: [UInt8]
    }

    /// Of one family; the last line of a name counts.
    private var addresses: [[UInt8]: DatagramAddress] = [:]
    /// The first of them; more would say no more.
    package private(set) var mistakes: [Mistake] = []
    /// How many there are.
    package private(set) var mistakeCount = 0

    /// For a layer with the address `own`, of whose family and port all its members are.
    package init(
        parsing text: some Collection<UInt8>, for own: DatagramAddress,
        interface: DatagramAddress.InterfaceNumber = { _ in nil },
        isBroadcast: (DatagramAddress) -> Bool = { _ in false }, digest: (_ name: [UInt8]) -> [UInt8]
    ) {
        var lines = HostsLines(text)
        guard !lines.isSixteen else {
            note(.notBytes, 1, [])
            return
        }
        while let (number, words) = lines.next() {
            guard let first = words.first else { continue }
            let address: DatagramAddress
            do throws(Mistake.Fault) {
                address = try HostsFile.address(first, for: own, interface)
                if isBroadcast(address) { throw .unfit(.broadcast) }
            } catch {
                note(error, own.family, number, first)
                continue
            }
            guard words.count > 1 else {
                note(.noName, number, first)
                continue
            }
            for name in words.dropFirst() {
                guard name.count <= Limits.nameBytes, !name.contains(0) else {
                    note(.longName, number, name)
                    continue
                }
                let hash = digest(Array(name))
                guard addresses.count < Limits.names || addresses[hash] != nil else {
                    note(.tooManyNames, number, name)
                    return
                }
                addresses[hash] = address
            }
        }
    }

    private static func address(
        _ text: some Collection<UInt8>, for own: DatagramAddress, _ interface: DatagramAddress.InterfaceNumber
    ) throws(Mistake.Fault) -> DatagramAddress {
        let address: DatagramAddress
        do throws(DatagramAddress.Fault) {
            address = try DatagramAddress(text: text, port: own.port, interface: interface)
        } catch {
            switch error {
            case .noInterface: throw .noInterface
            case .notLinkLocal: throw .notLinkLocal
            case .noAddress, .noPort: throw .noAddress
            }
        }
        do throws(DatagramAddress.Unfitness) {
            return try address.reached(from: own)
        } catch {
            throw .unfit(error)
        }
    }

    package var count: Int { addresses.count }

    package func address(of hash: [UInt8]) -> DatagramAddress? { addresses[hash] }

    /// What is said of an address.
    private mutating func note(
        _ fault: Mistake.Fault, _ family: DatagramAddress.Family, _ line: Int, _ word: some Collection<UInt8>
    ) {
        switch fault {
        // For another layer, which can have the same file.
        case .unfit(.otherFamily): break
        // Scopes are nothing to a layer of IPv4, whose host may have other interfaces.
        case .noInterface, .notLinkLocal: if family == .ipv6 { note(fault, line, word) }
        case .noAddress, .unfit, .noName, .longName, .tooManyNames, .notBytes: note(fault, line, word)
        }
    }

    private mutating func note(_ fault: Mistake.Fault, _ line: Int, _ word: some Collection<UInt8>) {
        mistakeCount += 1
        guard mistakes.count < Limits.reportedMistakes else { return }
        mistakes.append(Mistake(line: line, fault: fault, word: Array(word.prefix(Limits.reportedBytes))))
    }
}

extension HostsFile.Mistake: CustomStringConvertible {
    package var description: String {
        let word = "\"\(printable(word))\""
        return switch fault {
        case .noAddress: "line \(line): \(word) is not an address"
        case .noInterface: "line \(line): the network interface of \(word) does not exist"
        case .notLinkLocal: "line \(line): \(word) is not link-local, so it cannot name an interface"
        case .unfit(let unfitness): "line \(line): \(word) \(unfitness)"
        case .noName: "line \(line): no name follows the address \(word)"
        case .longName:
            "line \(line): \(word) is not a name: it is longer than \(Limits.nameBytes) bytes, or has a zero byte"
        case .tooManyNames:
            "line \(line): the file has more than \(Limits.names) names: \(word) and all names after it are ignored"
        case .notBytes: "line \(line): the file is not UTF-8 but UTF-16: save it as UTF-8"
        }
    }
}
