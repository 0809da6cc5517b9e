// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import IRMCommands
import ManagementClient
import ToolSupport

// irm(8): everything is in IRMCommands, where tests can reach it.

let report = ManagementTool.run(
    commandLineWords().dropFirst().map(Word.init), version: OUROBOROS_VERSION_STRING
) { () throws(ManagementError) in try ManagementClient() }

Output.standard.write(report.output)
Output.error.write(report.errors)
exit(report.exitStatus)
