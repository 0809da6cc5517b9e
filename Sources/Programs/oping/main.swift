// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import ManagementClient
import Ping
import ToolSupport
import Vocabulary

// oping(1): what it sends, counts and says is in Ping; here are only the flows.

cl_catch_stop_signals()

/// For completion, which must not wait; without irmd there are none.
func names() -> [[UInt8]] {
    let names = try? ManagementClient(patience: TimeSpan(seconds: 1)).names()
    return (names ?? []).map(\.settings.name.bytes)
}

switch PingOptions.parse(commandLineWords(), names: names) {
case .answer(let bytes):
    Output.standard.write(bytes: bytes)
    Output.end(0)
case .mistake(let line):
    Output.error.write(line)
    exit(1)
case .run(let options):
    for notice in options.notices { (options.isJSON ? Output.error : Output.standard).line(notice) }
    switch options.role {
    case .client(let server): Output.end(PingClient.run(options, server: server))
    case .server: Output.end(PingServer.run(options))
    }
}
