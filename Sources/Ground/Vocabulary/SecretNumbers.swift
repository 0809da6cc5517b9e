// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Numbers that nobody foretells from those before, unlike those of a `RandomSource`: what others see and shall not guess.
package struct SecretNumbers: Sendable {
    private let hash: KeyedHash
    private var drawn: UInt64 = 0

    /// `seed`: a secret.
    package init(seed: UInt64) {
        var source = RandomSource(seed: seed)
        hash = KeyedHash(first: seed, second: source.next())
    }

    package mutating func next() -> UInt32 {
        drawn += 1
        return UInt32(truncatingIfNeeded: hash(drawn))
    }
}
