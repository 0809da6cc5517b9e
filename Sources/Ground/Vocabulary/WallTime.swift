// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// What the clock on the wall says, in nanoseconds since 1970: for what hosts tell each other. It jumps, so nothing
/// inside a host is measured with it.
package struct WallTime: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: WallTime, right: WallTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// How long ago `earlier` was; zero if it is later.
    package func since(_ earlier: WallTime) -> TimeSpan {
        TimeSpan(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }
}
