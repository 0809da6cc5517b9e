// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Ping
import ToolSupport

// oping(1): what it sends, counts and says is in Ping; here are only the flows.

cl_catch_stop_signals()
switch PingOptions.parse(commandLineWords()) {
case .help:
    Output.standard.write(PingOptions.usage)
    exit(0)
case .mistake(let message, let showsUsage):
    Output.error.line(message)
    if showsUsage { Output.standard.write(PingOptions.usage) }
    exit(1)
case .run(let options):
    for notice in options.notices { (options.isJSON ? Output.error : Output.standard).line(notice) }
    switch options.role {
    case .client(let server): exit(PingClient.run(options, server: server))
    case .server: exit(PingServer.run(options))
    }
}
