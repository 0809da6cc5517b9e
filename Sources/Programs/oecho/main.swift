// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import ToolSupport
import Vocabulary

// oecho(1): the smallest server and client, to read and to begin from. spec: tools §3

enum Choice { case listen }

let table = OptionTable<Choice>(
    "oecho", synopsis: "Usage: oecho [OPTION]...\nSend a message to the name \"oecho\", and print the answer.",
    [CommandOption(.listen, "l", "listen", "Be the server")])

do throws(OptionTable<Choice>.Mistake) {
    switch try table.read(commandLineWords()) {
    case .answer(let bytes):
        Output.standard.write(bytes: bytes)
        Output.end(0)
    case .given(let given, let operands):
        if let extra = operands.first {
            throw OptionTable<Choice>.Mistake(message: "Unknown argument: \(printable(extra)).")
        }
        Output.end(given.isEmpty ? runClient() : runServer())
    }
} catch {
    Output.error.write(table.line(error.message))
    exit(1)
}
