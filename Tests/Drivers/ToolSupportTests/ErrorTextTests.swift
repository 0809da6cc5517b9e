// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing
import Vocabulary

/// `ouroboros_strerror` and the reasons of failed calls.
@Suite struct ErrorTextTests {
    private func text(_ error: Int32) -> String { String(cString: cl_error_text(error)) }

    @Test("every number has a text, the same with either sign, and no two of ours share one")
    func all() {
        for number in Int32(0)...4_096 { #expect(text(number) == text(-number) && !text(number).isEmpty) }
        #expect(text(2) == "No such file or directory")
        #expect(text(0) == "Success")
        #expect(Set((Int32(1_000)...1_009).map(text)).count == 10)
        for number in Int32(1_000)...1_009 { #expect(!text(number).contains("Unknown error")) }
    }

    @Test("a number without a meaning is told as one, also the most negative there is")
    func unknown() {
        #expect(text(1_010) == "Unknown error 1010")
        #expect(text(-1_011) == "Unknown error 1011")
        #expect(text(41) == "Unknown error 41")
        #expect(text(.max) == "Unknown error 2147483647")
        #expect(text(.min) == "Unknown error 2147483648")
    }

    @Test("a reason is kept until the next, and a long one is cut between two characters")
    func reason() {
        cl_set_last_reason("why")
        #expect(String(cString: cl_last_reason()) == "why")
        cl_set_last_reason("")
        #expect(String(cString: cl_last_reason()).isEmpty)
        cl_set_last_reason(String(repeating: "é", count: 600) + "x")
        #expect(String(cString: cl_last_reason()) == String(repeating: "é", count: 512))
        cl_set_last_reason("a" + String(repeating: "é", count: 600))
        #expect(String(cString: cl_last_reason()) == "a" + String(repeating: "é", count: 511))
        cl_set_last_reason(String(repeating: "b", count: 1_024))
        #expect(String(cString: cl_last_reason()).utf8.count == 1_024)
        cl_set_last_reason("")
    }
}
