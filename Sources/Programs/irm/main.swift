// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IRMCommands
import ManagementClient
import ToolSupport
import Vocabulary

// irm(8): everything is in IRMCommands, where tests can reach it.

let words = commandLineWords().dropFirst().map(Word.init)
if words.first == "--complete" {
    let answer = ManagementTool.complete(Array(words.dropFirst())) { () throws(ManagementError) in
        // Nobody waits longer for what the Tab key proposes.
        try ManagementClient(patience: TimeSpan(seconds: 1))
    }
    Output.standard.write(bytes: answer)
    Output.end(0)
}
let report = ManagementTool.run(
    words
) { () throws(ManagementError) in try ManagementClient() }

Output.error.write(report.errors)
Output.standard.write(report.output)
Output.end(report.exitStatus)
