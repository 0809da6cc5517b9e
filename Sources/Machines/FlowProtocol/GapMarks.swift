// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Since when a lossy flow awaits the packets that others have overtaken: a few marks, each an age of all numbers before it,
/// so that a packet is awaited for at least the patience and for at most a quarter longer. Nanoseconds.
/// spec: frcp-profile-1 §3
struct GapMarks: Sendable {
    /// What is missing before `end` is missing since `time` or earlier.
    struct Mark: Sendable {
        var time: UInt64 = 0
        var end = 0
    }

    private static let most = 8
    private var marks = InlineArray<8, Mark>(repeating: Mark())
    private var count = 0

    /// The oldest; nil: nothing is missing.
    var first: Mark? { count > 0 ? marks[0] : nil }

    /// Something before `end` is missing.
    mutating func note(_ end: Int, now: UInt64, patience: UInt64) {
        guard count > 0 else { return append(Mark(time: now, end: end)) }
        let last = marks[count - 1]
        guard end > last.end else { return }
        if now > last.time, count < GapMarks.most {
            append(Mark(time: max(now, last.time + patience / 4), end: end))
        } else {
            marks[count - 1] = Mark(time: max(now, last.time), end: end)
        }
    }

    private mutating func append(_ mark: Mark) {
        marks[count] = mark
        count += 1
    }

    mutating func removeFirst() {
        for index in 1..<max(count, 1) { marks[index - 1] = marks[index] }
        count -= 1
    }

    mutating func clear() { count = 0 }
}
