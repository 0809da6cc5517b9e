// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Testing

@Suite struct GuestPollTests {
    /// A program that closes all descriptors lets the next poll have the numbers of the last one.
    @Test("a poll that the program has closed does not close another of the same numbers")
    func sameNumbers() async {
        await #expect(processExitsWith: .success) {
            let old = try GuestPoll()
            for number: Int32 in 3..<1_024 { cl_close(number) }
            let new = try GuestPoll()
            precondition(new.number == old.number)
            precondition(!old.isOurs && new.isOurs)
            old.close()
            precondition(new.isOurs && new.ring())
        }
    }
}
