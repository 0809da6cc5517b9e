// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IRMCommands
import ToolSupport

/// Words as a shell may give them to `irm`: one a line. Any of them are a command or a mistake, never a trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    // The line of a shell, before the Tab key.
    _ = BashLine(Array(input)).replacement(by: Array(input))
    let words = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .map { Word(Array($0.prefix { $0 != 0 })) }
    do {
        let parsed = try Grammar.parse(words)
        if case .help(let usage) = parsed.command { precondition(!usage.text.isEmpty) }
    } catch {
        precondition(error.exitStatus != 0, "a mistake that exits with 0")
    }
    return 0
}
