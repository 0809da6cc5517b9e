// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Names by their hashes, because that is all another host says of one. For each algorithm from its first use on.
struct NameIndex: Sendable {
    private var names: [DirectoryHash: [[UInt8]: ServiceName]] = [:]
    private let hashing: any NameHashing

    init(_ hashing: any NameHashing) { self.hashing = hashing }

    /// The name of this hash; `all`: every name there is.
    mutating func name(of hash: [UInt8], _ algorithm: DirectoryHash, among all: some Sequence<ServiceName>)
        -> ServiceName?
    {
        if let index = names[algorithm] { return index[hash] }
        var index: [[UInt8]: ServiceName] = [:]
        for name in all { index[hashing.digest(of: name, with: algorithm)] = name }
        names[algorithm] = index
        return index[hash]
    }

    mutating func add(_ name: ServiceName) { set(name, to: name) }
    mutating func remove(_ name: ServiceName) { set(name, to: nil) }

    private mutating func set(_ name: ServiceName, to value: ServiceName?) {
        for algorithm in Array(names.keys) {
            let hash = hashing.digest(of: name, with: algorithm)
            names[algorithm]?[hash] = value
        }
    }
}
