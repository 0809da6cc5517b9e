// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IRMCommands
import Testing

@Suite struct UsageTests {
    /// The texts of spec irm-cli §6, each behind a line with the command.
    private func golden() throws -> [String: String] {
        let path = String(#filePath.dropLast("UsageTests.swift".count)) + "usage.txt"
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&buffer, 1, buffer.count, file)
        var texts: [String: String] = [:]
        var command = ""
        for line in String(decoding: buffer.prefix(count), as: UTF8.self).dropLast().split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("# ") {
                command = String(line.dropFirst(2))
                texts[command] = ""
            } else {
                texts[command, default: ""] += line + "\n"
            }
        }
        return texts
    }

    @Test("the usage texts are the prototype's, word for word")
    func verbatim() throws {
        let golden = try golden()
        #expect(golden.count == 22)
        for usage in Usage.allCases {
            #expect(usage.prototypeText == golden[usage.rawValue, default: ""])
            #expect(usage.text.hasPrefix(usage.prototypeText))
            #expect(usage.text.hasPrefix("Usage: irm"))
            #expect(usage.text.hasSuffix("\n"))
        }
    }
}
