// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The addresses and names of a hosts file, by the hashes of the names. Whoever reads the file makes it, away from the
/// thread that packets wait for, and brings the arithmetic of the hashes.
package struct HostsFile: Hashable, Sendable {
    /// A line that is not an address and names.
    package struct Mistake: Hashable, Sendable {
        package enum Fault: Hashable, Sendable {
            case noAddress
            case noName
            case longName
            case tooManyNames
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

    /// `port` is that of the layer, because all its members have the same.
    package init(
        parsing text: some Collection<UInt8>, family: DatagramAddress.Family, port: UInt16,
        digest: (_ name: [UInt8]) -> [UInt8]
    ) {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split { HostsFile.isBlank($0) }
            guard let first = words.first else { continue }
            guard let address = DatagramAddress(text: first, port: port) else {
                note(.noAddress, index + 1, first)
                continue
            }
            guard words.count > 1 else {
                note(.noName, index + 1, first)
                continue
            }
            for name in words.dropFirst() where address.family == family {
                guard name.count <= Limits.nameBytes else {
                    note(.longName, index + 1, name)
                    continue
                }
                let hash = digest(Array(name))
                guard addresses.count < Limits.names || addresses[hash] != nil else {
                    note(.tooManyNames, index + 1, name)
                    return
                }
                addresses[hash] = address
            }
        }
    }

    package var count: Int { addresses.count }

    package func address(of hash: [UInt8]) -> DatagramAddress? { addresses[hash] }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private mutating func note(_ fault: Mistake.Fault, _ line: Int, _ word: some Collection<UInt8>) {
        guard mistakes.count < Limits.reportedMistakes else { return }
        mistakes.append(Mistake(line: line, fault: fault, word: Array(word.prefix(Limits.reportedBytes))))
    }
}

extension HostsFile.Mistake: CustomStringConvertible {
    package var description: String {
        let word = "\"\(printable(word))\""
        return switch fault {
        case .noAddress: "line \(line): \(word) is no address"
        case .noName: "line \(line): no name for \(word)"
        case .longName: "line \(line): \(word) is longer than \(Limits.nameBytes) bytes"
        case .tooManyNames: "line \(line): more than \(Limits.names) names, \(word) and the rest do not count"
        }
    }
}
