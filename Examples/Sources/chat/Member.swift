// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Ouroboros

/// Talks and listens until the input or the room ends, whichever is first.
func join(as name: String) async throws {
    try await withFlow(to: "chat") { flow in
        try await flow.send(Array("\(name) is here".utf8))
        try await withThrowingTaskGroup { group in
            group.addTask {
                for await line in inputLines() { try await flow.send(Array("\(name): \(line)".utf8)) }
                try await flow.send(Array("\(name) has left".utf8))
            }
            group.addTask {
                for try await line in flow.packets { print(String(decoding: line, as: UTF8.self)) }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

/// Lines of standard input. Reading them blocks, so a thread of its own does it.
private func inputLines() -> AsyncStream<String> {
    AsyncStream { lines in
        let box = Unmanaged.passRetained(Lines(lines))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let lines = Unmanaged<Lines>.fromOpaque(argument).takeRetainedValue().continuation
                while let line = readLine() { lines.yield(line) }
                lines.finish()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }
}

private final class Lines {
    let continuation: AsyncStream<String>.Continuation
    init(_ continuation: AsyncStream<String>.Continuation) { self.continuation = continuation }
}
