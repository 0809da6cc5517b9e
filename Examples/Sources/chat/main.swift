// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

// chat serve        the room, under the name "chat"
// chat join NAME    sends the lines of standard input to all others, prints theirs; leaves at the end of the input

let words = CommandLine.arguments.dropFirst()
switch (words.first, words.dropFirst().first) {
case ("serve", nil): try await Room().serve()
case ("join", let name?): try await join(as: name)
default: print("Usage: chat serve | chat join NAME")
}
