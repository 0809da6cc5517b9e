// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import ResourceManagerRuntime

@Suite struct HostLinesTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func written(_ lines: inout HostLines, _ hosts: some Sequence<String>) -> Int {
        hosts.count { lines.isAllowed(Array($0.utf8), now: now) }
    }

    @Test("a host has so many lines, whatever its port; another one has its own")
    func perHost() {
        var lines = HostLines()
        #expect(written(&lines, (1...1_000).map { "10.0.0.2:\($0)" }) == Limits.hostLinesAtOnce)
        #expect(written(&lines, ["10.0.0.3:3435"]) == 1)
        #expect(written(&lines, (1...100).map { _ in "no address" }) == Limits.hostLinesAtOnce)
        #expect(lines.takeUnsaid(now: now) == 0)
        let unsaid = 1_000 + 100 - 2 * Limits.hostLinesAtOnce
        #expect(lines.takeUnsaid(now: now + TimeSpan(seconds: 1)) == unsaid)
        #expect(lines.takeUnsaid(now: now + TimeSpan(seconds: 9)) == 0)
    }

    @Test("who has a network of IPv6 has the lines of one host; on a link each host has its own")
    func networks() {
        var lines = HostLines()
        #expect(written(&lines, (1...1_000).map { "[2001:db8::\($0)]:3435" }) == Limits.hostLinesAtOnce)
        #expect(written(&lines, ["[2001:db8:0:1::1]:3435"]) == 1)
        #expect(written(&lines, (1...50).map { "[fe80::\($0)%2]:3435" }) == 50)
    }
}
