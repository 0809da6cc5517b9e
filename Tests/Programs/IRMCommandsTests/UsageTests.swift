// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

@testable import IRMCommands

@Suite struct UsageTests {
    @Test("every usage text names its command, says what it does, and fits a terminal", arguments: Usage.allCases)
    func texts(_ usage: Usage) {
        let lines = usage.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("Usage: \(usage.rawValue)") == true)
        #expect(usage.text.contains("\n\(usage.summary)\n"))
        #expect(usage.text.hasSuffix("\n"))
        #expect(lines.allSatisfy { $0.count <= 100 })
        for form in usage.operands + usage.keywords.all {
            #expect(usage.text.contains("  \(form.text)"))
            #expect(usage.text.contains(form.summary))
        }
        for part in usage.parts { #expect(usage.text.contains(part.summary)) }
    }

    @Test("every command is in a group, under the verb that its table has")
    func groups() {
        for usage in Usage.allCases where usage.parts.isEmpty {
            let words = usage.rawValue.split(separator: " ").dropFirst().map { Word(Array($0.utf8)) }
            guard let first = words.first, case .known(let object) = ObjectKeyword.table.resolve(first) else {
                Issue.record("\(usage.rawValue)")
                continue
            }
            #expect(Usage.command(object, words.dropFirst().first) == usage)
            #expect(Usage.irm.parts.contains(usage))
        }
    }

    @Test("a usage text is made of the keywords")
    func example() {
        #expect(
            Usage.connect.text == """
                Usage: irm ipcp connect name IPCP dst NAME [component COMPONENT] [qos QOS]
                Connect an IPCP to a member of its layer.

                  name IPCP            The IPCP that connects
                  dst NAME             The member of its layer to connect to
                  component COMPONENT  mgmt or dt; both if not given
                  qos QOS              Quality for dt: raw (default), best, video, voice or data

                """)
    }
}
