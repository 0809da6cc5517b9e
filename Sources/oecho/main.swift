// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import ToolSupport

// oecho(1): the smallest server and client, to read and to begin from. spec: tools §3

let words = commandLineWords().dropFirst().map { String(decoding: $0, as: UTF8.self) }
switch words {
case []: exit(runClient())
case ["-l"], ["--listen"]: exit(runServer())
default:
    Output.standard.write(
        """
        Usage: oecho [OPTION]...
        Echo client for the name "oecho"

          -l, --listen  Be the server
              --help    This text

        """)
    exit(0)
}
