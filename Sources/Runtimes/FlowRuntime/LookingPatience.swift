// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Whether it pays to look for irmd's answer for a while before a sleep, learnt from the answers before. A look that
/// finds nothing takes the processor from irmd and from whoever it works for. So after looks in vain the next waits sleep
/// at once: one, three, seven, and so on, until looks find an answer again.
struct LookingPatience {
    /// An answer that comes at once comes within so many.
    private static let looks = 128
    private static let longestPause: UInt8 = 31
    private var pause: UInt8 = 0
    private var left: UInt8 = 0

    /// Looks for a wait that begins.
    mutating func begin() -> Int {
        guard left > 0 else { return LookingPatience.looks }
        left -= 1
        return 0
    }

    mutating func end(_ looks: Int, hasSlept: Bool) {
        guard looks > 0 else { return }
        pause = hasSlept ? min(pause * 2 + 1, LookingPatience.longestPause) : 0
        left = pause
    }
}
