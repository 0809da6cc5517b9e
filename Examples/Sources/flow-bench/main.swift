// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Ouroboros

// flow-bench [BYTES [MESSAGES]]    what messages cost through this library, between two processes, as JSON
//
// The other process is this program once more, started with the name under which it serves.

let words = CommandLine.arguments.dropFirst()
if words.first == "serve", let name = words.dropFirst().first {
    try await serve(name)
} else {
    let numbers = words.compactMap { Int($0) }
    let bytes = numbers.first ?? 64
    let messages = numbers.dropFirst().first ?? 200_000
    guard (1...1_000_000).contains(bytes), messages > 0 else {
        print("Usage: flow-bench [BYTES [MESSAGES]], with 1 to 1,000,000 bytes")
        exit(2)
    }
    let server = try Server()
    defer { server.end() }
    print(try await measure(bytes: bytes, messages: messages, with: server.name).json)
}
